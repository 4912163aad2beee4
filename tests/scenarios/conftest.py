"""Fixtures of scenarios: servers shared by a worker, a world for each file."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.cli.stage import Stage
from bot.workspace.client import WorkspaceClient
from tests.scenarios.nursery import Nursery
from tests.scenarios.play import Play
from tests.scenarios.stage_thread import run_stage
from tests.scenarios.world import World, run_world
from tests.storage.pg import clone_database


def connect_dana(world: World) -> None:
    """Let Dana connect both providers."""

    async def connect() -> None:
        async with WorkspaceClient(world.stage.workspace_url) as client:
            await Play(client).connect_all()

    asyncio.run(connect())


@pytest.fixture(scope="session")
def bot_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bot")


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    with Nursery() as open_nursery:
        yield open_nursery


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with run_stage(tmp_path_factory.mktemp("stage")) as running:
        yield running


@pytest.fixture(scope="module")
def extra_environment() -> dict[str, str]:
    """Return what a file's bot is started with besides; a file may define its own."""
    return {}


@pytest.fixture(scope="module")
def world(
    stage: Stage,
    postgres_server: str,
    template_database: str,
    bot_folder: Path,
    nursery: Nursery,
    extra_environment: dict[str, str],
) -> Iterator[World]:
    """Return a world that begins anew for this file; its tests use names of their own."""
    with (
        clone_database(postgres_server, template=template_database) as url,
        run_world(stage, url, bot_folder, nursery=nursery, extra=extra_environment) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def connected(world: World) -> World:
    """Return the file's world after Dana has connected both providers."""
    connect_dana(world)
    return world


@pytest.fixture
async def workspace(world: World) -> AsyncIterator[WorkspaceClient]:
    async with WorkspaceClient(world.stage.workspace_url) as client:
        yield client


@pytest.fixture
def play(workspace: WorkspaceClient) -> Play:
    return Play(workspace)
