"""Many workers on many machines: work spreads, nobody does another's, whoever dies is replaced."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest

from bot.config import Settings
from bot.engine.progress import Timing
from bot.serve import OUTBOX_SWEEP_S
from bot.worker.jobs import Job
from bot.worker.runner import Worker
from connectors.execute import Executor
from storage.database import Database, conninfo
from storage.tables.calls import AttemptStatus
from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.engine.world import TEAM, World, add
from tests.support.cable import lay_cable

TAKEN_OVER_S = 60
_POLL_S = 5
"""How late a worker finds a job whose notification was lost: Procrastinate's polling interval."""

BRIEF = Timing(lease_s=0.4, call_timeout_s=0.3, retry_base_s=0.0, max_tries=3, stale_s=0.0)


@asynccontextmanager
async def another_machine(world: World, *, url: str | None = None) -> AsyncIterator[World]:
    """Give a world with a pool of connections and services of its own."""
    database = Database(url or world.database.url, pool_size=5)
    try:
        yield replace(world, database=database)
    finally:
        await database.close()


@asynccontextmanager
async def working(world: World, *, concurrency: int, seen: list[int]) -> AsyncIterator[None]:
    """Run a worker of this world, which notes the goals that it drives."""

    async def drive(team_id: str, goal_id: int) -> None:
        seen.append(goal_id)
        await world.engine.drive(team_id, goal_id)

    worker = Worker(
        conninfo=conninfo(world.database.url),
        jobs=(Job("drive", drive),),
        concurrency=concurrency,
        name="test",
    )
    task = asyncio.create_task(worker.run())
    try:
        await until(lambda: worker.is_running)
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 -- what is waited for happens elsewhere
            await asyncio.sleep(0.01)


async def test_workers_share_the_work(world: World) -> None:
    """Three workers that may each run four jobs run twelve at once, and each goal runs once."""
    world.provider.held.clear()
    goals = [await world.plan(add("w0", f"Goal {n}", is_own=True)) for n in range(12)]
    seen: list[list[int]] = [[], [], []]
    async with AsyncExitStack() as stack:
        for number in range(3):
            machine = await stack.enter_async_context(another_machine(world))
            await stack.enter_async_context(working(machine, concurrency=4, seen=seen[number]))
        for goal_id in goals:
            await world.sweeper.nudge(TEAM, goal_id)
        await until(lambda: world.provider.most_at_once == 12)
        world.provider.held.set()
        await until(lambda: len(world.provider.effects) == 12)

    assert [len(goals) for goals in seen] == [4, 4, 4]
    assert Counter(world.provider.effects) == Counter(f"Goal {n}" for n in range(12))


async def test_every_task_is_claimed_by_one_of_many_drives(world: World) -> None:
    """Eight machines drive one goal at the same moment; each task has one attempt, one effect."""
    tasks = [add(f"w{n}", f"Task {n}", kind="unsafe", is_own=True) for n in range(10)]
    last = add("last", "Last", kind="unsafe", is_own=True, after=tuple(t.key for t in tasks))
    goal_id = await world.plan(*tasks, last)
    async with AsyncExitStack() as stack:
        machines = [await stack.enter_async_context(another_machine(world)) for _ in range(8)]
        await asyncio.gather(*(machine.drive(goal_id) for machine in machines for _ in range(2)))

    assert Counter(world.provider.effects) == Counter([*(f"Task {n}" for n in range(10)), "Last"])
    assert len(await world.attempts(goal_id)) == 11
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


def test_dead_machine_is_replaced_within_a_minute_by_default() -> None:
    """The default settings add up: a call, a claim, a lost nudge, an event and a card."""
    default = {name: field.default for name, field in Settings.model_fields.items()}
    lease_s, call_s = default["countersign_lease_s"], default["countersign_call_timeout_s"]
    sweep_s = default["countersign_sweep_s"] + _POLL_S
    assert lease_s > call_s
    assert lease_s + call_s + sweep_s <= TAKEN_OVER_S
    assert default["countersign_stale_s"] + sweep_s <= TAKEN_OVER_S
    assert default["countersign_event_lease_s"] + sweep_s <= TAKEN_OVER_S
    assert default["countersign_card_lease_s"] + OUTBOX_SWEEP_S + _POLL_S <= TAKEN_OVER_S


@pytest.mark.parametrize("after", [False, True], ids=["before-permit", "after-permit"])
async def test_machine_cut_off_from_the_database_sends_nothing_late_and_is_fenced(
    world: World, *, after: bool
) -> None:
    """Cut off between its attempt and its request, it finds when it is back that it is late.

    Meanwhile another machine took the call over: one effect, and the late word changes nothing.
    """
    async with (
        lay_cable(world.database.url) as cable,
        another_machine(world, url=cable.url) as lost,
    ):
        set_timing(lost)
        set_timing(world)
        goal_id = await world.plan(add("w0", "Once", kind="verifiable", is_own=True))
        cable.hold_at(b"UPDATE permits", after=after)
        driving = asyncio.create_task(lost.drive(goal_id))
        await asyncio.wait_for(cable.is_held.wait(), 10)
        await asyncio.sleep(BRIEF.lease_s + BRIEF.call_timeout_s + 0.05)
        await world.sweeper.sweep()
        assert goal_id in world.jobs()
        await world.drive(goal_id)
        await world.drive(goal_id)
        assert world.provider.effects == ["Once"]
        before = await world.attempts(goal_id)
        cable.mend()
        await driving

    assert world.provider.effects == ["Once"]
    now = await world.attempts(goal_id)
    assert [item.status for item in now] == [AttemptStatus.FAILED, AttemptStatus.SUCCEEDED]
    assert [item.error for item in now] == [item.error for item in before]
    assert await world.statuses(goal_id) == {"w0": TaskStatus.SUCCEEDED}


@pytest.mark.parametrize("status", ["doing", "failed", "aborted", "cancelled", None])
async def test_sweeper_trusts_no_row_of_the_queue(world: World, status: str | None) -> None:
    """A nudge that hangs, failed, was cut off or is gone costs a pause: the tables say the rest."""
    goal_id = await world.plan(add("w0", "Once", is_own=True))
    await world.sweeper.nudge(TEAM, goal_id)
    if status is None:
        world.forget_jobs()
    else:
        world.sql("UPDATE procrastinate_jobs SET status = %s::procrastinate_job_status", status)
    world.sql("UPDATE goals SET updated_at = now() - interval '1 hour'")
    await world.sweeper.sweep()

    seen: list[int] = []
    async with working(world, concurrency=1, seen=seen):
        await until(lambda: world.provider.effects == ["Once"])
    assert seen == [goal_id]


def set_timing(world: World) -> None:
    """Let a world's leases be brief."""
    world.timing = BRIEF
    world.executor = Executor(
        registry=world.registry,
        clients=world.executor._clients,
        database=world.database,
        timeout_s=BRIEF.call_timeout_s,
    )
    world.wire()
