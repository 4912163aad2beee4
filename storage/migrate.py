"""Bringing a database up to date; `storage.revision` tells whether it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, func, pool, select

from storage.database import sqlalchemy_url
from storage.errors import StorageError
from storage.migrations.scope import is_ours
from storage.tables import Base

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 6_201_987_104
"""An advisory lock's number, ours alone: replicas that start together migrate one by one."""


class NewerDatabaseError(StorageError):
    """The database was migrated by a newer Countersign; install that version, or restore a backup.

    Nothing was changed.
    """

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"The database is at revision {revision}, which this version does not know: it was "
            "migrated by a newer Countersign. Install that version, or restore a backup."
        )
        self.revision = revision


def upgrade(url: str) -> None:
    """Bring the database at `url` to this version's schema, or leave it as it was.

    Safe to repeat and to run from several replicas at once. Blocks; call it in a thread.

    Raises:
        NewerDatabaseError: when it is ahead of this version.
    """
    with _connection(url) as connection, connection.begin():
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        _refuse_newer(connection)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check(url: str) -> list[str]:
    """Return how the models differ from the migrated database at `url`; empty is right. Blocks."""
    with _connection(url) as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_object": is_ours,
                "compare_type": True,
                "compare_server_default": True,
            },
        )
        return [str(difference) for difference in compare_metadata(context, Base.metadata)]


def current_revision(connection: Connection) -> str | None:
    """Return the revision a database is at; None when it was never migrated."""
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(connection: Connection) -> None:
    revision = current_revision(connection)
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise NewerDatabaseError(revision)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return config


@contextmanager
def _connection(url: str) -> Iterator[Connection]:
    engine = create_engine(sqlalchemy_url(url), poolclass=pool.NullPool)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
