"""Every deviation of the plan format leads to one re-plan, whatever it was."""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from bot.engine.budgets import Limits
from bot.goals.clicks import Answer, Click
from storage.tables.approvals import Verdict
from storage.tables.goals import GoalStatus
from tests.bot.engine.replanning import Scene, plan, question, ref, replanning, task
from tests.bot.engine.world import ASK_MO, DANA, MO, TEAM, World

ADD = task("t1", "add_keyed", name="Apple", is_own=True)
GUESTS = task("t1", "add_keyed", name="Apple", guests=["x@acme.example"])
FIND = task("t1", "find_items", query="Nobody")
THEN = {**task("t2", "add_keyed", name="Berry", is_own=True), "after": ["t1"]}
EACH = {"task": "each", "path": ["id"]}

Deed = Callable[[Scene], Awaitable[None]]


async def nothing(_scene: Scene) -> None:
    """Let the goal go on by itself."""


async def run(scene: Scene) -> None:
    """Run the plan."""
    await scene.run()


async def wait(scene: Scene) -> None:
    """Let the time of every next try come."""
    for _ in range(3):
        scene.world.sql("UPDATE tasks SET not_before = NULL")
        await scene.settle()


async def reject(scene: Scene) -> None:
    """Run the plan, and reject what Mo is asked."""
    await scene.run()
    item = await scene.world.item(scene.goal_id)
    await scene.world.desk.decide(Click(TEAM, MO), item, Verdict.REJECT, "too early")
    await scene.settle()


async def edit(scene: Scene) -> None:
    """Run the plan, and change what Mo is asked."""
    await scene.run()
    item = await scene.world.item(scene.goal_id)
    await scene.world.desk.edit(Click(TEAM, MO), item, {"size": "small"})
    await scene.settle()


DEVIATIONS: dict[str, tuple[list[dict[str, Any]], Sequence[str], Deed, Limits, str]] = {
    "refused by the provider": ([ADD], ["refused"], nothing, Limits(), "t1: "),
    "retries exhausted": ([FIND, THEN], ["read_down"] * 3, wait, Limits(), "I tried 3 times"),
    "reference without a value": (
        [FIND, task("t2", "add_keyed", name="A", parent_id=ref("t1", "items", 0, "id"))],
        [],
        nothing,
        Limits(),
        "t2: ",
    ),
    "result that fails its type": (
        [
            task("t1", "find_items", query="Long"),
            task("t2", "add_keyed", name="A", size=ref("t1", "items", 0, "size")),
        ],
        [],
        run,
        Limits(),
        "t2: This step's size does not fit",
    ),
    "empty list that a later task needs": (
        [
            FIND,
            {
                **task("t2", "add_keyed", name="A", parent_id=EACH),
                "for_each": ref("t1", "items"),
            },
            task("t3", "add_keyed", name="B", parent_id=ref("t2", "rows", 0, "id")),
        ],
        [],
        nothing,
        Limits(),
        "",
    ),
    "decision that rejected": ([GUESTS], [], reject, Limits(), "too early"),
    "decision that edited": (
        [GUESTS, {**THEN, "after": ["t1"]}],
        [],
        edit,
        Limits(),
        "t1: An approver changed values of this step",
    ),
    "budget at 80 %": (
        [ADD, THEN],
        [],
        nothing,
        Limits(calls=2, writes=1000, tasks=2),
        "budget is nearly used up",
    ),
}


@pytest.mark.parametrize("name", DEVIATIONS)
async def test_every_deviation_is_put_to_the_planner_once(world: World, name: str) -> None:
    """The planner reads what happened, and its question reaches the requester as choices."""
    tasks, faults, deed, limits, problem = DEVIATIONS[name]
    world.provider.put("Long", size="?")
    world.provider.faults = list(faults)
    world.limits = limits
    asked = question("What else?", "Leave it", "Berry instead")
    async with replanning(world, plan(*tasks), asked, policy=ASK_MO) as scene:
        await scene.say()
        await deed(scene)
        goal = await world.goal(scene.goal_id)
        assert (goal.status, goal.replans) == (GoalStatus.ASKING, 1)
        assert len(scene.model.requests) == 2
        assert problem in json.loads(await scene.asked(1))["progress"]["problem"]
        async with world.database.transaction() as tx:
            card = await world.cards.goal(tx, TEAM, scene.goal_id)
        assert card.choices == ("Leave it", "Berry instead")
        answer = await world.goals.choose(Click(TEAM, DANA), scene.goal_id, "Leave it")
        assert answer.ok


