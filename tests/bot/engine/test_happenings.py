"""Tasks that wait for an event: hints cause looks, and only a look lets a task go on."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.engine.awaits import POLL_AT_LEAST_S, POLL_AT_MOST_S, poll_again_in_s
from bot.goals.clicks import Click
from bot.planning.plan import Ref, WaitEvent
from connectors.actions import ReadContext
from connectors.events import Changes, Stream
from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.engine.counting import CONNECTOR, ITEM_CHANGES, ITEM_GROWS
from tests.bot.engine.test_upgrades import upgrade
from tests.bot.engine.world import DANA, TEAM, World, add, step

WAITING, DONE, FAILED = TaskStatus.WAITING, TaskStatus.SUCCEEDED, TaskStatus.FAILED


def grows(size: str = "large", *, at_most: str = "P14D") -> WaitEvent:
    subject = Ref(task="t1", path=["items", 0, "id"])
    return WaitEvent(event="item_grows", subject=subject, value=size, at_most=at_most)


_POLL_OF_A_STRANGER = """
INSERT INTO polls (connection_id, stream, team_id, person_id, connector, next_at, is_hinted)
VALUES (999, 'x', %s, %s, 'gone', now(), false)
"""


async def _break(context: ReadContext, cursor: object) -> Changes:
    raise ZeroDivisionError


_TAKE_A_LOOK = """
DELETE FROM procrastinate_jobs WHERE id = (
    SELECT min(id) FROM procrastinate_jobs WHERE task_name = 'check_wait' AND status = 'todo'
) RETURNING (args->>'wait_id')::int
"""


async def look(world: World) -> int:
    """Run every queued look, and the drives that follow; return how many looks there were."""
    count = 0
    while (wait_id := world.one(_TAKE_A_LOOK)) is not None:
        await world.happenings.check_wait(TEAM, wait_id)
        count += 1
    for goal_id in set(world.jobs()):
        await world.drive(goal_id)
    world.forget_jobs()
    return count


async def poll(world: World) -> int:
    """Let every stream's turn come, poll, and look where there was a hint."""
    world.sql("UPDATE polls SET next_at = now()")
    await world.happenings.poll_due()
    return await look(world)


async def waiting(world: World, wait: WaitEvent | None = None) -> tuple[int, str]:
    """Return a goal that waits until the item has grown, and the item's id."""
    item_id = world.provider.put("Acme", size="small")
    goal_id = await world.start(step("t1", "find_items"), add("t2", "B", wait=wait or grows()))
    assert (await world.statuses(goal_id))["t2"] is WAITING
    assert await look(world) == 1
    assert (await world.goal(goal_id)).status is GoalStatus.WAITING
    return goal_id, item_id


async def status(world: World, goal_id: int) -> TaskStatus:
    return (await world.statuses(goal_id))["t2"]


async def test_what_happened_already_is_not_waited_for(world: World) -> None:
    """The first look comes at once: an item that is large already needs no hint."""
    world.provider.put("Acme", size="large")
    goal_id = await world.start(step("t1", "find_items"), add("t2", "B", wait=grows()))
    await look(world)
    assert await status(world, goal_id) is DONE


async def test_polled_change_lets_the_task_go_on(world: World) -> None:
    """A poll hints, a look through the requester's connection sees, and the task runs once."""
    goal_id, item_id = await waiting(world)
    assert await poll(world) == 1  # There was no cursor yet.
    assert await poll(world) == 0
    world.provider.grow(item_id, "medium")
    assert await poll(world) == 1
    assert await status(world, goal_id) is WAITING
    world.provider.grow(item_id, "large")
    assert await poll(world) == 1
    assert await status(world, goal_id) is DONE
    assert world.provider.effects == ["B"]


async def test_what_happened_before_the_first_poll_is_seen(world: World) -> None:
    """Between a wait's first look and its stream's first cursor nobody counts what changes."""
    goal_id, item_id = await waiting(world)
    world.provider.grow(item_id, "large")
    assert await poll(world) == 1
    assert await status(world, goal_id) is DONE


