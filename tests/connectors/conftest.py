from collections.abc import AsyncIterator, Iterator

import pytest

from connectors.google_calendar.standin import build_standin as build_google
from connectors.hubspot.standin import build_standin as build_hubspot
from storage.database import Database
from tests.bot.engine.counting import Provider, run_provider
from tests.bot.engine.world import World, open_world
from tests.connectors.standins import GOOGLE_PATHS, HUBSPOT_PATHS, Running, run_standin


@pytest.fixture(scope="session")
def hubspot_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("hubspot")
    with run_standin(
        build_hubspot, data_dir=folder, paths=HUBSPOT_PATHS, search_lag_s=0.3
    ) as running:
        yield running


@pytest.fixture(scope="session")
def google_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("google")
    with run_standin(build_google, data_dir=folder, paths=GOOGLE_PATHS) as running:
        yield running


@pytest.fixture
async def hubspot(hubspot_server: Running) -> Running:
    """HubSpot's stand-in with its seeds only, and a search lag of 0.3 s."""
    await hubspot_server.control("reset")
    return hubspot_server


@pytest.fixture
async def google(google_server: Running) -> Running:
    """Google's stand-in with its seeds only."""
    await google_server.control("reset")
    return google_server


@pytest.fixture(scope="session")
def counting() -> Iterator[tuple[Provider, str]]:
    provider = Provider()
    with run_provider(provider) as url:
        yield provider, url


@pytest.fixture
async def world(database: Database, counting: tuple[Provider, str]) -> AsyncIterator[World]:
    """Return the engine's world: Dana has connected the counting provider."""
    async with open_world(database, *counting) as opened:
        yield opened
