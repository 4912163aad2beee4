"""Two workers and a web process: one worker dies or is told to stop, the other goes on."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from bot.cli.scene import DANA
from bot.config import Settings
from bot.serve import STOP_S
from bot.views import ids
from bot.worker.runner import GRACE_S
from bot.workspace.client import has_button
from tests.scenarios.bot_process import BotProcess
from tests.scenarios.play import DONE, PATIENCE_S, Play
from tests.scenarios.world import QUICK, World

pytestmark = pytest.mark.scenario

_SLOW_S = 1.2

KILLED_AFTER_S = 30
"""After which an orchestrator kills a process that it told to stop, unless told otherwise."""

STOP_SLACK_S = 4.0
"""What a stop may take besides the longest call; a busy machine's share included."""

IDLE_STOP_S = 2.0


@pytest.fixture
def workers(connected: World, tmp_path: Path) -> Iterator[tuple[BotProcess, BotProcess]]:
    """Return two workers beside a web process; only the first one runs yet."""
    connected.bot.kill()
    connected.bot.start(role="web")
    made = [connected.bot.another(tmp_path / name) for name in ("first", "second")]
    made[0].start(role="worker")
    try:
        yield made[0], made[1]
    finally:
        made[1].stop()


async def begin(world: World, play: Play, name: str, *, slow_s: float = _SLOW_S) -> str:
    """Run a goal whose one write takes a while; return its thread when the write has begun."""
    thread, card = await play.plan(f"Create a deal for Acme worth $40 called {name}")
    match = {"method": "POST", "path_prefix": "/crm/objects/2026-09/deals"}
    world.fault(world.stage.hubspot_url, match=match, kind="slow", delay_s=slow_s)
    await play.workspace.click(DANA, card, ids.GOAL_RUN)
    await until(lambda: writes(world, "running") > 0)
    return thread


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    last = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < last
        await asyncio.sleep(0.02)


def writes(world: World, status: str) -> int:
    """Return how many writes were attempted with this outcome."""
    query = "SELECT count(*) FROM attempts WHERE status = %s AND idempotency <> 'read'"
    return count(world, query, status)


def count(world: World, query: str, *values: str) -> int:
    with psycopg.connect(world.database_url) as connection:
        row = connection.execute(query.encode(), values).fetchone()
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


async def test_stop_during_a_call_that_is_never_answered_in_time_ends_with_its_time_out(
    connected: World, play: Play, workers: tuple[BotProcess, BotProcess]
) -> None:
    """The process waits for the call's whole time and no longer; what became of it is found out.

    With the default settings that is within 30 s: the same sum with the real numbers.
    """
    first, second = workers
    call_s = float(QUICK["COUNTERSIGN_CALL_TIMEOUT_S"])
    thread = await begin(connected, play, "Bittern", slow_s=call_s + 0.5)

    begun = time.monotonic()
    assert first.stop() == 0
    assert time.monotonic() - begun <= call_s + STOP_SLACK_S
    assert writes(connected, "running") == 0  # It did not die and leave a lease behind.

    second.start(role="worker")
    await play.see(thread, DONE)
    assert len(connected.deals("Bittern")) == 1
    longest_s = Settings.model_fields["countersign_call_timeout_s"].default
    assert longest_s + STOP_SLACK_S <= GRACE_S
    assert GRACE_S + STOP_SLACK_S < KILLED_AFTER_S
    assert STOP_S < GRACE_S


async def test_stop_with_nothing_but_waiting_goals_is_at_once(
    connected: World, play: Play, workers: tuple[BotProcess, BotProcess]
) -> None:
    """Goals that wait for people or times hold no process: nothing is waited for at a stop."""
    first, second = workers
    thread, _ = await play.plan("Create a deal for Acme worth $40 called Curlew")
    _, waits = await play.plan("Wait 3 hours, then create a deal for Acme worth $9 called Plover")
    await play.workspace.click(DANA, waits, ids.GOAL_RUN)
    await until(lambda: count(connected, "SELECT count(*) FROM waits WHERE due_at > now()") == 1)

    begun = time.monotonic()
    assert first.stop() == 0
    assert time.monotonic() - begun < IDLE_STOP_S

    second.start(role="worker")
    card = await play.see(thread, has_button(ids.GOAL_RUN))
    await play.workspace.click(DANA, card, ids.GOAL_RUN)
    await play.see(thread, DONE)
    assert len(connected.deals("Curlew")) == 1
