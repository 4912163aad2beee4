"""A provider that is down: its steps wait without using up their tries, the rest goes on."""

import psycopg

from bot.engine.home_queries import HomeQueries
from bot.goals.clicks import Click
from storage.tables.approvals import Verdict
from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.engine.world import DANA, LONG, MO, TEAM, World, add, ref, step

BUSY = 5
"""As many failures as open the breaker."""


async def break_down(world: World) -> None:
    """Let the provider fail often enough that nothing is sent to it any more."""
    world.provider.faults = ["read_down"] * BUSY
    for _ in range(BUSY):
        goal_id = await world.plan(step("t1", "find_items", query="a"))
        await world.drive(goal_id)
    assert await open_hosts(world) == 1


async def open_hosts(world: World) -> int:
    async with world.database.reading() as tx:
        return len(await tx.breakers.list_())


def answers_again(world: World) -> None:
    """Let the pause be over, for the provider and for what waits."""
    world.provider.faults = []
    with psycopg.connect(world.database.url) as connection:
        connection.execute("UPDATE breakers SET retry_at = now() - interval '1 second'")
        connection.execute("UPDATE tasks SET not_before = NULL")


async def test_step_waits_without_an_attempt_and_without_using_up_tries(world: World) -> None:
    """However often it is looked at: nothing is sent, nothing is counted, and it says why."""
    await break_down(world)
    goal_id = await world.plan(add("t1", "Report", is_own=True))
    for _ in range(LONG.max_tries + 2):
        world.sql("UPDATE tasks SET not_before = NULL")
        await world.drive(goal_id)
    task = (await world.tasks(goal_id))["t1"]
    assert (task.status, task.tries) == (TaskStatus.READY, 0)
    assert task.not_before is not None
    assert "has not answered since" in str((task.failure or {})["message"])
    assert await world.attempts(goal_id) == []
    assert world.provider.keys == []


async def test_step_runs_by_itself_once_the_provider_answers(world: World) -> None:
    """The first request closes the breaker, and the goal ends as if nothing had been."""
    await break_down(world)
    goal_id = await world.plan(add("t1", "Report", is_own=True))
    await world.drive(goal_id)
    answers_again(world)
    world.forget_jobs()
    await world.sweeper.sweep()
    assert goal_id in world.jobs()
    await world.drive(goal_id)
    task = (await world.tasks(goal_id))["t1"]
    assert (task.status, task.held_since) == (TaskStatus.SUCCEEDED, None)
    assert (await world.goal(goal_id)).status is GoalStatus.DONE
    assert await open_hosts(world) == 0


async def test_rest_of_the_goal_goes_on(world: World) -> None:
    """A step that needs nothing of the provider does not wait for it."""
    await break_down(world)
    goal_id = await world.plan(
        step("t1", "find_items", query="a"),
        step("t2", "builtin.answer", question="Hello?", rows=[]),
    )
    await world.drive(goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.READY, "t2": TaskStatus.SUCCEEDED}


async def test_waiting_ends_after_a_day_in_a_sentence(world: World) -> None:
    """Nobody waits for ever: the partial result says what did not happen, and what to do."""
    await break_down(world)
    goal_id = await world.plan(add("t1", "Report", is_own=True))
    await world.drive(goal_id)
    world.sql(
        "UPDATE tasks SET not_before = NULL, held_since = now() - interval '25 hours' "
        "WHERE goal_id = %s",
        goal_id,
    )
    await world.drive(goal_id)
    goal = await world.goal(goal_id)
    assert goal.status is GoalStatus.FAILED
    assert "ask me again later" in str(goal.reason)


async def test_attempt_whose_provider_went_away_meanwhile_is_looked_up_later(
    world: World,
) -> None:
    """A look-up that cannot be made settles nothing, and is no reason to ask a human yet."""
    goal_id = await world.plan(add("t1", "Report", kind="verifiable", is_own=True))
    world.provider.faults = ["lost"]
    await world.drive(goal_id)
    await break_down(world)
    for _ in range(LONG.max_tries + 1):
        world.die(goal_id)
        await world.drive(goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.RUNNING}
    answers_again(world)
    world.die(goal_id)
    await world.drive(goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.SUCCEEDED}
    assert world.provider.effects == ["Report"]


async def test_home_says_since_when_and_what_waits(world: World) -> None:
    """A person sees the reason in one place, not once a step."""
    await break_down(world)
    await world.drive(await world.plan(add("t1", "Report", is_own=True)))
    homes = HomeQueries(database=world.database, registry=world.registry, examples=())
    (shown,) = (await homes.load(TEAM, DANA)).connections
    assert "Counting has not answered since" in str(shown.trouble)
    assert "of your steps wait" in str(shown.trouble)
    (others,) = (await homes.load(TEAM, MO)).connections
    assert "I try again by myself" in str(others.trouble)


def _provider_is_back_but_the_pause_is_not_over(world: World) -> None:
    world.sql("DELETE FROM breakers")
    world.provider.faults = []


async def test_first_read_of_a_provider_that_is_down_holds_up_only_what_needs_it(
    world: World,
) -> None:
    """The card is shown with its value open; the rest runs, and the value is asked about later."""
    world.provider.put("Acme")
    await break_down(world)
    goal_id = await world.plan(
        step("t1", "find_items", query="Acme"),
        add("t2", "Below it", parent_id=ref("t1", "items", 0, "id")),
        add("t3", "Apart"),
    )
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.PROPOSED
    async with world.database.transaction() as tx:
        card = await world.cards.goal(tx, TEAM, goal_id)
    held, below, _ = card.steps
    assert "has not answered since" in str(held.problem)
    assert [it.detail.value for it in below.details if it.detail.name == "Parent"] == [
        "what an earlier step finds"
    ]

    _provider_is_back_but_the_pause_is_not_over(world)
    await world.start_proposed(goal_id)
    assert world.provider.effects == ["Apart"]
    assert (await world.statuses(goal_id))["t1"] is TaskStatus.READY

    world.sql("UPDATE tasks SET not_before = NULL")
    await world.drive(goal_id)
    assert (await world.statuses(goal_id))["t2"] is TaskStatus.NEEDS_APPROVAL
    assert world.provider.effects == ["Apart"]
    (_, item), *_ = await world.asked(goal_id)
    await world.desk.decide(Click(TEAM, DANA), item.id, Verdict.APPROVE, None)
    await world.drive(goal_id)
    assert world.provider.effects == ["Apart", "Below it"]
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


async def test_plan_that_needs_the_read_everywhere_waits_for_it_before_its_card(
    world: World,
) -> None:
    """Nobody is asked to run what they would be asked about again: the card waits for the value."""
    world.provider.put("Acme")
    await break_down(world)
    goal_id = await world.plan(
        step("t1", "find_items", query="Acme"),
        add("t2", "Below it", parent_id=ref("t1", "items", 0, "id")),
        add("t3", "Further below", after=("t2",)),
    )
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.PLANNING

    answers_again(world)
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.PROPOSED
    await world.start_proposed(goal_id)
    assert world.provider.effects == ["Below it", "Further below"]
