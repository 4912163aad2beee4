"""Estimates: measured from what ran, shown to people, and used where more is ready than can run."""

import asyncio

import pytest

from bot.engine.estimates import AT_ONCE, READ_S, WRITE_S, Durations, longest_first, remaining
from bot.views.words import duration
from storage.tables.goals import GoalStatus
from tests.bot.engine.world import World, add, ref, step


async def test_longest_chain_is_what_is_left(world: World) -> None:
    """A task's time is its own and that of the longest chain after it; defaults by kind."""
    goal_id = await world.plan(
        step("t1", "find_items"),
        add("t2", "One", after=("t1",)),
        add("t3", "Two", after=("t2",)),
        add("t4", "Three", after=("t1",)),
    )
    tasks = list((await world.tasks(goal_id)).values())
    left = remaining(tasks, {}, world.registry)
    assert left == {"t1": READ_S + 2 * WRITE_S, "t2": 2 * WRITE_S, "t3": WRITE_S, "t4": WRITE_S}
    slow = remaining(tasks, {"counting.find_items": 7.0}, world.registry)
    assert slow["t1"] == 7.0 + 2 * WRITE_S
    order = longest_first(tasks, tasks, {}, world.registry)
    assert [task.key for task in order] == ["t1", "t2", "t3", "t4"]


async def test_list_takes_as_long_as_its_rows_some_at_a_time(world: World) -> None:
    """Twelve rows are two rounds of ten at once."""
    for number in range(12):
        world.provider.put(f"Item {number}")
    goal_id = await world.plan(
        step("t1", "find_items"),
        add("t2", ref("each", "name"), for_each=ref("t1", "items")),
        add("t3", "After", after=("t2",)),
    )
    await world.drive(goal_id)
    left = remaining(list((await world.tasks(goal_id)).values()), {}, world.registry)
    assert (left["t1"], left["t2"], left["t2.7"]) == (3 * WRITE_S, 3 * WRITE_S, 2 * WRITE_S)


async def test_median_of_recent_calls_is_measured_once_an_hour(world: World) -> None:
    """What ran is what is expected; a second replica measures nothing again."""
    goal_id = await world.start(step("t1", "find_items"), add("t2", "One"))
    world.sql("UPDATE attempts SET started_at = finished_at - interval '4 seconds'")
    durations = Durations(database=world.database)
    assert await durations.keep_up() == 2
    assert await durations.keep_up() == 0
    async with world.database.transaction() as tx:
        medians = await tx.durations.medians(["counting.add_keyed"])
        assert (await tx.goals.get("T1", goal_id)).status is GoalStatus.DONE
    assert medians["counting.add_keyed"] == pytest.approx(4.0)


async def test_card_says_how_long_a_plan_takes(world: World) -> None:
    """The estimate is there as long as something is left, and gone at the end."""
    goal_id = await world.plan(add("t1", "One"), add("t2", "Two", after=("t1",)))
    await world.drive(goal_id)
    async with world.database.transaction() as tx:
        assert (await world.cards.goal(tx, "T1", goal_id)).estimate_s == 2 * WRITE_S
    done = await world.start(add("t1", "One", is_own=True))
    async with world.database.transaction() as tx:
        assert (await world.cards.goal(tx, "T1", done)).estimate_s is None


async def test_longest_chain_goes_first_where_more_is_ready_than_can_run(world: World) -> None:
    """A drive runs ten calls at once; what most waits for is not the one that waits."""
    world.provider.held.clear()
    goal_id = await world.plan(
        *(add(f"t{number}", f"Item {number:02}", is_own=True) for number in range(AT_ONCE + 3)),
        add("z1", "Start", is_own=True),
        add("z2", "End", is_own=True, after=("z1",)),
    )
    driving = asyncio.create_task(world.drive(goal_id))
    while world.provider.most_at_once < AT_ONCE:
        assert not driving.done()
        await asyncio.sleep(0.01)
    world.provider.held.set()
    await driving
    assert world.provider.most_at_once == AT_ONCE
    assert len(world.provider.effects) == AT_ONCE + 5
    assert world.provider.effects.index("Start") < AT_ONCE
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "about 1 s"), (2.6, "about 3 s"), (90, "about 2 min"), (9_000, "about 2 h")],
)
def test_duration_is_said_roughly(seconds: float, said: str) -> None:
    """Nobody plans by the tenth of a second."""
    assert duration(seconds) == said
