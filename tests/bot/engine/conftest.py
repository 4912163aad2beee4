from collections.abc import AsyncIterator, Iterator

import pytest

from storage.database import Database
from tests.bot.engine.counting import Provider, run_provider
from tests.bot.engine.world import World, open_world


@pytest.fixture(scope="session")
def counting() -> Iterator[tuple[Provider, str]]:
    provider = Provider()
    with run_provider(provider) as url:
        yield provider, url


@pytest.fixture
async def world(database: Database, counting: tuple[Provider, str]) -> AsyncIterator[World]:
    """Dana has connected Counting; Mo is an approver, Ada an admin, Gus a guest."""
    async with open_world(database, *counting) as opened:
        yield opened
