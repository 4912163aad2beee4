"""Driving: what is ready runs, once, side by side; the goal ends as its tasks say."""

import asyncio

from bot.goals.clicks import Click
from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.engine.world import ASK_MO, DANA, TEAM, World, add, ref, step


async def test_own_reversible_write_runs_without_asking(world: World) -> None:
    """What is the requester's own, silent and reversible starts at once."""
    goal_id = await world.plan(add("t1", "Report", is_own=True))
    await world.drive(goal_id)
    assert world.provider.effects == ["Report"]
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


async def test_shared_write_waits_for_run(world: World) -> None:
    """A write that others see is shown first; the click runs exactly it."""
    goal_id = await world.plan(add("t1", "Deal"))
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.PROPOSED
    assert world.provider.effects == []
    await world.plans.run(Click(TEAM, DANA), goal_id, 1)
    await world.drive(goal_id)
    assert world.provider.effects == ["Deal"]
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


async def test_drives_at_once_run_each_task_once(world: World) -> None:
    """Any number of drives may run for one goal: each task is claimed by one."""
    names = [f"I{index}" for index in range(4)]
    goal_id = await world.plan(
        *[add(f"t{index}", name, kind="unsafe", is_own=True) for index, name in enumerate(names)]
    )
    await asyncio.gather(*[world.drive(goal_id) for _ in range(6)])
    assert sorted(world.provider.effects) == names
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


async def test_independent_tasks_run_side_by_side(world: World) -> None:
    """Tasks that do not need each other are in flight at the same time."""
    goal_id = await world.plan(add("t1", "A", is_own=True), add("t2", "B", is_own=True))
    world.provider.held.clear()
    driving = asyncio.create_task(world.drive(goal_id))
    while world.provider.most_at_once < 2 and not driving.done():  # noqa: ASYNC110 -- a thread's
        await asyncio.sleep(0.01)
    world.provider.held.set()
    await driving
    assert world.provider.most_at_once == 2


async def test_goal_with_a_waiting_branch_runs_the_others(world: World) -> None:
    """What waits for Mo does not hold up what does not."""
    world.policy = ASK_MO
    world.wire()
    goal_id = await world.start(
        add("t1", "Deal"),
        add("t2", "Invitation", guests=["jane@acme.example"]),
        add("t3", "After", parent_id=ref("t2", "id")),
    )
    assert world.provider.effects == ["Deal"]
    assert await world.statuses(goal_id) == {
        "t1": TaskStatus.SUCCEEDED,
        "t2": TaskStatus.NEEDS_APPROVAL,
        "t3": TaskStatus.PENDING,
    }
    assert (await world.goal(goal_id)).status is GoalStatus.WAITING


async def test_run_covers_a_record_that_this_plan_created(world: World) -> None:
    """A reference to what the plan itself made needs no second question."""
    goal_id = await world.start(add("t1", "Parent"), add("t2", "Child", parent_id=ref("t1", "id")))
    assert world.provider.effects == ["Parent", "Child"]
    assert await world.asked(goal_id) == []


async def test_drive_of_no_goal_does_nothing(world: World) -> None:
    """A job may outlive its goal."""
    await world.drive(4711)


async def test_read_then_write_in_one_drive(world: World) -> None:
    """A chain pays the queue once; the card shows what the reads found."""
    found = world.provider.put("Acme", domain="acme.example")
    goal_id = await world.start(
        step("t1", "find_items", query="acme"),
        add("t2", "Deal", parent_id=ref("t1", "items", 0, "id")),
    )
    tasks = await world.tasks(goal_id)
    assert tasks["t2"].status is TaskStatus.SUCCEEDED
    async with world.database.transaction() as tx:
        call = await tx.calls.get(TEAM, tasks["t2"].call_id or 0)
    assert call.body["arguments"]["parent_id"] == found