async def test_hint_without_effect_moves_nothing(world: World) -> None:
    """A hint that something changed, where nothing did, costs one read."""  # S32
    goal_id, item_id = await waiting(world)
    await poll(world)
    world.provider.changed.append(item_id)
    assert await poll(world) == 1
    assert await status(world, goal_id) is WAITING
    assert world.provider.effects == []


async def test_stream_is_shared_by_all_waits_of_a_connection(world: World) -> None:
    """Many goals wait for one person's items: one poll tells them all."""
    goals = [(await waiting(world))[0] for _ in range(4)]
    before = world.provider.polls
    await poll(world)
    assert world.provider.polls == before + 1
    assert len(goals) == world.one("SELECT count(*) FROM waits WHERE ended_at IS NULL")
    assert world.one("SELECT count(*) FROM polls") == 1


async def test_three_replicas_poll_a_stream_once(world: World) -> None:
    """A stream is claimed by one replica; the others skip it."""
    await waiting(world)
    world.sql("UPDATE polls SET next_at = now()")
    before = world.provider.polls
    polled = await asyncio.gather(*(world.happenings.poll_due() for _ in range(3)))
    assert sum(polled) == 1
    assert world.provider.polls == before + 1


async def test_expired_cursor_looks_at_everything(world: World) -> None:
    """Where the provider has forgotten the cursor every wait is looked at, and none is lost."""
    goal_id, item_id = await waiting(world)
    await poll(world)
    world.provider.items[item_id]["size"] = "large"
    world.provider.forgets = True
    assert await poll(world) == 1
    assert await status(world, goal_id) is DONE


async def test_stream_that_was_removed_ends_its_waits_and_no_other_poll(world: World) -> None:
    """What an upgrade removed is said once and polled no more; others keep their turn."""
    goal_id, _ = await waiting(world)
    upgrade(world, replace(CONNECTOR, events=(), streams=()))
    world.sql(_POLL_OF_A_STRANGER, TEAM, DANA)
    await poll(world)
    assert (await world.tasks(goal_id))["t2"].failure == {
        "code": "removed",
        "message": "I cannot wait for this any more since I was upgraded. Please ask again.",
    }
    assert world.one("SELECT count(*) FROM polls") == 0
    assert world.one("SELECT count(*) FROM waits WHERE ended_at IS NULL") == 0


async def test_poll_that_breaks_keeps_no_other_from_its_turn(world: World) -> None:
    """A defect in one connector's poll is that stream's alone, and it comes later next time."""
    broken = Stream(name="broken", scopes=ITEM_CHANGES.scopes, poll=_break)
    other = replace(ITEM_GROWS, name="item_breaks", stream="broken")
    events, streams = (ITEM_GROWS, other), (ITEM_CHANGES, broken)
    upgrade(world, replace(CONNECTOR, events=events, streams=streams))
    goal_id, item_id = await waiting(world)
    broken_id, _ = await waiting(world, grows().model_copy(update={"event": "item_breaks"}))
    world.provider.grow(item_id, "large")
    world.sql("UPDATE polls SET next_at = now()")
    world.sql("UPDATE polls SET next_at = now() - interval '1 day' WHERE stream = 'broken'")
    await world.happenings.poll_due()
    await look(world)
    assert await status(world, goal_id) is DONE
    assert await status(world, broken_id) is WAITING
    assert world.one(
        "SELECT count(*) FROM polls WHERE stream = 'broken' AND next_at > now() AND "
        "claimed_until IS NULL"
    )


