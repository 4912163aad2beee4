"""Alembic's entry: runs migrations on the connection it is given, or on DATABASE_URL's."""

import os

from alembic import context
from sqlalchemy import Connection, create_engine

from storage.database import sqlalchemy_url
from storage.migrations.scope import is_ours
from storage.tables import Base


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_object=is_ours,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def _run_on_database_url() -> None:
    url = os.environ.get("DATABASE_URL")
    if not url:
        message = "Set DATABASE_URL, or run `countersign migrate`, which finds the database itself."
        raise SystemExit(message)
    engine = create_engine(sqlalchemy_url(url))
    with engine.connect() as connection:
        _run(connection)
    engine.dispose()


given: Connection | None = context.config.attributes.get("connection")
if given is None:
    _run_on_database_url()
else:
    _run(given)
