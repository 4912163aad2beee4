"""Progress: guards, skipping, and how a goal ends."""

from typing import Any

import pytest

from bot.engine.drive import defer_drive
from bot.goals.clicks import Click
from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.engine.world import DANA, TEAM, World, add, ref, step

DONE, FAILED, SKIPPED = TaskStatus.SUCCEEDED, TaskStatus.FAILED, TaskStatus.SKIPPED


@pytest.mark.parametrize(
    ("op", "right", "status"),
    [
        ("eq", "Acme", DONE),
        ("eq", "Ajax", SKIPPED),
        ("exists", None, DONE),
        ("empty", None, SKIPPED),
    ],
)
async def test_guard_decides_whether_a_task_runs(
    world: World, op: str, right: Any, status: TaskStatus
) -> None:
    """A condition that does not hold skips the task, and that is no failure."""
    world.provider.put("Acme")
    goal_id = await world.start(
        step("t1", "find_items", query="acme"),
        add("t2", "Report", is_own=True, when=(ref("t1", "items", 0, "name"), op, right)),
    )
    assert (await world.statuses(goal_id))["t2"] is status
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


async def test_what_needs_a_guarded_task_is_skipped_without_failure(world: World) -> None:
    """False skips the task and what needs it; the goal is done all the same."""
    goal_id = await world.start(
        step("t1", "find_items", query="acme"),
        add("t2", "One", is_own=True, when=(ref("t1", "items"), "exists", None), after=()),
        add("t3", "Two", is_own=True, when=(ref("t1", "total"), "gt", 0)),
        add("t4", "Three", is_own=True, parent_id=ref("t3", "id")),
        add("t5", "Four", is_own=True, parent_id=ref("t4", "id")),
    )
    statuses = await world.statuses(goal_id)
    assert [statuses[key] for key in ("t2", "t3", "t4", "t5")] == [DONE, SKIPPED, SKIPPED, SKIPPED]
    goal = await world.goal(goal_id)
    assert (goal.status, goal.reason) == (GoalStatus.DONE, None)


async def test_what_needs_a_failed_task_is_skipped_and_said(world: World) -> None:
    """Skipping goes on through the whole branch; the other branch runs."""
    goal_id = await world.plan(
        add("t1", "One", is_own=True),
        add("t2", "Two", is_own=True, after=("t1",)),
        add("t3", "Three", is_own=True, after=("t2",)),
        add("t4", "Other", is_own=True, after=("t1",)),
    )
    world.provider.faults = ["ok", "refused"]
    await world.drive(goal_id)
    statuses = await world.statuses(goal_id)
    assert sorted([statuses["t2"], statuses["t4"]]) == [FAILED, DONE]
    goal = await world.goal(goal_id)
    assert goal.status is GoalStatus.PARTLY_DONE
    assert goal.reason is not None


async def test_required_reference_to_nothing_asks_with_a_sentence(world: World) -> None:
    """An empty list that a step needs is no crash: the step asks what to look for instead."""
    goal_id = await world.plan(
        step("t1", "find_items", query="nobody"),
        step("t2", "change", item_id=ref("t1", "items", 0, "id"), size="1"),
    )
    await world.drive(goal_id)
    if (await world.goal(goal_id)).status is GoalStatus.PROPOSED:
        await world.plans.run(Click(TEAM, DANA), goal_id, 1)
        await world.drive(goal_id)
    tasks = await world.tasks(goal_id)
    assert tasks["t2"].status is TaskStatus.ASKING
    assert "item" in (tasks["t2"].failure or {})["message"]
    assert world.provider.effects == []


async def test_wake_up_during_a_drive_is_not_lost(world: World) -> None:
    """Whoever defers holds the goal's row, so a drive either sees the change or comes again."""
    goal_id = await world.plan(add("t1", "Report", is_own=True))
    async with world.database.transaction() as tx:
        await tx.goals.lock(TEAM, goal_id)
        await defer_drive(tx, TEAM, goal_id)
        await defer_drive(tx, TEAM, goal_id)
    assert world.jobs() == [goal_id]
    world.sql("UPDATE procrastinate_jobs SET status = 'doing'")
    async with world.database.transaction() as tx:
        await tx.goals.lock(TEAM, goal_id)
        await defer_drive(tx, TEAM, goal_id)
    assert world.jobs() == [goal_id]


async def test_lost_jobs_are_derived_anew_from_the_tables(world: World) -> None:
    """Losing every row of the queue loses nothing."""
    goal_id = await world.plan(
        add("t1", "Report", kind="unsafe", is_own=True), add("t2", "B", is_own=True)
    )
    world.provider.lost_names = {"Report"}
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.WAITING
    task = (await world.tasks(goal_id))["t1"]
    await world.unknowns.settle(Click(TEAM, DANA), task.id, "leave")
    world.forget_jobs()
    world.sql("UPDATE goals SET updated_at = now() - interval '10 minutes'")
    await world.sweeper.sweep()
    assert world.jobs() == [goal_id]
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.PARTLY_DONE


async def test_goal_without_a_plan_is_planned_again_when_its_job_was_lost(world: World) -> None:
    """A message that nobody planned is found by the sweeper."""
    goal_id = await world.plan(add("t1", "Report"))
    world.sql("UPDATE goals SET plan_version = 0, updated_at = now() - interval '10 minutes'")
    world.forget_jobs()
    await world.sweeper.sweep()
    assert world.jobs("plan_goal") == [goal_id]


async def test_ready_task_of_a_dead_drive_is_taken_over_after_its_lease(world: World) -> None:
    """A process that died before it sent anything holds a task no longer than its lease."""
    goal_id = await world.plan(add("t1", "Report", is_own=True))
    await world.move_goal(goal_id, GoalStatus.RUNNING)
    begun = await world.engine._claim(TEAM, goal_id, "dead")
    assert [task.key for task in begun.claimed] == ["t1"]
    await world.drive(goal_id)
    assert world.provider.effects == []
    world.die(goal_id)
    world.forget_jobs()
    await world.sweeper.sweep()
    assert world.jobs() == [goal_id]
    await world.drive(goal_id)
    assert world.provider.effects == ["Report"]
