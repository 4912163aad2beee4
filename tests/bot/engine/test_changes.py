"""Changes of mind: words in the thread make the next version of a plan that is under way."""

from datetime import datetime, timedelta

from bot.engine.cards import PlanForm
from bot.goals.clicks import Click
from bot.planning.plan import WaitUntil
from storage.tables.approvals import ApprovalStatus
from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.engine.threads import said
from tests.bot.engine.world import ASK_MO, DANA, MO, TEAM, World, add

ME = Click(TEAM, DANA)
GUESTS = ["j@acme.example"]


async def waiting(world: World) -> int:
    """Return a goal whose first step is done and whose two others wait for Mo."""
    world.policy = ASK_MO
    world.wire()
    goal_id = await world.start(
        add("t1", "Company", is_own=True),
        add("t2", "Kickoff", guests=GUESTS, size="5", after=("t1",)),
        add("t3", "Report", guests=GUESTS, size="7", after=("t1",)),
    )
    assert await world.statuses(goal_id) == {
        "t1": TaskStatus.SUCCEEDED,
        "t2": TaskStatus.NEEDS_APPROVAL,
        "t3": TaskStatus.NEEDS_APPROVAL,
    }
    return goal_id


async def answers(world: World) -> list[str]:
    """Return what was answered in the thread, oldest first."""
    rows = world.one("SELECT array_agg(data->>'text' ORDER BY id) FROM outbox WHERE noun = 'note'")
    return list(rows or [])


async def asked(world: World, goal_id: int) -> dict[str, ApprovalStatus]:
    """Return how the approvals of the steps stand, the newest of each."""
    keys = {task.id: key for key, task in (await world.tasks(goal_id)).items()}
    return {keys[item.task_id]: item.status for _, item in await world.asked(goal_id)}


async def test_dropped_step_goes_and_the_other_approval_survives(world: World) -> None:
    """What is finished stays, the approver of the dropped call is told, the rest waits on."""
    goal_id = await waiting(world)
    await world.goals.receive(said("drop the kickoff"))
    await world.drive(goal_id)
    assert await world.statuses(goal_id) == {
        "t1": TaskStatus.SUCCEEDED,
        "t2": TaskStatus.CANCELLED,
        "t3": TaskStatus.NEEDS_APPROVAL,
    }
    assert await asked(world, goal_id) == {
        "t2": ApprovalStatus.WITHDRAWN,
        "t3": ApprovalStatus.PENDING,
    }
    withdrawn = next(item for _, item in await world.asked(goal_id) if item.status_reason)
    assert withdrawn.status_reason == "Dana Reyes changed the plan"
    assert (await world.goal(goal_id)).status is GoalStatus.WAITING
    [told] = await answers(world)
    assert told.startswith("Left out: Add “Kickoff”.")
    assert world.one("SELECT count(*) FROM goals") == 1


async def test_changed_value_is_asked_about_anew_with_its_source(world: World) -> None:
    """The old call's approval is withdrawn; the new value is the person's own word (S3)."""
    goal_id = await waiting(world)
    await world.goals.receive(said("change the size of the kickoff to 9"))
    await world.drive(goal_id)
    task = (await world.tasks(goal_id))["t2"]
    assert task.spec["arguments"]["size"] == "9"
    assert task.spec["labels"]["/size"]["label"] == "message"
    assert "typed by Dana Reyes in the thread" in str(task.spec["labels"]["/size"])
    assert (await asked(world, goal_id))["t3"] is ApprovalStatus.PENDING
    goal = await world.goal(goal_id)
    if goal.status is GoalStatus.PROPOSED:
        await world.plans.run(ME, goal_id, goal.plan_version)
        await world.drive(goal_id)
    assert (await asked(world, goal_id))["t2"] is ApprovalStatus.PENDING
    assert world.provider.effects == ["Company"]


async def test_message_of_no_such_form_is_a_new_goal(world: World) -> None:
    """Without a model only the exact forms are about the goal of the thread."""
    await waiting(world)
    await world.goals.receive(said("Find the deals of Acme"))
    assert await answers(world) == []
    assert world.one("SELECT text FROM goals ORDER BY id DESC LIMIT 1") == "Find the deals of Acme"


async def test_word_of_somebody_else_changes_nothing(world: World) -> None:
    """Only the requester changes a goal (S13)."""
    goal_id = await waiting(world)
    await world.goals.receive(said("drop the kickoff", person_id=MO))
    assert (await world.goal(goal_id)).plan_version == 1


