"""Undo of a goal: everything that can be taken back, the last first; the rest with its reason."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from bot.builtins import BUILTINS
from bot.goals.clicks import Click
from bot.planning.valid import ValidTask
from bot.views.summaries import build_summary_blocks
from connectors.registry import DeclarationError, Registry, check_declaration
from storage.tables.goals import GoalKind, GoalStatus, TaskStatus
from tests.bot.engine.counting import CONNECTOR
from tests.bot.engine.world import ASK_MO, DANA, MO, TEAM, World, add, ref, step

ME = Click(TEAM, DANA)
UNDONE, SUCCEEDED = TaskStatus.UNDONE, TaskStatus.SUCCEEDED


def undos(world: World) -> list[int]:
    """Return the goals that take something back, oldest first."""
    return list(world.one("SELECT array_agg(id ORDER BY id) FROM goals WHERE kind = 'undo'") or [])


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 -- set in the provider's thread
        await asyncio.sleep(0.005)


async def undo_all(world: World, goal_id: int) -> int:
    """Click Undo all, and drive the undo; return its goal."""
    answer = await world.undos.undo_goal(ME, goal_id)
    assert answer.ok, answer
    (*_, undo_id) = undos(world)
    await world.drive(undo_id)
    return undo_id


async def said(world: World, goal_id: int) -> dict[str, str | None]:
    """Return each step's sentence on a goal's card with its problem."""
    async with world.database.transaction() as tx:
        card = await world.cards.goal(tx, TEAM, goal_id)
    return {item.sentence: item.problem for item in card.every_step}


def chain() -> tuple[ValidTask, ...]:
    return (
        add("t1", "One"),
        add("t2", "Two", parent_id=ref("t1", "id")),
        add("t3", "Three", parent_id=ref("t2", "id")),
    )


async def test_everything_is_undone_in_reverse_order(world: World) -> None:
    """What builds on something goes first: the provider sees the exact reverse."""
    goal_id = await world.start(*chain())
    undo_id = await undo_all(world, goal_id)
    assert world.provider.effects[3:] == ["remove Three", "remove Two", "remove One"]
    assert set((await world.statuses(goal_id)).values()) == {UNDONE}
    undo = await world.goal(undo_id)
    assert (undo.status, undo.kind) == (GoalStatus.DONE, GoalKind.UNDO)


async def test_two_changes_of_one_record_are_undone_in_reverse(world: World) -> None:
    """The later change goes first even where no reference says so: its guard knows its value."""
    item = world.provider.put("Acme", size="1")
    goal_id = await world.start(
        step("t1", "change", item_id=item, size="5"),
        step("t2", "change", item_id=item, size="9", after=("t1",)),
    )
    await undo_all(world, goal_id)
    assert world.provider.items[item]["size"] == "1"
    assert set((await world.statuses(goal_id)).values()) == {UNDONE}


async def test_one_undo_is_under_way_at_a_time(world: World) -> None:
    """Also what does not build on one another goes one after the other, the last first."""
    goal_id = await world.start(add("t1", "One"), add("t2", "Two"), add("t3", "Three"))
    world.sql("UPDATE tasks SET finished_at = now() + make_interval(secs => position)")
    world.provider.most_at_once = 0
    world.provider.held.clear()
    world.provider.arrived.clear()
    undoing = asyncio.create_task(undo_all(world, goal_id))
    await asyncio.to_thread(world.provider.arrived.wait, 10)
    await asyncio.sleep(0.2)
    world.provider.held.set()
    await undoing
    assert world.provider.most_at_once == 1
    assert world.provider.effects[3:] == ["remove Three", "remove Two", "remove One"]


async def test_undo_that_fails_stops_only_what_its_step_was_built_on(world: World) -> None:
    """A later edit keeps that step and what is below it; the rest is undone."""
    item = world.provider.put("Acme", size="1")
    goal_id = await world.start(
        add("t1", "Base"),
        step("t2", "change", item_id=item, size="5", after=("t1",)),
        add("t3", "Other"),
    )
    world.provider.items[item]["size"] = "7"
    undo_id = await undo_all(world, goal_id)
    assert world.provider.items[item]["size"] == "7"
    assert await world.statuses(goal_id) == {"t1": SUCCEEDED, "t2": SUCCEEDED, "t3": UNDONE}
    assert (await world.goal(undo_id)).status is GoalStatus.PARTLY_DONE
    problems = await said(world, undo_id)
    (kept,) = [said for said, problem in problems.items() if "Somebody" in str(problem)]
    assert kept == "Undo: Set the size to 5"
    assert "what builds on it was not undone" in str(problems["Not undone: Add “Base”"])


async def test_refused_by_the_provider_is_said_and_may_be_tried_again(world: World) -> None:
    """What the provider refuses stays, with its words; another click undoes the rest only."""
    goal_id = await world.start(add("t1", "One"), add("t2", "Two", after=("t1",)))
    world.provider.faults = ["refused"]
    undo_id = await undo_all(world, goal_id)
    assert "refuses" in str(await said(world, undo_id))
    assert (await world.goal(undo_id)).status is GoalStatus.FAILED
    world.provider.items["2"] = {"id": "2", "name": "Two", "domain": None, "size": None}
    await undo_all(world, goal_id)
    assert set((await world.statuses(goal_id)).values()) == {UNDONE}


@pytest.mark.parametrize("wrong", ["declared none", "too late", "unknown"])
async def test_what_has_no_undo_stays_with_what_it_was_built_on(world: World, wrong: str) -> None:
    """No undo, its window over, or an effect that nobody knows: it stays, and the card says so."""
    steps = (add("t1", "One"), add("t2", "Two", kind="unsafe", after=("t1",)), add("t3", "Free"))
    world.provider.lost_names = {"Two"} if wrong == "unknown" else set()
    goal_id = await world.start(*steps)
    if wrong == "unknown":
        assert (await world.goals.cancel(ME, goal_id)).ok
    else:
        declare(world, "add_unsafe", wrong)
    undo_id = await undo_all(world, goal_id)
    assert world.provider.effects[3:] == ["remove Free"]
    statuses = await world.statuses(goal_id)
    assert (statuses["t1"], statuses["t3"]) == (SUCCEEDED, UNDONE)
    problems: Mapping[str, str | None] = await said(world, undo_id)
    words = {
        "declared none": "cannot be taken back",
        "too late": "Too late: it can be undone for 60 minutes only",
        "unknown": "first say on its card whether it happened",
    }[wrong]
    assert words in str(problems["Not undone: Add “Two”"])
    assert problems["Not undone: Add “One”"]


def declare(world: World, name: str, wrong: str) -> None:
    """Let an action have no undo for what it did, or a window that has passed."""
    choices: dict[str, dict[str, Any]] = {
        "declared none": {"undo": lambda *_: None},
        "too late": {"undo_within_s": 3600.0},
    }
    changed = choices[wrong]
    actions = tuple(
        replace(action, **changed) if action.name == name else action
        for action in CONNECTOR.actions
    )
    world.registry = Registry((replace(CONNECTOR, actions=actions), BUILTINS))
    world.wire()
    world.sql("UPDATE tasks SET finished_at = finished_at - interval '2 hours'")


async def test_single_undo_past_its_window_is_refused_in_words(world: World) -> None:
    """Nothing offers it any more, and a click on an old card is told until when it could be."""
    goal_id = await world.start(add("t1", "One", kind="unsafe"))
    declare(world, "add_unsafe", "too late")
    async with world.database.transaction() as tx:
        card = await world.cards.goal(tx, TEAM, goal_id)
    assert not card.steps[0].can_undo
    answer = await world.undos.undo(ME, card.steps[0].task_id)
    assert "for 60 minutes only" in answer.text
    assert undos(world) == []


async def test_twenty_clicks_on_both_buttons_undo_once(world: World) -> None:
    """Whoever clicks how often, wherever: each effect is taken back once."""
    goal_id = await world.start(*chain())
    first = (await world.tasks(goal_id))["t3"].id
    clicks = [world.undos.undo_goal(ME, goal_id) for _ in range(10)]
    clicks += [world.undos.undo(ME, first) for _ in range(10)]
    answers = await asyncio.gather(*clicks)
    assert 1 <= [answer.ok for answer in answers].count(True) <= 2
    for undo_id in undos(world):
        await world.drive(undo_id)
    if SUCCEEDED in (await world.statuses(goal_id)).values():
        await undo_all(world, goal_id)
    assert sorted(world.provider.effects[3:]) == ["remove One", "remove Three", "remove Two"]


async def test_what_was_undone_singly_is_left_out(world: World) -> None:
    """Undo all takes back the rest only."""
    goal_id = await world.start(add("t1", "One"), add("t2", "Two", after=("t1",)))
    await world.undos.undo(ME, (await world.tasks(goal_id))["t2"].id)
    await world.drive(undos(world)[-1])
    undo_id = await undo_all(world, goal_id)
    assert world.provider.effects[2:] == ["remove Two", "remove One"]
    assert len(await world.tasks(undo_id)) == 1


async def test_cancelled_goal_undoes_what_ended_after_it(world: World) -> None:
    """What ran while the goal was cancelled, and then succeeded, is offered and undone too."""
    world.provider.held.clear()
    goal_id = await world.plan(add("t1", "One"), add("t2", "Two"), add("t3", "No", after=("t1",)))
    await world.drive(goal_id)
    assert (await world.plans.run(ME, goal_id, 1)).ok
    running = asyncio.create_task(world.drive(goal_id))
    await asyncio.to_thread(world.provider.arrived.wait, 10)
    await world.goals.cancel(ME, goal_id)
    world.provider.held.set()
    await running
    async with world.database.transaction() as tx:
        card = await world.cards.goal(tx, TEAM, goal_id)
    assert [item.key for item in card.undoable] == ["t1", "t2"]
    await undo_all(world, goal_id)
    statuses = await world.statuses(goal_id)
    assert statuses == {"t1": UNDONE, "t2": UNDONE, "t3": TaskStatus.CANCELLED}


async def test_rows_of_a_list_are_undone_with_their_step(world: World) -> None:
    """Each row is taken back, and then the list's step counts as undone."""
    for name in ("A", "B", "C"):
        world.provider.put(name)
    every = ref("t1", "items")
    rows = add("t2", ref("each", "name"), for_each=every)
    goal_id = await world.start(step("t1", "find_items"), rows)
    await undo_all(world, goal_id)
    assert sorted(world.provider.effects[3:]) == ["remove A", "remove B", "remove C"]
    statuses = await world.statuses(goal_id)
    assert [statuses[key] for key in statuses if key != "t1"] == [UNDONE] * 4