async def test_event_that_moved_to_another_stream_is_waited_for_there(world: World) -> None:
    """An upgrade that renames a stream ends no wait."""
    goal_id, item_id = await waiting(world)
    moved = replace(ITEM_GROWS, stream="moved"), replace(ITEM_CHANGES, name="moved")
    upgrade(world, replace(CONNECTOR, events=moved[:1], streams=moved[1:]))
    await poll(world)
    world.provider.grow(item_id, "large")
    await poll(world)
    assert await status(world, goal_id) is DONE
    assert world.one("SELECT min(stream) FROM polls") in ("moved", None)


async def test_stream_that_only_a_newer_version_knows_is_left_to_it(world: World) -> None:
    """In a rolling deploy the old version neither gives such a wait up nor stops its poll."""
    upgrade(world, replace(CONNECTOR, events=(), streams=()))
    old = world.happenings
    upgrade(world, CONNECTOR)
    goal_id, item_id = await waiting(world)
    world.provider.grow(item_id, "large")
    world.sql("UPDATE polls SET next_at = now()")
    await old.poll_due()
    await old.check_wait(TEAM, world.one("SELECT id FROM waits"))
    assert await status(world, goal_id) is WAITING
    await poll(world)
    assert await status(world, goal_id) is DONE


async def test_nobody_waiting_ends_the_poll(world: World) -> None:
    """Cancelled while waiting: the wait is removed, and its stream is polled no more."""
    goal_id, item_id = await waiting(world)
    await world.goals.cancel(Click(TEAM, DANA), goal_id)
    before = world.provider.polls
    world.provider.grow(item_id, "large")
    assert await poll(world) == 0
    assert world.one("SELECT count(*) FROM polls") == 0
    assert world.provider.polls == before
    assert world.provider.effects == []


async def test_wait_in_vain_ends_and_tells_its_requester(world: World) -> None:
    """At its end one last look decides; then the step fails with a sentence, told in the thread."""
    goal_id, _ = await waiting(world)
    world.sql("UPDATE waits SET due_at = now() - interval '1 second'")
    await world.wakes.wake_due()
    assert await look(world) == 1
    task = (await world.tasks(goal_id))["t2"]
    assert task.status is FAILED
    assert (task.failure or {})["message"] == (
        "I waited 14 days until the item is large; it did not happen."
    )
    assert world.one("SELECT count(*) FROM outbox WHERE noun = 'awaited'") == 1


async def test_last_look_may_still_see_it(world: World) -> None:
    """What happened without any hint is seen at the end at the latest."""
    goal_id, item_id = await waiting(world)
    world.provider.items[item_id]["size"] = "large"
    world.sql("UPDATE waits SET due_at = now() - interval '1 second'")
    await world.wakes.wake_due()
    await look(world)
    assert await status(world, goal_id) is DONE


async def test_provider_that_is_down_ends_no_wait(world: World) -> None:
    """A look that gets no answer proves nothing, even at the end; a day later it is given up."""
    goal_id, _ = await waiting(world)
    world.sql("UPDATE waits SET due_at = now() - interval '1 second'")
    for expected in (WAITING, FAILED):
        world.provider.faults = ["read_down"] * 3
        world.sql("UPDATE waits SET claimed_until = NULL")
        await world.wakes.wake_due()
        await look(world)
        assert await status(world, goal_id) is expected
        world.sql("UPDATE waits SET due_at = now() - interval '25 hours' WHERE ended_at IS NULL")


async def test_look_that_got_no_answer_is_owed(world: World) -> None:
    """What the provider could not answer is asked again, though nothing hints at it any more."""
    goal_id, item_id = await waiting(world)
    await poll(world)
    world.provider.grow(item_id, "large")
    world.sql("UPDATE polls SET next_at = now()")
    await world.happenings.poll_due()
    world.provider.faults = ["read_down"]
    await look(world)
    assert await status(world, goal_id) is WAITING
    assert await poll(world) == 1
    assert await status(world, goal_id) is DONE


