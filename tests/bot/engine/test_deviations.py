"""Deviations: what goes otherwise than planned goes to the planner once; then a partial result."""

import json
from typing import Any

import pytest

from bot.goals.clicks import Click
from storage.tables.approvals import ApprovalStatus, Verdict
from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.engine.replanning import plan, question, ref, replanning, task
from tests.bot.engine.world import ASK_MO, DANA, MO, TEAM, World, add

T = TaskStatus
BAD = task("t1", "add_keyed", name="Apple", is_own=True)
OTHER = task("t2", "add_keyed", name="Berry", is_own=True)


async def test_refused_call_is_planned_anew_and_shown_before_it_runs(world: World) -> None:
    """A provider's refusal goes to the planner once; its new write waits for Run."""
    world.provider.faults = ["refused"]
    async with replanning(world, plan(BAD), plan(OTHER)) as scene:
        goal_id = await scene.say()
        assert (await world.goal(goal_id)).status is GoalStatus.PROPOSED
        progress = json.loads(await scene.asked(1))["progress"]
        assert progress["problem"].startswith("t1: ")
        assert progress["past"][0]["state"] == "failed"
        async with world.database.transaction() as tx:
            card = await world.cards.goal(tx, TEAM, goal_id)
        assert card.changes[1:] == (
            "I left out a step: add an item.",
            "I added a step: add an item.",
        )
        goal = await scene.run()
        assert (goal.status, goal.replans) == (GoalStatus.DONE, 1)
        assert world.provider.effects == ["Berry"]


async def test_finished_tasks_are_fixed_in_a_replan(world: World) -> None:
    """What is done is not done again, and its ids are refused to anything else."""
    first = plan(BAD, {**OTHER, "after": ["t1"]})
    again = plan(task("t1", "add_keyed", name="Cherry", is_own=True))
    mended = plan(task("t3", "add_keyed", name="Cherry", parent_id=ref("t1", "id"), is_own=True))
    world.provider.faults = ["ok", "refused"]
    async with replanning(world, first, again, mended) as scene:
        goal_id = await scene.say()
        assert "this id is taken" in await scene.asked(2)
        await scene.run()
        assert world.provider.effects == ["Apple", "Cherry"]
        assert (await world.goal(goal_id)).status is GoalStatus.DONE


async def test_alternatives_come_as_choices_and_the_chosen_one_is_planned(world: World) -> None:
    """A planner that sees several ways out asks which; the answer leads to its plan."""
    world.provider.faults = ["refused"]
    asked = question("It was refused. What else?", "Add Berry", "Leave it")
    async with replanning(world, plan(BAD), asked, plan(OTHER)) as scene:
        goal_id = await scene.say()
        async with world.database.transaction() as tx:
            card = await world.cards.goal(tx, TEAM, goal_id)
        assert (card.status, card.choices) == (GoalStatus.ASKING, ("Add Berry", "Leave it"))
        await world.goals.choose(Click(TEAM, DANA), goal_id, "Add Berry")
        await scene.job.plan_goal(TEAM, goal_id)
        await scene.settle()
        await scene.run()
        assert world.provider.effects == ["Berry"]


async def test_rejected_approval_is_planned_anew_and_the_other_one_survives(world: World) -> None:
    """A rejection goes to the planner; what it leaves unchanged keeps its approval."""
    guests = ["x@acme.example"]
    kept = task("t2", "add_keyed", name="Berry", guests=guests)
    new = task("t3", "add_keyed", name="Cherry", guests=guests)
    first = plan(task("t1", "add_keyed", name="Apple", guests=guests), kept)
    async with replanning(world, first, plan(kept, new), policy=ASK_MO) as scene:
        goal_id = await scene.say()
        await scene.run()
        rejected, open_ = [item for _, item in await world.asked(goal_id)]
        await world.desk.decide(Click(TEAM, MO), rejected.id, Verdict.REJECT, "too early")
        goal = await scene.settle()
        assert goal.status is GoalStatus.PROPOSED
        assert "too early" in json.loads(await scene.asked(1))["progress"]["problem"]
        items = {item.id: item.status for _, item in await world.asked(goal_id)}
        assert items[open_.id] is ApprovalStatus.PENDING
        await scene.run()
        assert len(await world.asked(goal_id)) == 3


async def test_missing_record_goes_to_the_planner(world: World) -> None:
    """A reference without a value is a deviation: the planner asks which record was meant."""
    first = plan(
        task("t1", "find_items", query="Nobody"),
        task("t2", "add_keyed", name="Apple", parent_id=ref("t1", "items", 0, "id"), is_own=True),
    )
    async with replanning(world, first, question("Which one?", "Acme")) as scene:
        goal = await world.goal(await scene.say())
        assert (goal.status, goal.replans) == (GoalStatus.ASKING, 1)


@pytest.mark.parametrize("answer", ["no JSON", plan(say="There is no other way.")])
async def test_planner_that_finds_no_way_leaves_the_partial_result(
    world: World, answer: Any
) -> None:
    """A re-plan that fails ends the goal at once as it stands; it is not asked again."""
    world.provider.faults = ["refused"]
    answers = [answer] * (3 if isinstance(answer, str) else 1)
    async with replanning(world, plan(BAD, OTHER), *answers, max_replans=2) as scene:
        goal = await world.goal(await scene.say())
        assert goal.status is GoalStatus.PARTLY_DONE
        assert len(scene.model.requests) == 1 + len(answers)


async def test_offline_planner_declines_and_the_goal_ends_at_once(world: World) -> None:
    """A planner that cannot re-plan is not asked: no loop, no delay, today's partial result."""
    world.provider.faults = ["refused"]
    goal_id = await world.start(add("t1", "Apple", is_own=True))
    goal = await world.goal(goal_id)
    assert (goal.status, goal.replans, goal.deviation) == (GoalStatus.FAILED, 0, None)


async def test_third_replan_is_refused(world: World) -> None:
    """Whatever goes wrong after two re-plans, the goal ends with what it has."""
    world.provider.faults = ["refused"] * 3
    names = ("Berry", "Cherry")
    more = [plan(task(f"t{n}", "add_keyed", name=x)) for n, x in enumerate(names, 2)]
    async with replanning(world, plan(BAD), *more, max_replans=9) as scene:
        await scene.say()
        await scene.run()
        goal = await scene.run()
        assert (goal.status, goal.replans) == (GoalStatus.FAILED, 2)
        assert len(scene.model.requests) == 3


async def test_same_call_planned_again_is_refused_as_a_loop(world: World) -> None:
    """The same call with the same arguments is not tried a third time."""
    world.provider.faults = ["refused"]
    again = plan({**BAD, "id": "t2"})
    async with replanning(world, plan(BAD), again) as scene:
        goal = await world.goal(await scene.say())
        assert goal.status is GoalStatus.FAILED
        assert world.provider.effects == []


async def test_equal_rows_of_a_first_plan_are_a_persons_wish(world: World) -> None:
    """Two equal steps that a person saw in one plan both run."""
    twin = {**BAD, "id": "t2"}
    async with replanning(world, plan(BAD, twin)) as scene:
        goal = await world.goal(await scene.say())
        assert goal.status is GoalStatus.DONE
        assert world.provider.effects == ["Apple", "Apple"]