async def test_killed_between_two_undos_goes_on_and_repeats_nothing(world: World) -> None:
    """The sweeper finds the undo at rest; what was taken back is not taken back again."""
    item = world.provider.put("Acme", size="1")
    goal_id = await world.start(
        step("t1", "change", item_id=item, size="5"), add("t2", "Two", after=("t1",))
    )
    assert (await world.undos.undo_goal(ME, goal_id)).ok
    (undo_id,) = undos(world)
    world.provider.faults = ["ok", "lost"]
    driving = asyncio.create_task(world.drive(undo_id))
    await until(lambda: world.provider.effects[2:] == ["remove Two", "change Acme"])
    driving.cancel()
    await asyncio.gather(driving, return_exceptions=True)
    world.forget_jobs()
    world.die(undo_id)
    await world.sweeper.sweep()
    assert world.jobs() == [undo_id]
    await world.drive(undo_id)
    assert world.provider.effects[2:] == ["remove Two", "change Acme"]
    assert set((await world.statuses(goal_id)).values()) == {UNDONE}


async def test_undo_that_mails_somebody_is_put_to_the_approver(world: World) -> None:
    """The click is not enough where others are notified: policy asks as for any call."""  # S6
    world.policy = ASK_MO
    world.wire()
    item = world.provider.put("Acme", size="1")
    goal_id = await world.start(step("t1", "change", item_id=item, size="5"), add("t2", "Two"))
    world.sql(
        """UPDATE calls SET body = jsonb_set(body, '{arguments,guests}', '["j@acme.example"]')
        WHERE body->>'action' = 'counting.change'"""
    )
    undo_id = await undo_all(world, goal_id)
    asked = await world.asked(undo_id)
    assert [approval.ask["people"] for approval, _ in asked] == [[MO]]
    assert world.provider.items[item]["size"] == "5"


