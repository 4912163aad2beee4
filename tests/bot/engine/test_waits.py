"""Tasks that wait for an instant or a duration: a row, one wake-up, and honesty when it is late."""

import asyncio
from datetime import timedelta

import pytest

from bot.engine.awaited import awaited_card
from bot.engine.cards import Step
from bot.engine.wakes import Wakes
from bot.goals.clicks import Click
from bot.planning.plan import EACH, Ref, Wait, WaitFor, WaitUntil
from bot.views.awaited import build_awaited_blocks
from storage.tables.goals import GoalStatus, TaskStatus
from storage.tables.waits import WaitEnding
from tests.bot.engine.world import DANA, TEAM, World, add, ref, step

LATER = WaitFor.model_validate({"for": "P3D"})


def until(text: str, at: str | None = None) -> WaitUntil:
    return WaitUntil(until=text, at=at)


def make_due(world: World, *, ago: str = "1 second", waited: str = "1 minute") -> None:
    """Let every open wait be due for so long, after it waited for so long."""
    world.sql(
        "UPDATE waits SET due_at = now() - %s::interval, "
        "started_at = now() - %s::interval - %s::interval WHERE ended_at IS NULL",
        ago,
        ago,
        waited,
    )


def told(world: World) -> int:
    """Return how many messages say that a long wait is over."""
    count: int = world.one("SELECT count(*) FROM outbox WHERE noun = 'awaited'")
    return count


async def shown(world: World, goal_id: int, key: str = "t1") -> Step:
    async with world.database.transaction() as tx:
        card = await world.cards.goal(tx, TEAM, goal_id)
    return next(step for step in card.steps if step.key == key)


async def waiting(world: World, wait: Wait = LATER, *, name: str = "Acme") -> int:
    goal_id = await world.start(add("t1", name, wait=wait))
    assert (await world.statuses(goal_id))["t1"] is TaskStatus.WAITING
    return goal_id


async def wake(world: World, goal_id: int) -> int:
    ended = await world.wakes.wake_due()
    await world.drive(goal_id)
    return ended


async def test_waiting_goal_costs_a_row_and_no_job(world: World) -> None:
    """A goal that waits has no job and no call; its card says until when."""
    goal_id = await waiting(world)
    world.forget_jobs()
    assert await world.wakes.wake_due() == 0
    await world.sweeper.sweep()
    assert world.jobs() == []
    assert (await world.goal(goal_id)).status is GoalStatus.WAITING
    assert world.provider.effects == []
    assert ((await shown(world, goal_id)).waits or "").startswith("waits until ")


async def test_connection_is_asked_for_before_a_step_waits(world: World) -> None:
    """Nobody is asked after weeks for what was missing all along; the wait itself goes on after."""
    world.sql("DELETE FROM connections")
    goal_id = await world.start(add("t1", "Acme", wait=LATER))
    assert (await world.statuses(goal_id))["t1"] is TaskStatus.NEEDS_CONNECTION
    await world.connect()
    await world.connections.sweep()
    await world.drive(goal_id)
    assert (await world.statuses(goal_id))["t1"] is TaskStatus.WAITING


async def test_due_wait_runs_its_task_once(world: World) -> None:
    """When its instant comes the task runs, and the goal is done."""
    goal_id = await waiting(world)
    make_due(world)
    assert await wake(world, goal_id) == 1
    assert await wake(world, goal_id) == 0
    assert (await world.goal(goal_id)).status is GoalStatus.DONE
    assert world.provider.effects == ["Acme"]
    assert (await shown(world, goal_id)).note is None


async def test_three_replicas_end_a_wait_once(world: World) -> None:
    """Whichever replica sees it first ends it; the others skip it."""
    goals = [await waiting(world, name=f"Acme {number}") for number in range(4)]
    make_due(world)
    replicas = [Wakes(database=world.database) for _ in range(3)]
    ended = await asyncio.gather(*(replica.wake_due() for replica in replicas))
    assert sum(ended) == len(goals)


async def test_replica_that_died_is_replaced(world: World) -> None:
    """A wait that a dead replica had claimed is seen to by another one after its claim."""
    goal_id = await waiting(world)
    make_due(world)
    world.sql("UPDATE waits SET claimed_until = now() + interval '30 seconds'")
    assert await wake(world, goal_id) == 0
    world.sql("UPDATE waits SET claimed_until = now() - interval '1 second'")
    assert await wake(world, goal_id) == 1


async def test_missed_instant_runs_late_and_says_so(world: World) -> None:
    """After downtime what was due runs once, late, and its card says since when."""
    goal_id = await waiting(world)
    make_due(world, ago="23 hours")
    await wake(world, goal_id)
    assert world.provider.effects == ["Acme"]
    note = (await shown(world, goal_id)).note or ""
    assert note.startswith("Due ")
    assert note.endswith("I was not running in between.")


async def test_past_instant_runs_at_once_and_says_so(world: World) -> None:
    """A moment that is over does not wait; the card says that it was over."""
    goal_id = await world.start(add("t1", "Acme", wait=until("2026-01-05")))
    assert world.provider.effects == ["Acme"]
    note = (await shown(world, goal_id)).note or ""
    assert "was over already" in note


async def test_instant_beyond_the_horizon_fails_its_task(world: World) -> None:
    """What an earlier step finds may lie decades ahead; that is said, not waited for."""
    goal_id = await world.start(add("t1", "Acme", wait=until("2126-01-05")))
    task = (await world.tasks(goal_id))["t1"]
    assert task.status is TaskStatus.FAILED
    assert "two years" in str(task.failure)


