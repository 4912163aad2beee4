"""Recovery: an attempt whose process died is settled by what its provider can tell."""

import asyncio

import pytest

from bot.goals.clicks import Click
from storage.tables.calls import AttemptStatus
from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.engine.world import DANA, LONG, MO, TEAM, World, add, ref, step


async def die_while_sending(world: World, goal_id: int) -> None:
    """Drive until the write is at the provider, then lose the process: nothing is stored."""
    world.provider.held.clear()
    world.provider.arrived.clear()
    driving = asyncio.create_task(world.drive(goal_id))
    await asyncio.to_thread(world.provider.arrived.wait, 10)
    driving.cancel()
    await asyncio.gather(driving, return_exceptions=True)
    world.provider.held.set()
    await asyncio.sleep(0.03)


@pytest.mark.parametrize("kind", ["keyed", "verifiable"])
@pytest.mark.parametrize("fault", ["ok", "down"], ids=["took-effect", "did-not"])
async def test_dead_attempt_of_a_provider_that_can_tell_ends_with_one_effect(
    world: World, kind: str, fault: str
) -> None:
    """Whether or not it took effect before the death, afterwards it did exactly once."""
    goal_id = await world.plan(add("t1", "Report", kind=kind, is_own=True))
    world.provider.faults = [fault]
    await die_while_sending(world, goal_id)
    world.die(goal_id)
    await world.drive(goal_id)
    assert world.provider.effects == ["Report"]
    assert (await world.goal(goal_id)).status is GoalStatus.DONE
    assert len(set(world.provider.keys)) == 1


async def test_dead_attempt_is_left_alone_while_it_could_still_send(world: World) -> None:
    """Before the lease and the longest call are over, "not found" proves nothing."""
    goal_id = await world.plan(add("t1", "Report", kind="verifiable", is_own=True))
    world.provider.faults = ["down"]
    await die_while_sending(world, goal_id)
    await world.drive(goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.RUNNING}
    assert len(await world.attempts(goal_id)) == 1


async def test_dead_read_is_repeated(world: World) -> None:
    """A read changes nothing, so it is simply made again."""
    goal_id = await world.plan(step("t1", "find_items", query="a"))
    await world.drive(goal_id)
    world.sql("UPDATE tasks SET status='running', result=NULL WHERE goal_id = %s", goal_id)
    world.sql("UPDATE attempts SET status='running' WHERE goal_id = %s", goal_id)
    world.sql("UPDATE goals SET status='running' WHERE id = %s", goal_id)
    world.die(goal_id)
    await world.drive(goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.SUCCEEDED}


async def test_inconclusive_look_ups_end_with_a_human(world: World) -> None:
    """A look-up that cannot be made settles nothing, and is not repeated for ever."""
    goal_id = await world.plan(add("t1", "Report", kind="verifiable", is_own=True))
    await die_while_sending(world, goal_id)
    for _ in range(LONG.max_tries):
        world.die(goal_id)
        world.provider.faults = ["read_down"]
        await world.drive(goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.UNKNOWN}
    assert world.provider.effects == ["Report"]


async def test_look_up_without_a_connection_is_inconclusive(world: World) -> None:
    """A verifiable call is not run again because its look-up was refused."""
    goal_id = await world.plan(add("t1", "Report", kind="verifiable", is_own=True))
    await die_while_sending(world, goal_id)
    world.sql("UPDATE connections SET status='reconnect'")
    world.die(goal_id)
    await world.drive(goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.RUNNING}
    await world.connect()
    world.die(goal_id)
    await world.drive(goal_id)
    assert world.provider.effects == ["Report"]
    assert await world.statuses(goal_id) == {"t1": TaskStatus.SUCCEEDED}


async def test_dead_unsafe_attempt_asks_a_human(world: World) -> None:
    """What nobody can look up is never retried blindly."""
    goal_id = await world.plan(add("t1", "Report", kind="unsafe", is_own=True))
    await die_while_sending(world, goal_id)
    world.die(goal_id)
    await world.drive(goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.UNKNOWN}
    assert (await world.attempts(goal_id))[-1].status is AttemptStatus.UNKNOWN
    assert (await world.goal(goal_id)).status is GoalStatus.WAITING


async def unknown(world: World) -> tuple[int, int]:
    """Return a goal and its task whose outcome is unknown, which another task needs."""
    goal_id = await world.plan(
        add("t1", "Report", kind="unsafe", is_own=True),
        add("t2", "Other", is_own=True),
        add("t3", "Needs it", parent_id=ref("t1", "id"), is_own=True),
        add("t4", "Follows it", is_own=True, after=("t1",)),
    )
    await world.move_goal(goal_id, GoalStatus.RUNNING)
    world.provider.lost_names = {"Report"}
    await world.drive(goal_id)
    world.provider.lost_names = set()
    return goal_id, (await world.tasks(goal_id))["t1"].id


async def test_dependency_on_unknown_is_blocked_and_the_rest_goes_on(world: World) -> None:
    """A step whose outcome is unknown holds up what needs it, and nothing else."""
    goal_id, _ = await unknown(world)
    assert await world.statuses(goal_id) == {
        "t1": TaskStatus.UNKNOWN,
        "t2": TaskStatus.SUCCEEDED,
        "t3": TaskStatus.PENDING,
        "t4": TaskStatus.PENDING,
    }


