"""Fixtures of every test: a database of its own for whoever asks for one."""

import gc
from collections.abc import AsyncIterator, Callable

import pytest

from storage.database import Database
from storage.migrate import upgrade

pytest_plugins = ["tests.storage.pg"]


@pytest.hookimpl(trylast=True)  # After `pytest-randomly` has shuffled them.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no worker has it left when the others are done."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """Let the garbage collector not look again and again at what lives to the end."""
    gc.collect()
    gc.freeze()


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