async def test_rest_is_brought_in_line_with_an_edit_which_stays_as_it_is(world: World) -> None:
    """What an approver changed cannot be changed back; the changed rest is shown and runs once."""
    again = task("t1", "add_keyed", name="Apple", guests=["x@acme.example"], size="huge")
    fitted = {**task("t2", "add_keyed", name="Berry", size="small"), "after": ["t1"]}
    before = {**task("t2", "add_keyed", name="Berry", size="huge"), "after": ["t1"]}
    first = [{**GUESTS, "call": again["call"]}, before]
    async with replanning(world, plan(*first), plan(again, fitted), policy=ASK_MO) as scene:
        await scene.say()
        await edit(scene)
        goal = await world.goal(scene.goal_id)
        assert goal.status is GoalStatus.PROPOSED
        tasks = await world.tasks(scene.goal_id)
        assert [tasks[key].spec["arguments"]["size"] for key in ("t1", "t2")] == ["small", "small"]
        async with world.database.transaction() as tx:
            card = await world.cards.goal(tx, TEAM, scene.goal_id)
        assert card.changes[0].startswith("A step was edited, so I changed the rest to fit.")
        await scene.run()
        item = await world.item(scene.goal_id)
        await world.desk.decide(Click(TEAM, MO), item, Verdict.APPROVE, None)
        await scene.settle()
        assert world.provider.effects == ["Apple", "Berry"]
        assert (await world.goal(scene.goal_id)).status is GoalStatus.DONE


async def test_edit_without_a_rest_goes_to_no_planner(world: World) -> None:
    """Where nothing is left to bring in line, nobody waits for a model."""
    async with replanning(world, plan(GUESTS), policy=ASK_MO) as scene:
        await scene.say()
        await edit(scene)
        assert len(scene.model.requests) == 1
        item = await world.item(scene.goal_id)
        await world.desk.decide(Click(TEAM, MO), item, Verdict.APPROVE, None)
        await scene.settle()
        assert world.provider.effects == ["Apple"]


async def test_edit_of_a_paused_goal_is_taken_and_goes_on_with_it(world: World) -> None:
    """A pause refuses no approver; the planner is not asked about what does not go on."""
    async with replanning(world, plan(GUESTS, THEN), policy=ASK_MO) as scene:
        await scene.say()
        await scene.run()
        me = Click(TEAM, DANA)
        assert (await world.pauses.pause(me, scene.goal_id)).ok
        item = await world.item(scene.goal_id)
        answer = await world.desk.edit(Click(TEAM, MO), item, {"size": "small"})
        assert isinstance(answer, Answer)
        assert answer.ok
        assert (await world.goal(scene.goal_id)).status is GoalStatus.PAUSED
        assert (await world.pauses.resume(me, scene.goal_id)).ok
        await scene.settle()
        item = await world.item(scene.goal_id)
        await world.desk.decide(Click(TEAM, MO), item, Verdict.APPROVE, None)
        await scene.settle()
        assert world.provider.effects == ["Apple", "Berry"]
        assert len(scene.model.requests) == 1


async def test_edit_while_a_wish_is_planned_leaves_the_wish(world: World) -> None:
    """What the planner is asked already, it answers; an edit does not take its place."""
    async with replanning(world, plan(GUESTS, THEN), policy=ASK_MO) as scene:
        await scene.say()
        await scene.run()
        async with world.database.transaction() as tx:
            goal = await tx.goals.lock(TEAM, scene.goal_id)
            assert await world.rounds.wish(tx, goal, "and a report")
        wish = (await world.goal(scene.goal_id)).deviation
        assert wish is not None
        item = await world.item(scene.goal_id)
        await world.desk.edit(Click(TEAM, MO), item, {"size": "small"})
        assert (await world.goal(scene.goal_id)).deviation == wish


async def test_edit_while_the_planner_waits_for_an_answer_keeps_its_question(world: World) -> None:
    """A question to the requester stays open until they answer it."""
    asks = question("Which report?", "Short", "Long")
    async with replanning(world, plan(GUESTS, THEN), asks, policy=ASK_MO) as scene:
        await scene.say()
        await scene.run()
        async with world.database.transaction() as tx:
            goal = await tx.goals.lock(TEAM, scene.goal_id)
            assert await world.rounds.wish(tx, goal, "and a report")
        assert (await scene.settle()).status is GoalStatus.ASKING
        item = await world.item(scene.goal_id)
        await world.desk.edit(Click(TEAM, MO), item, {"size": "small"})
        assert (await world.goal(scene.goal_id)).status is GoalStatus.ASKING
