"""Goals whose first reads wait for a person: they cost nothing until that person did something."""

from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.engine.threads import said
from tests.bot.engine.world import MO, World, add, ref, step


async def looks_for(world: World, person_id: str) -> int:
    """Return a goal that looks something up first."""
    found = add("t2", ref("t1", "items", 0, "name"))
    goal_id = await world.plan(step("t1", "find_items", query="A"), found, person_id=person_id)
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.PLANNING
    return goal_id


async def swept(world: World) -> list[int]:
    """Return which goals a later sweep nudges after every job was lost."""
    world.forget_jobs()
    world.sql("UPDATE goals SET updated_at = now() - interval '2 minutes'")
    await world.sweeper.sweep()
    return world.jobs()


async def test_goal_that_waits_for_a_connection_is_left_alone(world: World) -> None:
    """However often the sweeper looks: no drive, no redrawn card, no place before lost goals."""
    goal_id = await looks_for(world, MO)
    assert (await world.statuses(goal_id))["t1"] is TaskStatus.NEEDS_CONNECTION
    before = world.one("SELECT sum(wanted) FROM outbox")
    assert [await swept(world) for _ in range(2)] == [[], []]
    assert world.one("SELECT sum(wanted) FROM outbox") == before


async def test_goal_whose_person_connected_is_found_without_its_job(world: World) -> None:
    """What the connection woke is nudged again when its job was lost."""
    world.provider.put("A")
    goal_id = await looks_for(world, MO)
    await world.connect(MO)
    await world.connections.sweep()
    assert await swept(world) == [goal_id]
    await world.drive(goal_id)
    assert (await world.statuses(goal_id))["t1"] is TaskStatus.SUCCEEDED


async def test_goal_whose_person_answered_is_found_without_its_job(world: World) -> None:
    """A first read that asks rests as well, and its answer ends that."""
    world.provider.put("Acme")
    goal_id = await world.plan(
        step("t1", "find_items", query="?"),
        add("t2", "Below", parent_id=ref("t1", "items", 0, "id")),
    )
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.PLANNING
    assert (await world.statuses(goal_id))["t1"] is TaskStatus.ASKING
    assert await swept(world) == []
    await world.goals.receive(said("Acme"))
    assert await swept(world) == [goal_id]
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.PROPOSED
