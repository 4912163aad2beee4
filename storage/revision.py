"""Which schema a database has, told without alembic: it is a tenth of a bot's memory."""

import psycopg

from storage.database import conninfo

HEAD = "0002"
"""The newest migration of this version."""


def is_current(url: str) -> bool:
    """Whether every migration of this version was applied, and none of a newer one. Blocks."""
    with psycopg.connect(conninfo(url)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except psycopg.errors.UndefinedTable:
            return False
    return row == (HEAD,)
