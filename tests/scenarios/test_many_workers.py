"""Two workers and a web process: one worker dies or is told to stop, the other goes on."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bot.cli.scene import DANA
from bot.views import ids
from tests.scenarios.bot_process import BotProcess
from tests.scenarios.nursery import Nursery
from tests.scenarios.play import DONE, PATIENCE_S, Play
from tests.scenarios.world import World

pytestmark = pytest.mark.scenario

_SLOW_S = 1.2


@pytest.fixture
def workers(
    connected: World, nursery: Nursery, tmp_path: Path
) -> Iterator[tuple[BotProcess, BotProcess]]:
    """Return two workers beside a web process; only the first one runs yet."""
    connected.bot.kill()
    connected.bot.start(role="web")
    made = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        environment = connected.bot._environment
        made.append(BotProcess(environment, folder=folder, nursery=nursery))
    made[0].start(role="worker")
    try:
        yield made[0], made[1]
    finally:
        made[1].stop()


async def begin(world: World, play: Play, name: str) -> str:
    """Run a goal whose one write takes a while; return its thread when the write has begun."""
    thread, card = await play.plan(f"Create a deal for Acme worth $40 called {name}")
    match = {"method": "POST", "path_prefix": "/crm/objects/2026-09/deals"}
    world.fault(world.stage.hubspot_url, match=match, kind="slow", delay_s=_SLOW_S)
    await play.workspace.click(DANA, card, ids.GOAL_RUN)
    until = time.monotonic() + PATIENCE_S
    while not writes(world, "running"):
        assert time.monotonic() < until
        await asyncio.sleep(0.02)
    return thread


def writes(world: World, status: str) -> int:
    query = "SELECT count(*) FROM attempts WHERE status = %s AND idempotency <> 'read'"
    with psycopg.connect(world.database_url) as connection:
        row = connection.execute(query, [status]).fetchone()
    return int(row[0]) if row else 0


async def test_goal_of_a_killed_worker_is_taken_over(
    connected: World, play: Play, workers: tuple[BotProcess, BotProcess]
) -> None:
    """Another worker looks up what the dead one had sent and ends the goal: one deal."""
    first, second = workers
    thread = await begin(connected, play, "Heron")
    second.start(role="worker")
    first.kill()

    await play.see(thread, DONE)
    assert len(connected.deals("Heron")) == 1


async def test_stopped_worker_finishes_its_call_and_hands_the_goal_over(
    connected: World, play: Play, workers: tuple[BotProcess, BotProcess]
) -> None:
    """SIGTERM in the midst of a write: it ends well, and the other worker ends the goal."""
    first, second = workers
    done = writes(connected, "succeeded")
    thread = await begin(connected, play, "Egret")
    second.start(role="worker")

    assert first.stop() == 0
    assert writes(connected, "succeeded") == done + 1
    await play.see(thread, DONE)
    assert len(connected.deals("Egret")) == 1