async def test_change_of_a_proposed_plan_is_shown_and_not_run(world: World) -> None:
    """The card has the next version; nothing happens before Run."""
    goal_id = await world.plan(add("t1", "Deal"), add("t2", "Note"))
    await world.drive(goal_id)
    await world.goals.receive(said("drop the note"))
    goal = await world.goal(goal_id)
    assert (goal.status, goal.plan_version) == (GoalStatus.PROPOSED, 2)
    assert set(await world.tasks(goal_id)) == {"t1"}
    assert (await world.plans.run(ME, goal_id, 2)).ok
    await world.drive(goal_id)
    assert world.provider.effects == ["Deal"]


async def test_change_during_a_pause_is_judged_at_the_resume(world: World) -> None:
    """It stays paused; then the changed call is asked about and the unchanged one waits on."""
    goal_id = await waiting(world)
    await world.pauses.pause(ME, goal_id)
    await world.goals.receive(said("change the size of the kickoff to 9"))
    assert (await world.goal(goal_id)).status is GoalStatus.PAUSED
    await world.pauses.resume(ME, goal_id)
    await world.drive(goal_id)
    goal = await world.goal(goal_id)
    if goal.status is GoalStatus.PROPOSED:
        await world.plans.run(ME, goal_id, goal.plan_version)
        await world.drive(goal_id)
    assert await asked(world, goal_id) == {
        "t2": ApprovalStatus.PENDING,
        "t3": ApprovalStatus.PENDING,
    }


async def test_wait_moves_to_another_day(world: World) -> None:
    """“make it …” moves the instant that a step waits for; it waits for the new one."""
    wait = WaitUntil(until="2027-01-04", at=None)
    goal_id = await world.start(add("t1", "Deal", wait=wait))
    await world.goals.receive(said("make it 11 January 2027"))
    await world.drive(goal_id)
    goal = await world.goal(goal_id)
    if goal.status is GoalStatus.PROPOSED:
        await world.plans.run(ME, goal_id, goal.plan_version)
        await world.drive(goal_id)
    due = world.one("SELECT due_at FROM waits WHERE ended_at IS NULL")
    assert isinstance(due, datetime)
    assert due - datetime.fromisoformat("2027-01-11T09:00:00+01:00") == timedelta()
    assert world.one("SELECT count(*) FROM waits WHERE ended_at IS NULL") == 1


async def test_step_that_others_need_is_not_dropped_alone(world: World) -> None:
    """The answer names what builds on it; nothing changes."""
    world.policy = ASK_MO
    world.wire()
    goal_id = await world.start(
        add("t1", "Kickoff", guests=GUESTS), add("t2", "Report", after=("t1",))
    )
    await world.goals.receive(said("drop the kickoff"))
    [told] = await answers(world)
    assert told.startswith("I did not leave out “Add “Kickoff””: step 2 of the plan builds on it.")
    assert (await world.goal(goal_id)).plan_version == 1


async def test_edit_on_the_card_of_a_goal_that_has_begun_changes_what_is_open(
    world: World,
) -> None:
    """The form has the open steps alone; the edit does what the words do."""
    goal_id = await waiting(world)
    form = await world.plans.form(ME, goal_id, 1)
    assert isinstance(form, PlanForm)
    assert [step.key for step in form.steps] == ["t2", "t3"]
    answer = await world.plans.edit(ME, goal_id, 1, frozenset(), {"t1": {"name": "Other"}})
    assert isinstance(answer, tuple)
    done = await world.plans.edit(ME, goal_id, 1, frozenset({"t3"}), {"t2": {"size": "9"}})
    assert getattr(done, "ok", False), done
    await world.drive(goal_id)
    assert (await world.statuses(goal_id))["t3"] is TaskStatus.CANCELLED
    assert (await world.tasks(goal_id))["t2"].spec["arguments"]["size"] == "9"
    async with world.database.transaction() as tx:
        card = await world.cards.goal(tx, TEAM, goal_id)
    assert any("left out a step" in line for line in card.changes)


async def test_kill_after_a_change_loses_nothing(world: World) -> None:
    """The job is lost; the sweeper finds the goal, and it goes on with the new version."""
    goal_id = await waiting(world)
    await world.goals.receive(said("drop the kickoff"))
    world.forget_jobs()
    world.sql("UPDATE goals SET updated_at = now() - interval '1 hour'")
    await world.sweeper.sweep()
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.WAITING
    assert (await world.statuses(goal_id))["t2"] is TaskStatus.CANCELLED
