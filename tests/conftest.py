"""Fixtures of every test: a database of its own for whoever asks for one."""

from collections.abc import AsyncIterator, Callable

import psycopg
import pytest
from procrastinate.schema import SchemaManager
from sqlalchemy import create_engine

from storage.database import Database, sqlalchemy_url
from storage.tables import Base

pytest_plugins = ["tests.storage.pg"]


@pytest.fixture(scope="session")
def migrate_database() -> Callable[[str], None]:
    """Make an empty database ours."""

    def migrate(url: str) -> None:
        engine = create_engine(sqlalchemy_url(url))
        Base.metadata.create_all(engine)
        engine.dispose()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(SchemaManager.get_schema().encode())

    return migrate


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Return an empty, migrated database."""
    opened = Database(database_url)
    try:
        yield opened
    finally:
        await opened.close()
