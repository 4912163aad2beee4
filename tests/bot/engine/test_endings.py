"""Endings: what ends together is stored together, each outcome once and none for another."""

import asyncio
from collections.abc import Sequence

import pytest
from psycopg import DataError

from bot.engine.endings import Begun, Endings, Stored
from bot.engine.outcomes import Ending, Succeeded
from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.engine.world import World, step


async def test_what_ends_while_another_is_stored_is_stored_together(world: World) -> None:
    """Each ending is stored once, and each task that follows is begun by one of them."""
    goal_id = await world.plan(*[step(f"t{number}", "find_items") for number in range(1, 5)])
    tasks = list((await world.tasks(goal_id)).values())
    batches: list[list[str]] = []

    async def store(endings: Sequence[Ending]) -> Stored:
        await asyncio.sleep(0.01)
        batches.append([ending.task.key for ending in endings])
        return Stored(Begun(tasks))

    endings = Endings(store)

    async def end(number: int, after_s: float) -> int:
        await asyncio.sleep(after_s)
        stored = await endings.add(Ending(tasks[number], None, Succeeded({})))
        return len(stored.begun.claimed)

    told = await asyncio.gather(end(0, 0), end(1, 0), end(2, 0.004), end(3, 0.005))
    assert batches == [["t1", "t2"], ["t3", "t4"]]
    assert list(told) == [4, 0, 4, 0]


async def test_reads_that_end_together_make_their_follower_ready(world: World) -> None:
    """Nothing is left behind: what needs all of them runs in the same drive."""
    reads = [step(f"t{number}", "find_items") for number in range(1, 5)]
    goal_id = await world.plan(*reads, step("t5", "find_items", after=("t1", "t2", "t3", "t4")))
    await world.drive(goal_id)
    assert set((await world.statuses(goal_id)).values()) == {TaskStatus.SUCCEEDED}
    assert (await world.goal(goal_id)).status is GoalStatus.DONE
    assert world.provider.reads == 5


async def test_outcome_that_cannot_be_stored_leaves_those_beside_it_alone(world: World) -> None:
    """A defect in storing one is its own: the others are stored each by itself."""
    world.provider.put("odd \0 name")
    goal_id = await world.plan(
        step("t1", "find_items", query="odd"),
        *[step(f"t{number}", "find_items", query="none") for number in range(2, 5)],
    )
    with pytest.raises(DataError):
        await world.drive(goal_id)
    statuses = await world.statuses(goal_id)
    assert statuses.pop("t1") is TaskStatus.RUNNING
    assert set(statuses.values()) == {TaskStatus.SUCCEEDED}