async def test_unknown_that_happened_lets_followers_run(world: World) -> None:
    """Its end: what only follows runs, what needs its result says so."""
    goal_id, task_id = await unknown(world)
    answer = await world.unknowns.settle(Click(TEAM, DANA), task_id, "happened")
    assert answer.ok
    await world.drive(goal_id)
    statuses = await world.statuses(goal_id)
    assert statuses["t1"] is TaskStatus.SUCCEEDED
    assert statuses["t3"] is TaskStatus.FAILED
    assert statuses["t4"] is TaskStatus.SUCCEEDED
    assert world.provider.effects.count("Report") == 1
    tasks = await world.tasks(goal_id)
    assert tasks["t1"].finished_at is not None
    assert DANA not in str(tasks["t1"].failure and tasks["t1"].failure["message"])
    assert "Dana Reyes" in str(tasks["t1"].failure and tasks["t1"].failure["message"])


async def test_unknown_that_did_not_happen_is_run_again(world: World) -> None:
    """Running it again is a human's word; the engine never says it."""
    goal_id, task_id = await unknown(world)
    await world.unknowns.settle(Click(TEAM, DANA), task_id, "run_again")
    await world.drive(goal_id)
    assert world.provider.effects.count("Report") == 2
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


async def test_unknown_that_is_left_skips_what_needs_it(world: World) -> None:
    """To leave it ends the step; what needs it is skipped."""
    goal_id, task_id = await unknown(world)
    await world.unknowns.settle(Click(TEAM, DANA), task_id, "leave")
    await world.drive(goal_id)
    assert await world.statuses(goal_id) == {
        "t1": TaskStatus.FAILED,
        "t2": TaskStatus.SUCCEEDED,
        "t3": TaskStatus.SKIPPED,
        "t4": TaskStatus.SKIPPED,
    }
    assert (await world.goal(goal_id)).status is GoalStatus.PARTLY_DONE


async def test_unknown_is_settled_once_and_by_its_people_only(world: World) -> None:
    """A second answer and a stranger's are answered and change nothing."""
    goal_id, task_id = await unknown(world)
    assert not (await world.unknowns.settle(Click(TEAM, MO), task_id, "run_again")).ok
    assert not (await world.unknowns.settle(Click("T2", DANA), task_id, "leave")).ok  # S15
    answers = await asyncio.gather(
        *[world.unknowns.settle(Click(TEAM, DANA), task_id, "leave") for _ in range(5)]
    )
    assert [answer.ok for answer in answers].count(True) == 1
    assert (await world.statuses(goal_id))["t1"] is TaskStatus.FAILED


async def test_late_outcome_of_an_attempt_taken_over_is_fenced(world: World) -> None:
    """A process that wakes up after its lease stores nothing over what took its place."""
    goal_id = await world.plan(add("t1", "Report", is_own=True))
    world.provider.held.clear()
    late = asyncio.create_task(world.drive(goal_id))
    await asyncio.to_thread(world.provider.arrived.wait, 10)
    world.die(goal_id)
    taking_over = asyncio.create_task(world.drive(goal_id))
    await asyncio.sleep(0.1)
    world.provider.held.set()
    await asyncio.gather(late, taking_over)
    assert world.provider.effects == ["Report"]
    attempts = await world.attempts(goal_id)
    assert [item.status for item in attempts] == [AttemptStatus.FAILED, AttemptStatus.SUCCEEDED]


async def test_dead_attempt_of_a_cancelled_goal_is_still_settled(world: World) -> None:
    """Cancelling loses no outcome: what ran is found out, and not run again."""
    goal_id = await world.plan(add("t1", "Report", kind="verifiable", is_own=True))
    await die_while_sending(world, goal_id)
    await world.goals.cancel(Click(TEAM, DANA), goal_id)
    world.die(goal_id)
    world.forget_jobs()
    await world.sweeper.sweep()
    assert world.jobs() == [goal_id]
    await world.drive(goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.SUCCEEDED}
    assert (await world.goal(goal_id)).status is GoalStatus.CANCELLED


async def test_dead_attempt_of_a_cancelled_goal_that_did_nothing_is_not_repeated(
    world: World,
) -> None:
    """A look-up that finds nothing ends as cancelled: the person no longer wants it."""
    goal_id = await world.plan(add("t1", "Report", kind="verifiable", is_own=True))
    world.provider.faults = ["down"]
    await die_while_sending(world, goal_id)
    await world.goals.cancel(Click(TEAM, DANA), goal_id)
    world.die(goal_id)
    await world.drive(goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.CANCELLED}
    assert world.provider.effects == []


async def test_dead_keyed_attempt_of_a_cancelled_goal_asks_a_human(world: World) -> None:
    """A cancelled call is not repeated to find out; whether it happened is a human's to see."""
    goal_id = await world.plan(add("t1", "Report", is_own=True))
    await die_while_sending(world, goal_id)
    await world.goals.cancel(Click(TEAM, DANA), goal_id)
    world.die(goal_id)
    await world.drive(goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.UNKNOWN}
    assert world.provider.effects == ["Report"]
