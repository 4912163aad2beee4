"""Fixtures of every test: a database of its own for whoever asks for one."""

from collections.abc import AsyncIterator, Callable

import pytest

from storage.database import Database
from storage.migrate import upgrade

pytest_plugins = ["tests.storage.pg"]


@pytest.fixture(scope="session")
def migrate_database() -> Callable[[str], None]:
    """Return what brings an empty database up to date."""
    return upgrade


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Return an empty, migrated database."""
    opened = Database(database_url)
    try:
        yield opened
    finally:
        await opened.close()