async def test_lost_first_look_is_made_up_for(world: World) -> None:
    """Every job may be lost: what had happened before the wait began is seen at the next poll."""
    world.provider.put("Acme", size="large")
    goal_id = await world.start(step("t1", "find_items"), add("t2", "B", wait=grows()))
    world.sql("DELETE FROM procrastinate_jobs")
    assert await poll(world) == 1
    assert await status(world, goal_id) is DONE


async def test_hint_during_a_look_is_owed_another(world: World) -> None:
    """A look clears what it was asked for, never what was hinted at since it began."""
    await waiting(world)
    async with world.database.transaction() as tx:
        (before,) = await tx.waits.list_awaiting(TEAM, "counting", subjects=None)
        assert before.hinted_at is None
        await tx.waits.owe_look(before)
    async with world.database.transaction() as tx:
        await tx.waits.remember(before, cursor={"size": "small"})
    assert await poll(world) == 1
    assert world.one("SELECT hinted_at FROM waits WHERE ended_at IS NULL") is None


async def test_record_that_is_gone_fails_the_wait(world: World) -> None:
    """What does not exist any more cannot happen to; the step says so."""
    goal_id, item_id = await waiting(world)
    del world.provider.items[item_id]
    world.provider.changed.append(item_id)
    world.sql("UPDATE polls SET cursor = '{\"next\": 0}'")
    await poll(world)
    assert await status(world, goal_id) is FAILED


async def test_lost_connection_is_asked_for_and_the_wait_goes_on(world: World) -> None:
    """Without a connection nobody can look: its owner is asked, and the old deadline stays."""
    goal_id, item_id = await waiting(world)
    due_at = world.one("SELECT due_at FROM waits")
    world.sql("UPDATE connections SET status = 'reconnect'")
    await poll(world)
    assert await status(world, goal_id) is TaskStatus.NEEDS_CONNECTION
    await world.connect()
    world.sql("UPDATE tasks SET status = 'ready' WHERE status = 'needs_connection'")
    await world.drive(goal_id)
    assert await status(world, goal_id) is WAITING
    assert world.one("SELECT due_at FROM waits WHERE ended_at IS NULL") == due_at
    world.provider.items[item_id]["size"] = "large"
    await look(world)
    assert await status(world, goal_id) is DONE


async def test_long_awaited_event_is_told_once(world: World) -> None:
    """After more than an hour the person is told in the goal's thread, whatever came in between."""
    goal_id, item_id = await waiting(world)
    world.sql("UPDATE waits SET started_at = now() - interval '3 days'")
    world.provider.grow(item_id, "large")
    world.sql("UPDATE polls SET cursor = '{\"next\": 0}'")
    await poll(world)
    await poll(world)
    assert await status(world, goal_id) is DONE
    assert world.one("SELECT count(*) FROM outbox WHERE noun = 'awaited'") == 1


@given(sizes=st.lists(st.sampled_from(["small", "medium", "Large", "", "huge"]), max_size=6))
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_no_hint_ever_moves_what_did_not_happen(world: World, sizes: list[str]) -> None:
    """However many hints come, and whatever changes, only what was waited for lets it go on."""
    world.provider.reset()  # S4
    goal_id, item_id = await waiting(world)
    for size in sizes:
        world.provider.items[item_id]["size"] = size
        world.sql("UPDATE polls SET cursor = '{\"next\": 0}'")
        world.provider.changed.extend([item_id, "999", "'; DROP TABLE waits"])
        assert await poll(world) == 1
    assert await status(world, goal_id) is WAITING
    await world.goals.cancel(Click(TEAM, DANA), goal_id)


@pytest.mark.parametrize(
    ("age_s", "pause_s"),
    [(0, POLL_AT_LEAST_S), (1800, 180), (86_400, POLL_AT_MOST_S)],
    ids=["new", "half-an-hour", "a-day"],
)
def test_pause_between_polls_grows_with_age(age_s: float, pause_s: float) -> None:
    """A tenth of how long somebody has waited, within bounds."""
    assert poll_again_in_s(age_s) == pause_s
