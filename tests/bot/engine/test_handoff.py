"""Defects of ours: they stay apart from everything else, and end with named people."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from bot.engine.cards import HandoffCard
from bot.goals.clicks import Click
from storage.tables.approvals import Verdict
from storage.tables.goals import GoalStatus, TaskStatus
from storage.tables.recovery import Handoff
from tests.bot.engine.counting import BUGGY, BUGGY_BEFORE
from tests.bot.engine.world import ADA, ASK_MO, DANA, LONG, MO, TEAM, World, add, step


async def handed_over(world: World, goal_id: int) -> list[tuple[HandoffCard, list[str]]]:
    """Return each hand-over of a goal with the people who got its card."""
    async with world.database.transaction() as tx:
        found = (await tx.session.scalars(select(Handoff).where(Handoff.goal_id == goal_id))).all()
        return [
            (
                await world.handoffs.card(tx, TEAM, item.id),
                sorted(
                    card.channel_id
                    for card in await tx.outbox.list_for(TEAM, "handoff", str(item.id))
                ),
            )
            for item in found
        ]


async def settle(world: World, goal_id: int) -> None:
    for _ in range(LONG.max_tries + 1):
        world.die(goal_id)
        world.sql("UPDATE tasks SET not_before = NULL WHERE goal_id = %s", goal_id)
        await world.drive(goal_id)


async def test_defect_in_one_step_leaves_its_siblings_alone(world: World) -> None:
    """What runs beside it finishes; the person reads a sentence, admins get the reference."""
    goal_id = await world.start(
        step("t1", "find_items", query=BUGGY), add("t2", "Report"), add("t3", "Other")
    )
    assert await world.statuses(goal_id) == {
        "t1": TaskStatus.FAILED,
        "t2": TaskStatus.SUCCEEDED,
        "t3": TaskStatus.SUCCEEDED,
    }
    goal = await world.goal(goal_id)
    assert goal.status is GoalStatus.PARTLY_DONE
    assert goal.reason == "Something went wrong on my side."
    ((card, people),) = await handed_over(world, goal_id)
    assert people == sorted([ADA, DANA])
    assert (card.requester, card.asked, card.position) == ("Dana Reyes", "Do it", 1)
    assert not card.is_unknown
    assert len(card.reference) == 8


async def test_defect_while_freezing_sends_nothing(world: World) -> None:
    """Nothing was frozen, so nothing happened: it failed, and says so."""
    goal_id = await world.plan(add("t1", BUGGY_BEFORE, is_own=True), add("t2", "B", is_own=True))
    await world.drive(goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.FAILED, "t2": TaskStatus.SUCCEEDED}
    assert world.provider.effects == ["B"]
    ((card, _),) = await handed_over(world, goal_id)
    assert not card.is_unknown


@pytest.mark.parametrize("kind", ["keyed", "verifiable", "unsafe"])
async def test_defect_after_sending_is_unknown_and_never_failed(world: World, kind: str) -> None:
    """A write that may have been sent happened once at most, and a human looks."""
    goal_id = await world.plan(add("t1", BUGGY, kind=kind, is_own=True))
    await world.drive(goal_id)
    await settle(world, goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.UNKNOWN}
    assert world.provider.effects == [BUGGY]
    ((card, people),) = await handed_over(world, goal_id)
    assert card.is_unknown
    assert card.look_url == "https://counting.example"
    assert people == [ADA], "Dana has the card that asks what became of it"
    task = (await world.tasks(goal_id))["t1"]
    await world.unknowns.settle(Click(TEAM, DANA), task.id, "happened")
    ((card, _),) = await handed_over(world, goal_id)
    assert not card.is_unknown
    assert not card.is_failed


async def test_hand_over_is_settled_once_by_its_people(world: World) -> None:
    """Whoever looked says so; strangers cannot, and a second click changes nothing."""
    goal_id = await world.plan(step("t1", "find_items", query=BUGGY))
    await world.drive(goal_id)
    ((card, _),) = await handed_over(world, goal_id)
    assert not (await world.handoffs.close(Click(TEAM, MO), card.handoff_id)).ok
    assert (await world.handoffs.close(Click(TEAM, ADA), card.handoff_id)).ok
    assert not (await world.handoffs.close(Click(TEAM, DANA), card.handoff_id)).ok
    ((card, _),) = await handed_over(world, goal_id)
    assert card.settled_by == "Ada Park"


async def test_goal_that_cannot_be_driven_is_stopped_once(world: World) -> None:
    """It ends in a sentence, what may have been sent is unknown, and no sweep begins it anew."""
    world.provider.lost_names = {"Sent"}
    goal_id = await world.start(
        add("t1", "Sent", kind="unsafe", is_own=True),
        add("t2", "Never", after=("t1",)),
    )
    world.sql("UPDATE tasks SET status = 'running' WHERE goal_id = %s AND key = 't1'", goal_id)
    world.sql("UPDATE attempts SET status = 'running' WHERE goal_id = %s", goal_id)
    world.sql("UPDATE tasks SET lease_until = now() WHERE goal_id = %s AND key = 't1'", goal_id)
    world.die(goal_id)
    for _ in range(2):
        await world.handoffs.stop_goal(reference="abcd1234", team_id=TEAM, goal_id=goal_id)
    goal = await world.goal(goal_id)
    assert goal.status is GoalStatus.FAILED
    assert await world.statuses(goal_id) == {"t1": TaskStatus.UNKNOWN, "t2": TaskStatus.CANCELLED}
    ((card, people),) = await handed_over(world, goal_id)
    assert (card.position, card.reference) == (None, "abcd1234")
    assert people == sorted([ADA, DANA])
    world.forget_jobs()
    await world.sweeper.sweep()
    assert world.jobs() == []


async def test_goal_that_waits_for_its_requester_is_not_stopped(world: World) -> None:
    """A late stop drops nothing of a paused goal, which goes on when it is resumed."""
    world.policy = ASK_MO
    world.wire()
    goal_id = await world.start(add("t1", "Report", guests=["j@acme.example"]))
    dana = Click(TEAM, DANA)
    assert (await world.pauses.pause(dana, goal_id)).ok
    await world.handoffs.stop_goal(reference="abcd1234", team_id=TEAM, goal_id=goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.NEEDS_APPROVAL}
    assert (await world.pauses.resume(dana, goal_id)).ok
    item = await world.item(goal_id)
    assert (await world.desk.decide(Click(TEAM, MO), item, Verdict.APPROVE, None)).ok
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.DONE
    assert world.provider.effects == ["Report"]


async def test_goal_that_another_process_runs_keeps_that_call(world: World) -> None:
    """Stopping a goal says nothing about a call whose lease lives."""
    goal_id = await world.plan(add("t1", "Report", kind="unsafe", is_own=True))
    world.provider.lost_names = {"Report"}
    await world.drive(goal_id)
    world.sql("UPDATE tasks SET status = 'running' WHERE goal_id = %s", goal_id)
    world.sql(
        "UPDATE attempts SET status = 'running', lease_until = now() + interval '1 minute' "
        "WHERE goal_id = %s",
        goal_id,
    )
    await world.handoffs.stop_goal(reference="abcd1234", team_id=TEAM, goal_id=goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.RUNNING}


async def test_cancelling_a_call_in_doubt_says_so_and_asks(world: World) -> None:
    """A keyed write whose reply was lost may have happened: it is not "nothing was done"."""
    goal_id = await world.plan(add("t1", "Report", is_own=True))
    world.provider.faults = ["lost"]
    world.timing = replace(LONG, retry_base_s=600.0)
    world.wire()
    await world.drive(goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.READY}
    answer = await world.goals.cancel(Click(TEAM, DANA), goal_id)
    assert "do not know whether one step happened" in answer.text
    assert await world.statuses(goal_id) == {"t1": TaskStatus.UNKNOWN}
    task = (await world.tasks(goal_id))["t1"]
    assert (await world.unknowns.settle(Click(TEAM, DANA), task.id, "happened")).ok
    assert (await world.statuses(goal_id))["t1"] is TaskStatus.SUCCEEDED
