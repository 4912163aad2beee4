"""A process that is told to stop finishes what it sent, and hands the rest back."""

import asyncio

from storage.tables.goals import TaskStatus
from tests.bot.engine.world import World, add


async def test_stopping_drive_ends_with_the_call_that_runs(world: World) -> None:
    """What the call made ready is left to another process, which is woken for it."""
    world.provider.held.clear()
    goal_id = await world.plan(
        add("w0", "First", is_own=True), add("w1", "Second", is_own=True, after=("w0",))
    )
    async with asyncio.TaskGroup() as group:
        driving = group.create_task(world.drive(goal_id))
        await asyncio.to_thread(world.provider.arrived.wait, 10)
        world.engine.stop()
        world.forget_jobs()
        world.provider.held.set()
        await driving

    assert world.provider.effects == ["First"]
    assert (await world.statuses(goal_id))["w1"] is TaskStatus.PENDING
    assert world.jobs() == [goal_id]
    world.wire()
    await world.drive(goal_id)
    assert world.provider.effects == ["First", "Second"]


async def test_stopping_drive_gives_up_claims_of_which_nothing_was_sent(world: World) -> None:
    """A task that was claimed and not begun is free at once, not when its lease is over."""
    goal_id = await world.plan(add("w0", "Only", is_own=True))
    engine = world.engine
    begun = await engine._claim("T1", goal_id, "a")
    assert [task.key for task in begun.claimed] == ["w0"]
    engine.stop()
    await engine._wave(begun, "a")

    assert world.provider.effects == []
    assert (await world.tasks(goal_id))["w0"].lease_owner is None
    assert world.jobs() == [goal_id]
    world.wire()
    await world.drive(goal_id)
    assert world.provider.effects == ["Only"]
