"""Budgets: what one goal may use, enforced by code; then a partial result that says so (S38)."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.engine.budgets import Limits, Price
from bot.engine.overdue import Overdue
from bot.goals.clicks import Click
from bot.planning.plan import WaitUntil
from bot.views.summaries import build_summary_blocks
from storage.tables.approvals import Verdict
from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.engine.replanning import plan, replanning, task
from tests.bot.engine.test_rounds import READS
from tests.bot.engine.world import ASK_MO, MO, TEAM, World, add

T = TaskStatus
MANY = [add(f"t{n}", f"Item {n}", is_own=True) for n in range(1, 6)]


def limit(world: World, limits: Limits) -> None:
    world.limits = limits
    world.wire()


async def summary(world: World, goal_id: int) -> str:
    async with world.database.transaction() as tx:
        return json.dumps(build_summary_blocks(await world.cards.goal(tx, TEAM, goal_id)))


@pytest.mark.parametrize("limits", [Limits(writes=3), Limits(calls=3)], ids=["writes", "calls"])
async def test_parallel_steps_never_exceed_a_budget_and_the_rest_is_told(
    world: World, limits: Limits
) -> None:
    """Exactly what the budget allows runs; the summary says what is done, what not, and why."""
    # S38
    limit(world, limits)
    goal_id = await world.start(*MANY)
    goal = await world.goal(goal_id)
    assert goal.status is GoalStatus.PARTLY_DONE
    assert len(world.provider.effects) == 3
    assert "engine:goal:out_of_budget" in await world.audit()
    told = await summary(world, goal_id)
    assert "one goal may use at most 3" in told
    assert "ask me in a new message for what is left" in told
    assert sorted((await world.statuses(goal_id)).values()) == [*[T.FAILED] * 2, *[T.SUCCEEDED] * 3]


async def test_goal_that_uses_its_budget_up_exactly_is_done(world: World) -> None:
    """A budget stops what goes beyond it, not what fills it."""
    limit(world, Limits(writes=5, calls=5))
    goal_id = await world.start(*MANY)
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


async def test_later_step_of_a_stopped_goal_is_dropped(world: World) -> None:
    """What would follow is not begun either, and no planner is asked to go around the budget."""
    # S38
    limit(world, Limits(writes=1))
    chain = [
        add("t1", "Apple", is_own=True),
        add("t2", "Berry", is_own=True, after=("t1",)),
        add("t3", "Cherry", is_own=True, after=("t2",)),
    ]
    goal_id = await world.start(*chain)
    assert (await world.goal(goal_id)).status is GoalStatus.PARTLY_DONE
    assert world.provider.effects == ["Apple"]


async def test_recipients_are_counted_by_address_over_the_whole_goal(world: World) -> None:
    """The same guest twice is one; one too many is not notified."""
    # S38
    world.policy = ASK_MO
    limit(world, Limits(recipients=2))
    guests = [["a@acme.example"], ["A@acme.example", "b@acme.example"], ["c@acme.example"]]
    goal_id = await world.start(
        *[
            add(f"t{n}", f"Item {n}", guests=who, after=(f"t{n - 1}",) if n > 1 else ())
            for n, who in enumerate(guests, 1)
        ]
    )
    for _ in guests:
        if (await world.goal(goal_id)).status is GoalStatus.WAITING:
            item = await world.item(goal_id)
            await world.desk.decide(Click(TEAM, MO), item, Verdict.APPROVE, None)
            await world.drive(goal_id)
    assert world.provider.effects == ["Item 1", "Item 2"]
    goal = await world.goal(goal_id)
    assert goal.status is GoalStatus.PARTLY_DONE
    assert "at most 2 notified people" in (goal.reason or "")


async def test_planner_is_told_once_of_a_budget_that_is_nearly_used_up(world: World) -> None:
    """At 80 % the planner may do the rest with less; it is asked once, and what is done stays."""
    world.limits = Limits(writes=5)
    names = ["t1", "t2", "t3", "t4", "t5"]
    first = plan(
        *[
            {**task(n, "add_keyed", name=n, is_own=True), "after": names[max(i - 1, 0) : i]}
            for i, n in enumerate(names)
        ]
    )
    rest = plan(task("t6", "add_keyed", name="last", is_own=True))
    async with replanning(world, first, rest) as scene:
        goal_id = await scene.say()
        assert world.provider.effects == names[:4]
        progress = json.loads(await scene.asked(1))["progress"]
        assert "4 of the 5 changes" in progress["problem"]
        assert "4 of the 5 changes" in progress["budget"]
        goal = await scene.run()
        assert (goal.status, goal.replans, goal.budget_told) == (GoalStatus.DONE, 1, True)
        assert world.provider.effects == [*names[:4], "last"]
        assert (await world.statuses(goal_id))["t5"] is T.CANCELLED


MODEL_LIMITS = [
    pytest.param(Limits(requests=1), "at most 1 requests to a model", id="requests"),
    pytest.param(Limits(tokens=1), "tokens of models", id="tokens"),
    pytest.param(
        Limits(money=0.000001, prices={"lar": Price(1, 1), "large": Price(1000, 1000)}),
        "in model costs",
        id="money",
    ),
]


@pytest.mark.parametrize(("limits", "said"), MODEL_LIMITS)
async def test_used_up_model_budget_asks_no_model_and_ends_with_what_there_is(
    world: World, limits: Limits, said: str
) -> None:
    """The second round is not planned any more, and the reason says so."""
    # S38
    first = plan(
        task("t1", "add_keyed", name="Apple", is_own=True), writes=["add_keyed"], final=False
    )
    world.limits = limits
    async with replanning(world, first) as scene:
        goal = await world.goal(await scene.say())
        assert goal.status is GoalStatus.PARTLY_DONE
        assert said in (goal.reason or "")
        assert len(scene.model.requests) == 1


async def test_planner_is_told_of_a_tight_model_budget_when_it_is_asked_anyway(
    world: World,
) -> None:
    """No request is spent to say that requests are scarce."""
    rest = plan(task("t2", "add_keyed", name="Apple", is_own=True))
    world.limits = Limits(requests=2, tokens=10**9)
    async with replanning(world, READS, rest) as scene:
        await scene.say()
        assert "budget" not in json.loads(await scene.asked(1))["progress"]
    world.limits = Limits(requests=10, tokens=10**9, calls=1)
    async with replanning(world, READS, rest) as scene:
        await scene.say()
        assert "1 of the 1 calls" in json.loads(await scene.asked(1))["progress"]["budget"]


async def test_plan_with_too_many_steps_in_all_its_versions_is_not_adopted(world: World) -> None:
    """Steps count over rounds and re-plans."""
    # S38
    world.limits = Limits(tasks=2)
    rest = plan(*[task(f"t{n}", "add_keyed", name=str(n), is_own=True) for n in (2, 3)])
    async with replanning(world, READS, rest) as scene:
        goal = await world.goal(await scene.say())
        assert goal.status is GoalStatus.FAILED
        assert "at most 2 steps" in (goal.reason or "")
        assert world.provider.effects == []


def overdue(world: World) -> Overdue:
    return Overdue(database=world.database, budgets=world.budgets, days=30)


def make_old(world: World, goal_id: int, days: int) -> None:
    world.sql(
        "UPDATE goals SET created_at = now() - make_interval(days => %s) WHERE id = %s",
        days,
        goal_id,
    )


async def test_goal_that_takes_too_long_ends_with_what_it_has(world: World) -> None:
    """After its days the rest is dropped, approvers are told, and the requester reads why."""
    world.policy = ASK_MO
    world.wire()
    goal_id = await world.start(
        add("t1", "Apple", is_own=True), add("t2", "Berry", guests=["x@acme.example"])
    )
    make_old(world, goal_id, 29)
    assert await overdue(world).stop() == 0
    make_old(world, goal_id, 31)
    assert await overdue(world).stop() == 1
    goal = await world.goal(goal_id)
    assert goal.status is GoalStatus.PARTLY_DONE
    assert "not finished within 30 days" in (goal.reason or "")
    assert (await world.asked(goal_id))[0][1].status.value == "withdrawn"
    assert await overdue(world).stop() == 0


async def test_goal_that_nobody_answered_ends_and_says_so(world: World) -> None:
    """A plan that nobody ran is not kept for ever."""
    goal_id = await world.plan(add("t1", "Apple"))
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.PROPOSED
    make_old(world, goal_id, 31)
    await overdue(world).stop()
    goal = await world.goal(goal_id)
    assert goal.status is GoalStatus.CANCELLED
    assert "30 days" in (goal.reason or "")


async def test_goal_that_waits_by_plan_for_months_does_not_die_of_it(world: World) -> None:
    """What a plan waits for does not count; what comes after does."""
    later = (datetime.now(UTC) + timedelta(days=90)).isoformat()
    goal_id = await world.start(
        add("t1", "Apple", is_own=True, wait=WaitUntil(until=later, at=None))
    )
    make_old(world, goal_id, 400)
    assert await overdue(world).stop() == 0
    assert (await world.goal(goal_id)).status is GoalStatus.WAITING
    world.sql("UPDATE waits SET ended_at = now() - interval '31 days'")
    assert await overdue(world).stop() == 1


async def test_goal_whose_time_is_nearly_up_says_so_in_its_thread_once(world: World) -> None:
    """From four fifths of its days on, as with every budget; one that waits by plan is silent."""
    goal_id = await world.plan(add("t1", "Apple"))
    await world.drive(goal_id)
    later = (datetime.now(UTC) + timedelta(days=90)).isoformat()
    waiting = await world.start(
        add("t1", "Berry", is_own=True, wait=WaitUntil(until=later, at=None))
    )
    make_old(world, waiting, 25)
    make_old(world, goal_id, 23)
    assert await overdue(world).warn() == 0
    make_old(world, goal_id, 25)
    assert [await overdue(world).warn() for _ in range(2)] == [1, 0]
    note = "SELECT data->>'text' FROM outbox WHERE noun = 'note' AND thread_ts = '1.0'"
    assert "most of the 30 days" in world.one(note)
    assert await overdue(world).stop() == 0
