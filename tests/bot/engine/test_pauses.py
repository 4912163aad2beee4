"""Pause and resume: what runs finishes, nothing new starts, and a resume loses nothing."""

import asyncio

import pytest

from bot.engine.cards import GoalCard
from bot.goals.clicks import Answer, Click
from bot.planning.plan import WaitUntil
from bot.views import ids
from bot.views.goals import build_goal_blocks
from storage.tables.approvals import Verdict
from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.engine.threads import said
from tests.bot.engine.world import ASK_MO, DANA, MO, TEAM, World, add

ME = Click(TEAM, DANA)


async def started(world: World) -> int:
    """Return a goal that was run and of which nothing was driven since."""
    goal_id = await world.plan(add("t1", "Deal"), add("t2", "Note", after=("t1",)))
    await world.drive(goal_id)
    assert (await world.plans.run(ME, goal_id, 1)).ok
    return goal_id


async def card_of(world: World, goal_id: int) -> GoalCard:
    async with world.database.transaction() as tx:
        return await world.cards.goal(tx, TEAM, goal_id)


async def test_paused_goal_starts_nothing_and_runs_once_when_resumed(world: World) -> None:
    """A drive of a paused goal claims nothing; a resume wakes it, and each step runs once."""
    goal_id = await started(world)
    assert (await world.pauses.pause(ME, goal_id)).ok
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.PAUSED
    assert world.provider.effects == []
    world.forget_jobs()
    await world.sweeper.sweep()
    assert world.jobs() == []
    assert (await world.pauses.resume(ME, goal_id)).ok
    assert world.jobs() == [goal_id]
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.DONE
    assert world.provider.effects == ["Deal", "Note"]


async def test_what_runs_during_a_pause_finishes_and_nothing_follows(world: World) -> None:
    """The call that is under way ends and is kept; its follower waits for the resume."""
    goal_id = await started(world)
    world.provider.held.clear()
    driving = asyncio.create_task(world.drive(goal_id))
    await asyncio.to_thread(world.provider.arrived.wait, 5)
    assert (await world.pauses.pause(ME, goal_id)).ok
    world.provider.held.set()
    await driving
    assert await world.statuses(goal_id) == {"t1": TaskStatus.SUCCEEDED, "t2": TaskStatus.PENDING}
    await world.pauses.resume(ME, goal_id)
    await world.drive(goal_id)
    assert world.provider.effects == ["Deal", "Note"]


async def test_approval_given_during_a_pause_counts_after_it(world: World) -> None:
    """Approvals stay open and may be decided; the call runs when its requester resumes."""
    world.policy = ASK_MO
    world.wire()
    goal_id = await world.start(add("t1", "Report", guests=["j@acme.example"]))
    assert (await world.pauses.pause(ME, goal_id)).ok
    decided = await world.desk.decide(
        Click(TEAM, MO), await world.item(goal_id), Verdict.APPROVE, None
    )
    assert isinstance(decided, Answer)
    assert decided.ok
    await world.drive(goal_id)
    assert world.provider.effects == []
    await world.pauses.resume(ME, goal_id)
    await world.drive(goal_id)
    assert world.provider.effects == ["Report"]


async def test_wait_that_comes_due_during_a_pause_runs_after_it(world: World) -> None:
    """Its instant passes, nothing starts, the resume lets it go on, and its card says why late."""
    wait = WaitUntil(until="2027-01-04", at=None)
    goal_id = await world.start(add("t1", "Deal", wait=wait))
    assert await world.statuses(goal_id) == {"t1": TaskStatus.WAITING}
    assert (await world.pauses.pause(ME, goal_id)).ok
    world.sql("UPDATE waits SET due_at = now() - interval '2 hours'")
    assert await world.wakes.wake_due() == 1
    await world.drive(goal_id)
    (step,) = (await card_of(world, goal_id)).steps
    assert "it runs once you resume this" in (step.note or "")
    assert world.provider.effects == []
    assert (await world.goal(goal_id)).status is GoalStatus.PAUSED
    await world.pauses.resume(ME, goal_id)
    await world.drive(goal_id)
    assert world.provider.effects == ["Deal"]
    (step,) = (await card_of(world, goal_id)).steps
    assert "this was paused then" in (step.note or "")


async def test_twenty_clicks_pause_once(world: World) -> None:
    """They make one move and one audit row."""
    goal_id = await started(world)
    answers = await asyncio.gather(*(world.pauses.pause(ME, goal_id) for _ in range(20)))
    assert sum(answer.ok for answer in answers) == 1
    assert (await world.audit()).count("slack:goal:paused") == 1


@pytest.mark.parametrize("verb", ["pause", "resume"])
async def test_pause_by_somebody_else_changes_nothing(world: World, verb: str) -> None:
    """Only the requester pauses or resumes a goal (S13)."""
    goal_id = await started(world)
    before = (await world.goal(goal_id)).status
    assert not (await getattr(world.pauses, verb)(Click(TEAM, MO), goal_id)).ok
    assert (await world.goal(goal_id)).status is before


async def test_goal_that_does_not_run_is_neither_paused_nor_resumed(world: World) -> None:
    """The answer says why; nothing changes."""
    goal_id = await world.plan(add("t1", "Deal"))
    assert "Nothing of it runs yet" in (await world.pauses.pause(ME, goal_id)).text
    assert "not paused" in (await world.pauses.resume(ME, goal_id)).text
    await world.drive(goal_id)
    await world.goals.cancel(ME, goal_id)
    assert "over already" in (await world.pauses.pause(ME, goal_id)).text


async def test_words_in_the_thread_pause_and_resume(world: World) -> None:
    """“pause” and “go on” do what the buttons do, and start no new goal."""
    goal_id = await started(world)
    await world.goals.receive(said("pause"))
    assert (await world.goal(goal_id)).status is GoalStatus.PAUSED
    await world.goals.receive(said("Go on!", ts="9.1"))
    assert (await world.goal(goal_id)).status is GoalStatus.RUNNING
    assert world.one("SELECT count(*) FROM goals") == 1


async def test_card_offers_pause_while_it_runs_and_resume_while_it_is_paused(world: World) -> None:
    """One of the two, never both."""
    goal_id = await started(world)
    assert offered(await card_of(world, goal_id)) == [ids.GOAL_PAUSE]
    await world.pauses.pause(ME, goal_id)
    assert offered(await card_of(world, goal_id)) == [ids.GOAL_RESUME]


def offered(card: GoalCard) -> list[str]:
    shown = str(build_goal_blocks(card))
    return [name for name in (ids.GOAL_PAUSE, ids.GOAL_RESUME) if f"'{name}'" in shown]


async def test_pause_of_a_plan_that_waits_for_run_says_what_starts_it(world: World) -> None:
    """A changed plan rests until Run, also of a goal that had begun; the answer says so."""
    goal_id = await world.plan(add("t1", "Deal"))
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.PROPOSED
    answer = await world.pauses.pause(ME, goal_id)
    assert answer == Answer("It rests already, until you press Run on its card.", ok=False)
    assert (await world.goal(goal_id)).status is GoalStatus.PROPOSED