async def test_every_undo_has_its_permit_and_stands_in_the_audit_log(world: World) -> None:
    """The click, each call with its hash, and each step that it undid are recorded."""
    goal_id = await world.start(*chain())
    undo_id = await undo_all(world, goal_id)
    tags = await world.audit()
    assert tags.count("slack:goal:undo") == 1
    assert tags.count("slack:task:undone") == 3
    assert len(await world.attempts(undo_id)) == 3
    permits = "SELECT count(*) FROM permits JOIN calls ON calls.id = call_id WHERE goal_id = %s"
    assert world.one(permits, undo_id) == 3


@pytest.mark.parametrize("status", [GoalStatus.PROPOSED, GoalStatus.WAITING, GoalStatus.DONE])
async def test_goal_that_cannot_be_undone_says_why(world: World, status: GoalStatus) -> None:
    """One that goes on, one of somebody else, an undo itself: refused, and nothing starts."""
    goal_id = await world.start(add("t1", "One"), add("t2", "Two"))
    assert not (await world.undos.undo_goal(Click(TEAM, MO), goal_id)).ok  # S13
    if status is GoalStatus.DONE:
        goal_id = await undo_all(world, goal_id)
        assert "not undone" in (await world.undos.undo_goal(ME, goal_id)).text
    else:
        world.sql("UPDATE goals SET status = %s WHERE id = %s", status.value, goal_id)
        assert "Cancel it first" in (await world.undos.undo_goal(ME, goal_id)).text
        assert undos(world) == []


async def test_summary_of_an_undo_lists_what_was_and_was_not_undone(world: World) -> None:
    """One message says what was taken back, and what not and why."""
    goal_id = await world.start(add("t1", "One"), add("t2", "Two", kind="unsafe"))
    async with world.database.transaction() as tx:
        text = str(build_summary_blocks(await world.cards.goal(tx, TEAM, goal_id)))
    assert "Undo all" in text
    declare(world, "add_unsafe", "too late")
    undo_id = await undo_all(world, goal_id)
    async with world.database.transaction() as tx:
        text = str(build_summary_blocks(await world.cards.goal(tx, TEAM, undo_id)))
    assert "Undone in part" in text
    assert "Not undone: Add “Two”" in text
    assert "Too late" in text
    assert "Undo all" not in text


@pytest.mark.parametrize(("action", "window"), [("find_items", 60.0), ("change", 0.0)])
def test_window_without_an_undo_or_without_length_is_refused(action: str, window: float) -> None:
    """A connector that declares what cannot be does not load."""
    declared = next(item for item in CONNECTOR.actions if item.name == action)
    with pytest.raises(DeclarationError, match="window for an undo"):
        check_declaration(CONNECTOR, replace(declared, undo_within_s=window))
