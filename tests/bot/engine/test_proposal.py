"""Proposing: what a person is asked to run can run, and what they press is what they read."""

from bot.goals.clicks import Answer, Click
from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.engine.world import DANA, TEAM, World, add, ref, step


async def test_step_whose_record_was_not_found_is_not_offered(world: World) -> None:
    """A look-up that found nothing is asked about; there is no Run to press."""
    goal_id = await world.plan(
        step("t1", "find_items", query="nobody"),
        step("t2", "change", item_id=ref("t1", "items", 0, "id"), size="9"),
    )
    await world.drive(goal_id)
    goal = await world.goal(goal_id)
    assert goal.status is GoalStatus.WAITING
    assert (await world.statuses(goal_id))["t2"] is TaskStatus.ASKING
    assert world.provider.effects == []


async def test_edited_value_is_what_the_run_covers(world: World) -> None:
    """A value is stored as it would be frozen, so Run answers for an edited step too."""  # S10
    goal_id = await world.plan(add("t1", "Deal"))
    await world.drive(goal_id)
    edited = await world.plans.edit(
        Click(TEAM, DANA), goal_id, 1, frozenset(), {"t1": {"name": "  Deal two "}}
    )
    assert isinstance(edited, Answer)
    await world.plans.run(Click(TEAM, DANA), goal_id, 2)
    await world.drive(goal_id)
    assert await world.asked(goal_id) == []
    assert world.provider.effects == ["Deal two"]
