"""Failures that pass, failures that do not, and doubt about what happened."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.engine.progress import Timing
from bot.goals.clicks import Answer, Click
from storage.tables.approvals import Verdict
from storage.tables.calls import AttemptStatus
from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.engine.world import ADA, ASK_MO, DANA, LONG, MO, TEAM, World, add, step


async def settle(world: World, goal_id: int) -> None:
    """Drive as often as a task may be tried, as the sweeper would when its time has come."""
    for _ in range(LONG.max_tries + 1):
        world.sql("UPDATE tasks SET not_before = NULL")
        await world.drive(goal_id)


@pytest.mark.parametrize("kind", ["keyed", "verifiable", "unsafe"])
async def test_busy_provider_is_tried_again(world: World, kind: str) -> None:
    """A 429 says that nothing happened, so every kind of write is tried again."""
    goal_id = await world.plan(add("t1", "Report", kind=kind, is_own=True))
    world.provider.faults = ["busy"]
    await settle(world, goal_id)
    assert world.provider.effects == ["Report"]
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


async def test_busy_provider_is_not_tried_for_ever(world: World) -> None:
    """Retries end after `max_tries`, in a sentence for the person."""
    goal_id = await world.plan(add("t1", "Report", is_own=True))
    world.provider.faults = ["busy"] * 10
    await settle(world, goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.FAILED}
    assert len(await world.attempts(goal_id)) == LONG.max_tries
    assert (await world.goal(goal_id)).status is GoalStatus.FAILED


async def test_read_that_fails_while_freezing_is_tried_again(world: World) -> None:
    """A precondition that cannot be read now is read later; nothing is sent meanwhile."""
    item = world.provider.put("Acme", size="1")
    goal_id = await world.start(step("t1", "change", item_id=item, size="2"))
    assert world.provider.effects == ["change Acme"]
    item = world.provider.put("Ajax", size="1")
    goal_id = await world.plan(step("t1", "change", item_id=item, size="2"))
    await world.drive(goal_id)
    await world.plans.run(Click(TEAM, DANA), goal_id, 1)
    world.provider.faults = ["read_down"]
    await settle(world, goal_id)
    assert world.provider.effects == ["change Acme", "change Ajax"]


async def test_retry_waits_at_least_as_long_as_the_provider_asks(world: World) -> None:
    """`not_before` keeps a task from any drive until its time has come."""
    world.timing = Timing(lease_s=30, call_timeout_s=20, retry_base_s=3600.0, max_tries=3)
    world.wire()
    goal_id = await world.plan(add("t1", "Report", is_own=True))
    world.provider.faults = ["down"]
    await world.drive(goal_id)
    tasks = await world.tasks(goal_id)
    assert tasks["t1"].not_before is not None
    assert tasks["t1"].not_before < datetime.now(UTC) + timedelta(hours=1)
    world.sql("UPDATE tasks SET not_before = now() + interval '1 hour'")
    await world.drive(goal_id)
    assert world.provider.effects == []
    world.forget_jobs()
    await world.sweeper.sweep()
    assert world.jobs() == []
    world.sql("UPDATE tasks SET not_before = now()")
    await world.sweeper.sweep()
    assert world.jobs() == [goal_id]


async def test_refused_call_ends_with_the_reason_and_is_not_repeated(world: World) -> None:
    """What the provider refuses for what it says cannot be helped by repeating."""
    goal_id = await world.plan(add("t1", "Report", is_own=True), add("t2", "Other", is_own=True))
    world.provider.faults = ["refused"]
    await settle(world, goal_id)
    statuses = await world.statuses(goal_id)
    assert sorted(statuses.values()) == [TaskStatus.FAILED, TaskStatus.SUCCEEDED]
    goal = await world.goal(goal_id)
    assert goal.status is GoalStatus.PARTLY_DONE
    assert goal.reason == "The provider refuses this name; choose another."


async def test_lost_reply_of_a_keyed_write_is_repeated_under_its_key(world: World) -> None:
    """The provider deduplicates: one effect, whatever became of the first reply."""
    goal_id = await world.plan(add("t1", "Report", is_own=True))
    world.provider.faults = ["lost"]
    await settle(world, goal_id)
    assert world.provider.effects == ["Report"]
    assert len(world.provider.keys) == 2
    assert len(set(world.provider.keys)) == 1


async def test_call_in_doubt_keeps_its_key_although_its_precondition_changed(
    world: World,
) -> None:
    """It is repeated as it is: frozen anew it would have another key, and a second effect."""
    parent = world.provider.put("Acme")
    goal_id = await world.plan(add("t1", "Report", is_own=True, parent_id=parent))
    world.provider.faults = ["lost"]
    world.timing = Timing(lease_s=30, call_timeout_s=20, retry_base_s=3600.0, max_tries=3)
    world.wire()
    await world.drive(goal_id)
    world.provider.items[parent]["name"] = "Acme Inc"
    await settle(world, goal_id)
    assert world.provider.effects == ["Report"]
    assert len(set(world.provider.keys)) == 1
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


async def test_call_in_doubt_that_was_approved_is_repeated_without_asking(world: World) -> None:
    """The decision covers this very call, and it is still this very call."""
    world.policy = ASK_MO
    world.wire()
    parent = world.provider.put("Acme")
    goal_id = await world.start(add("t1", "Invite", parent_id=parent, guests=["j@acme.example"]))
    await world.desk.decide(Click(TEAM, MO), await world.item(goal_id), Verdict.APPROVE, None)
    world.provider.lost_names = {"Invite"}
    await world.drive(goal_id)
    world.provider.items[parent]["name"] = "Acme Inc"
    world.provider.lost_names = set()
    await settle(world, goal_id)
    assert len(await world.asked(goal_id)) == 1
    assert world.provider.effects == ["Invite"]
    assert len(set(world.provider.keys)) == 1


async def test_doubt_that_cannot_be_cleared_ends_with_a_human(world: World) -> None:
    """Nobody says "nothing was done" of a call whose first reply was lost."""
    goal_id = await world.plan(add("t1", "Report", is_own=True))
    world.provider.faults = ["lost", "busy", "busy", "busy", "busy"]
    await settle(world, goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.UNKNOWN}
    assert (await world.attempts(goal_id))[-1].status is AttemptStatus.UNKNOWN


async def test_human_who_says_it_did_not_happen_clears_the_doubt(world: World) -> None:
    """After "run it again" the call is frozen anew, as it stands now."""
    goal_id = await world.plan(add("t1", "Report", is_own=True))
    world.provider.faults = ["lost", "busy", "busy"]
    await settle(world, goal_id)
    task = (await world.tasks(goal_id))["t1"]
    world.provider.faults = []
    await world.unknowns.settle(Click(TEAM, DANA), task.id, "run_again")
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.DONE
    assert world.provider.effects == ["Report"]


async def test_tampered_call_in_doubt_is_not_repeated(world: World) -> None:
    """A stored call whose content no longer has its hash is refused (S10); a human looks."""
    goal_id = await world.plan(add("t1", "Report", is_own=True))
    world.provider.faults = ["down"]
    world.timing = Timing(lease_s=30, call_timeout_s=20, retry_base_s=3600.0, max_tries=3)
    world.wire()
    await world.drive(goal_id)
    world.sql("""UPDATE calls SET body = jsonb_set(body, '{arguments,name}', '"Evil"')""")
    await settle(world, goal_id)
    assert world.provider.effects == []
    assert (await world.tasks(goal_id))["t1"].status is TaskStatus.UNKNOWN


@pytest.mark.parametrize(
    ("fault", "kind", "status"),
    [
        ("ok", "keyed", TaskStatus.SUCCEEDED),
        ("busy", "keyed", TaskStatus.CANCELLED),
        ("refused", "keyed", TaskStatus.FAILED),
        ("lost", "keyed", TaskStatus.UNKNOWN),
        ("lost", "unsafe", TaskStatus.UNKNOWN),
        ("unauthorized", "keyed", TaskStatus.CANCELLED),
    ],
)
async def test_call_that_runs_when_its_goal_is_cancelled_keeps_its_outcome(
    world: World, fault: str, kind: str, status: TaskStatus
) -> None:
    """What runs finishes and is told; what would be tried again is dropped."""
    goal_id = await world.plan(
        add("t1", "Report", kind=kind, is_own=True),
        add("t2", "Next", is_own=True, after=("t1",)),
    )
    world.provider.held.clear()
    world.provider.arrived.clear()
    driving = asyncio.create_task(world.drive(goal_id))
    await asyncio.to_thread(world.provider.arrived.wait, 5)
    await world.goals.cancel(Click(TEAM, DANA), goal_id)
    world.provider.faults = [fault] * (1 + (fault == "unauthorized"))
    world.provider.held.set()
    await driving
    assert await world.statuses(goal_id) == {"t1": status, "t2": TaskStatus.CANCELLED}
    assert (await world.goal(goal_id)).status is GoalStatus.CANCELLED


async def test_lost_connection_pauses_and_a_new_one_resumes(world: World) -> None:
    """A call without a connection waits for its person, and then runs by itself, once."""
    goal_id = await world.plan(add("t1", "Report", is_own=True))
    world.provider.faults = ["unauthorized", "unauthorized"]
    await world.drive(goal_id)
    tasks = await world.tasks(goal_id)
    assert tasks["t1"].status is TaskStatus.NEEDS_CONNECTION
    assert (await world.goal(goal_id)).status is GoalStatus.WAITING
    world.provider.faults = []
    await world.connect()
    world.forget_jobs()
    await world.connections.sweep()
    assert world.jobs() == [goal_id]
    await world.drive(goal_id)
    assert world.provider.effects == ["Report"]


async def test_missing_scope_is_asked_for_with_only_what_the_call_needs(world: World) -> None:
    """Scopes are per call: inviting needs one more than adding (S27)."""
    await world.connect(scopes=("read", "write"))
    goal_id = await world.start(add("t1", "Deal"), add("t2", "Invitation", guests=["j@a.example"]))
    tasks = await world.tasks(goal_id)
    assert tasks["t1"].status is TaskStatus.SUCCEEDED
    assert tasks["t2"].status is TaskStatus.NEEDS_CONNECTION
    assert (tasks["t2"].failure or {})["scopes"] == ["mail"]


async def test_call_in_doubt_that_is_asked_again_cannot_be_edited(world: World) -> None:
    """An edit would make another key beside a call that may have happened."""
    world.policy = ASK_MO
    world.timing = Timing(lease_s=30, call_timeout_s=20, retry_base_s=3600.0, max_tries=3)
    world.wire()
    goal_id = await world.start(add("t1", "Invite", guests=["j@acme.example"]))
    await world.desk.decide(Click(TEAM, MO), await world.item(goal_id), Verdict.APPROVE, None)
    world.provider.faults = ["lost"]
    await world.drive(goal_id)
    world.policy = ASK_MO.replace("U-MO", "U-ADA")
    world.wire()
    world.sql("UPDATE tasks SET not_before = NULL")
    await world.drive(goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.NEEDS_APPROVAL}
    item = await world.item(goal_id)
    edited = await world.desk.edit(Click(TEAM, ADA), item, {"name": "Other"})
    assert isinstance(edited, Answer)
    assert not edited.ok
    assert (await world.desk.decide(Click(TEAM, ADA), item, Verdict.APPROVE, None)).ok
    await world.drive(goal_id)
    assert world.provider.effects == ["Invite"]
    assert len(set(world.provider.keys)) == 1