async def test_date_that_a_step_finds_is_waited_for(world: World) -> None:
    """The moment may be a field of an earlier result; it is read once that step is done."""
    world.provider.put("Acme", size="2126-01-01")
    found = WaitUntil(until=Ref(task="t1", path=["items", 0, "size"]), at="07:15")
    goal_id = await world.plan(step("t1", "find_items"), add("t2", "Follow-up", wait=found))
    await world.drive(goal_id)
    assert (await shown(world, goal_id, "t2")).waits == "waits until Tue 1 Jan 2126 07:15 CET"
    await world.start_proposed(goal_id)
    assert (await world.statuses(goal_id))["t2"] is TaskStatus.FAILED


@pytest.mark.parametrize("size", [None, "soon", "9" * 40])
async def test_date_that_is_none_fails_its_task(world: World, size: str | None) -> None:
    """Without a moment nothing can wait for it; the step says so instead of running."""
    world.provider.put("Acme", size=size)
    found = WaitUntil(until=Ref(task="t1", path=["items", 0, "size"]), at=None)
    goal_id = await world.start(step("t1", "find_items"), add("t2", "Follow-up", wait=found))
    assert (await world.statuses(goal_id))["t2"] is TaskStatus.FAILED
    assert world.provider.effects == []


async def test_each_row_waits_for_its_own_date(world: World) -> None:
    """Under `for_each` the date of each element counts for its row."""
    world.provider.put("Early", size="2026-01-01")
    world.provider.put("Late", size="2027-11-01")
    found = WaitUntil(until=Ref(task=EACH, path=["size"]), at=None)
    row = add("t2", ref(EACH, "name"), for_each=ref("t1", "items"), wait=found)
    goal_id = await world.start(step("t1", "find_items"), row)
    statuses = await world.statuses(goal_id)
    assert (statuses["t2.1"], statuses["t2.2"]) == (TaskStatus.SUCCEEDED, TaskStatus.WAITING)
    make_due(world)
    await wake(world, goal_id)
    assert world.provider.effects == ["Early", "Late"]
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


async def test_duration_begins_when_its_dependencies_ended(world: World) -> None:
    """Three days after the step before are three days after that step, whenever Run was pressed."""
    goal_id = await world.plan(step("t1", "find_items"), add("t2", "B", wait=LATER, after=("t1",)))
    await world.drive(goal_id)
    world.sql("UPDATE tasks SET finished_at = now() - interval '2 days' WHERE key = 't1'")
    await world.start_proposed(goal_id)
    left: timedelta = world.one("SELECT due_at - now() FROM waits")
    assert timedelta(hours=22) < left < timedelta(hours=26)


async def test_reads_that_wait_do_not_start_while_planning(world: World) -> None:
    """Before Run nothing waits: the card of a plan shows what it will wait for."""
    goal_id = await world.plan(step("t1", "find_items", wait=LATER), add("t2", "B", after=("t1",)))
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.PROPOSED
    assert world.one("SELECT count(*) FROM waits") == 0
    assert (await shown(world, goal_id)).waits == "waits 3 days"


async def test_other_branches_run_while_one_waits(world: World) -> None:
    """A wait holds up only what depends on it."""
    goal_id = await world.start(add("t1", "A", wait=LATER), add("t2", "B"))
    assert world.provider.effects == ["B"]
    assert (await world.goal(goal_id)).status is GoalStatus.WAITING


async def test_cancelled_goal_removes_its_wait(world: World) -> None:
    """Nobody waits for a goal that was cancelled; nothing wakes it."""
    goal_id = await waiting(world)
    await world.goals.cancel(Click(TEAM, DANA), goal_id)
    assert world.one("SELECT ending FROM waits") == WaitEnding.CANCELLED
    make_due(world)
    assert await wake(world, goal_id) == 0
    assert world.provider.effects == []


async def test_retry_after_a_wait_does_not_wait_again(world: World) -> None:
    """A wait is over for good: a second try of its task runs at once."""
    goal_id = await waiting(world)
    make_due(world)
    world.provider.faults = ["busy"]
    await wake(world, goal_id)
    world.sql("UPDATE tasks SET not_before = NULL")
    await world.drive(goal_id)
    assert world.provider.effects == ["Acme"]


async def test_long_wait_is_told_once_in_its_thread(world: World) -> None:
    """After more than an hour the person is mentioned in the thread, once for all rows."""
    world.provider.put("One")
    world.provider.put("Two")
    row = add("t2", ref(EACH, "name"), for_each=ref("t1", "items"), wait=LATER)
    goal_id = await world.start(step("t1", "find_items"), row)
    make_due(world, waited="2 days")
    assert await wake(world, goal_id) == 2
    assert told(world) == 1
    wait_id = world.one("SELECT data->>'wait_id' FROM outbox WHERE noun = 'awaited'")
    async with world.database.transaction() as tx:
        card = await awaited_card(
            tx, TEAM, int(wait_id), cards=world.cards, registry=world.registry
        )
    text = str(build_awaited_blocks(card))
    assert text.count("<@") == text.count(f"<@{DANA}>") == 1
    assert "I go on with" in text


async def test_short_wait_is_not_told(world: World) -> None:
    """Who waits for minutes looks on; the card is enough."""
    goal_id = await waiting(world)
    make_due(world, waited="30 minutes")
    await wake(world, goal_id)
    assert told(world) == 0
