"""An ordinary day: one world for all these files, in which Dana is connected already."""

from collections.abc import Iterator

import pytest

from tests.scenarios.conftest import connect_dana
from tests.scenarios.nursery import Nursery
from tests.scenarios.stage_thread import run_stage
from tests.scenarios.world import World, run_world
from tests.storage.pg import clone_database


@pytest.fixture(scope="session")
def world(
    tmp_path_factory: pytest.TempPathFactory,
    postgres_server: str,
    template_database: str,
    nursery: Nursery,
) -> Iterator[World]:
    """Return a world that other files' worlds do not touch; its tests use names of their own."""
    folder = tmp_path_factory.mktemp("office")
    with (
        clone_database(postgres_server, template=template_database) as url,
        run_stage(folder / "stage") as stage,
        run_world(stage, url, folder, nursery=nursery, extra={}) as running,
    ):
        yield running


@pytest.fixture(scope="session")
def connected(world: World) -> World:
    connect_dana(world)
    return world
