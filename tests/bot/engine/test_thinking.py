"""Goals whose planner thinks for long: asked once, however often the sweeper looks."""

import asyncio
from dataclasses import replace

from bot.engine.thinking import think
from storage.tables.goals import GoalStatus
from tests.bot.engine.replanning import plan, replanning, task
from tests.bot.engine.threads import said
from tests.bot.engine.world import LONG, TEAM, World

STALE_S = 0.3


async def _received(world: World) -> int:
    async with world.database.transaction() as tx:
        goal_id = await world.receive(tx, text="Add Apple")
    await world.move_goal(goal_id, GoalStatus.PLANNING)
    world.forget_jobs()
    return goal_id


async def test_goal_whose_planner_thinks_is_not_taken_for_lost(world: World) -> None:
    """While its process lives nobody else asks a model about the same goal."""
    world.timing = replace(LONG, stale_s=STALE_S)
    world.wire()
    goal_id = await _received(world)
    work = asyncio.sleep(STALE_S * 1.5, "planned")
    thinking = asyncio.create_task(
        think(work, world.database, team_id=TEAM, goal_id=goal_id, stale_s=STALE_S)
    )
    await asyncio.sleep(STALE_S * 1.2)
    await world.sweeper.sweep()
    assert world.jobs("plan_goal") == []
    assert await thinking == "planned"


async def test_goal_whose_planner_died_is_planned_once_more(world: World) -> None:
    """Lost work is found, and however often the sweeper looks there is one job for it."""
    goal_id = await _received(world)
    for _ in range(2):
        world.sql("UPDATE goals SET updated_at = now() - interval '2 minutes'")
        await world.sweeper.sweep()
    assert world.jobs("plan_goal") == [goal_id]


async def test_goal_whose_first_job_still_waits_gets_no_second(world: World) -> None:
    """Where workers are busy for long, the sweeper does not have a goal planned twice."""
    await world.goals.receive(replace(said("Add Apple"), thread_ts=None))
    (goal_id,) = world.jobs("plan_goal")
    world.sql("UPDATE goals SET updated_at = now() - interval '2 minutes'")
    await world.sweeper.sweep()
    assert world.jobs("plan_goal") == [goal_id]


async def test_plan_that_took_long_is_stored_as_any_other(world: World) -> None:
    """Being touched meanwhile does not make a goal another one than was planned."""
    world.timing = replace(LONG, stale_s=0.003)
    async with replanning(world, plan(task("t1", "add_keyed", name="A", is_own=True))) as scene:
        await scene.say()
        assert world.provider.effects == ["A"]
