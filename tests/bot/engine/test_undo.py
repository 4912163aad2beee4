"""Undo: a gated call of its own that takes back exactly what was done, once."""

import asyncio

from bot.goals.clicks import Click
from storage.tables.goals import GoalKind, GoalStatus, TaskStatus
from tests.bot.engine.world import DANA, MO, TEAM, World, add, step

ME = Click(TEAM, DANA)


async def undo(world: World, goal_id: int) -> int:
    """Click Undo on the goal's first task and return the undo's goal."""
    task = (await world.tasks(goal_id))["t1"]
    assert (await world.undos.undo(ME, task.id)).ok
    undo_id = world.one("SELECT max(goal_id) FROM tasks WHERE undoes_task_id = %s", task.id)
    assert (await world.goal(undo_id)).kind is GoalKind.UNDO
    return int(undo_id)


async def test_undo_takes_back_what_was_made(world: World) -> None:
    """The requester's click is the ask; the step then counts as undone."""
    goal_id = await world.start(add("t1", "Deal"))
    undo_id = await undo(world, goal_id)
    await world.drive(undo_id)
    assert world.provider.effects == ["Deal", "remove Deal"]
    assert await world.statuses(goal_id) == {"t1": TaskStatus.UNDONE}
    assert (await world.goal(undo_id)).status is GoalStatus.DONE


async def test_undo_clicked_often_starts_once(world: World) -> None:
    """A second click changes nothing and is answered."""
    goal_id = await world.start(add("t1", "Deal"))
    task = (await world.tasks(goal_id))["t1"]
    answers = await asyncio.gather(*[world.undos.undo(ME, task.id) for _ in range(5)])
    assert [answer.ok for answer in answers].count(True) == 1


async def test_undo_over_somebodys_later_edit_is_refused(world: World) -> None:
    """What a person changed since stays as it is, and the requester reads so."""
    item = world.provider.put("Acme", size="1")
    goal_id = await world.start(step("t1", "change", item_id=item, size="5"))
    world.provider.items[item]["size"] = "9"
    undo_id = await undo(world, goal_id)
    await world.drive(undo_id)
    assert world.provider.items[item]["size"] == "9"
    tasks = await world.tasks(undo_id)
    assert (tasks["t1"].failure or {})["code"] == "changed"
    assert await world.statuses(goal_id) == {"t1": TaskStatus.SUCCEEDED}


async def test_failed_undo_may_be_tried_again(world: World) -> None:
    """An undo that did not happen does not use up the click."""
    goal_id = await world.start(add("t1", "Deal"))
    undo_id = await undo(world, goal_id)
    world.provider.faults = ["refused"]
    await world.drive(undo_id)
    world.provider.items["1"] = {"id": "1", "name": "Deal", "domain": None, "size": None}
    assert (await world.goal(undo_id)).status is GoalStatus.FAILED
    assert await undo(world, goal_id) != undo_id


async def test_undo_of_somebody_else_or_of_what_did_not_happen_is_refused(world: World) -> None:
    """Only the requester, and only of a step that succeeded (S13)."""
    goal_id = await world.start(add("t1", "Deal"))
    task = (await world.tasks(goal_id))["t1"]
    assert not (await world.undos.undo(Click(TEAM, MO), task.id)).ok
    open_goal = await world.plan(add("t1", "Other"))
    waiting = (await world.tasks(open_goal))["t1"]
    assert not (await world.undos.undo(ME, waiting.id)).ok


async def test_undo_whose_reply_was_lost_asks_and_then_marks_the_step(world: World) -> None:
    """A human who says that it happened settles both the undo and what it undid."""
    goal_id = await world.start(add("t1", "Deal"))
    undo_id = await undo(world, goal_id)
    world.provider.faults = ["lost"]
    await world.drive(undo_id)
    task = (await world.tasks(undo_id))["t1"]
    assert task.status is TaskStatus.UNKNOWN
    await world.unknowns.settle(ME, task.id, "happened")
    assert await world.statuses(goal_id) == {"t1": TaskStatus.UNDONE}


async def test_undo_that_notifies_guests_goes_through_policy(world: World) -> None:
    """Where somebody is notified, the requester's click is not enough."""
    item = world.provider.put("Acme", size="1")
    goal_id = await world.start(step("t1", "change", item_id=item, size="5"))
    world.sql(
        """UPDATE calls SET body = jsonb_set(body, '{arguments,guests}', '["j@acme.example"]')"""
    )
    undo_id = await undo(world, goal_id)
    await world.drive(undo_id)
    assert await world.statuses(undo_id) == {"t1": TaskStatus.NEEDS_APPROVAL}
    assert DANA not in (await world.asked(undo_id))[0][0].ask["people"]
