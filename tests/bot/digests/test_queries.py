"""What waits on a person, what is done, next and stuck: each in one linked line."""

from datetime import timedelta

import pytest

from bot.digests.models import Digest
from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.digests.conftest import DANA, FRIDAY, MO, TEAM, World


async def _digest(world: World, person_id: str = DANA) -> Digest:
    async with world.database.transaction() as tx:
        person = await tx.people.get(TEAM, person_id)
        return await world.queries.compose(
            tx, person, since=FRIDAY - timedelta(days=1), until=FRIDAY
        )


@pytest.mark.parametrize(
    ("status", "part", "line"),
    [
        (GoalStatus.PROPOSED, "waiting", "Run, edit or cancel “Create a deal”"),
        (GoalStatus.ASKING, "waiting", "Answer a question about “Create a deal”"),
        (GoalStatus.RUNNING, "next", "“Create a deal” is running"),
        (GoalStatus.PLANNING, "next", "“Create a deal” is being planned"),
        (GoalStatus.PAUSED, "next", "“Create a deal” is paused"),
    ],
)
async def test_open_goal_stands_in_its_part(
    world: World, status: GoalStatus, part: str, line: str
) -> None:
    """Every open goal is told once, where the person looks for it."""
    goal_id = await world.add_goal("Create a deal", status)
    await world.post("goal", goal_id, channel_id="D0DANA", link="https://slack.test/p1")

    digest = await _digest(world)

    told = {name: getattr(digest, name) for name in ("waiting", "done", "next", "stuck")}
    assert [(item.text, item.url) for item in told.pop(part)] == [(line, "https://slack.test/p1")]
    assert not any(told.values())


async def test_goals_that_ended_since_are_done_or_stuck(world: World) -> None:
    """What ended before the last digest was told then."""
    hour = timedelta(hours=1)
    await world.add_goal("A", GoalStatus.DONE, settled_at=FRIDAY - hour)
    await world.add_goal("B", GoalStatus.DONE, settled_at=FRIDAY - timedelta(days=3))
    await world.add_goal("C", GoalStatus.FAILED, settled_at=FRIDAY - hour, reason="HubSpot is down")
    partly = await world.add_goal("D", GoalStatus.PARTLY_DONE, settled_at=FRIDAY - hour)
    await world.add_task(partly, TaskStatus.DECLINED, failure="Mo Haddad rejected it: too early")

    digest = await _digest(world)

    assert [item.text for item in digest.done] == ["“A”", "In part: “D”"]
    assert [item.text for item in digest.stuck] == [
        "“C”: HubSpot is down",
        "“D”: Mo Haddad rejected it: too early",
    ]


async def test_approval_waits_on_the_decider_and_is_next_for_the_requester(world: World) -> None:
    """The same approval is Mo's to decide and Dana's to wait for, each with their own link."""
    goal_id = await world.add_goal("Kickoff with Jane", GoalStatus.WAITING)
    task_id = await world.add_task(goal_id, TaskStatus.NEEDS_APPROVAL)
    approval_id = await world.ask(goal_id, task_id, "Invite Jane to “Kickoff”", people=[MO])
    await world.post("approval", approval_id, channel_id="D0ADA", link="https://slack.test/ada")
    await world.post("approval", approval_id, channel_id="D0MO", link="https://slack.test/mo")

    mos, danas = await _digest(world, MO), await _digest(world)

    assert [(item.text, item.url) for item in mos.waiting] == [
        ("Countersign by Fri 27 Nov 13:00 CET: Invite Jane to “Kickoff”", "https://slack.test/mo")
    ]
    assert [item.text for item in danas.next] == [
        "“Kickoff with Jane” waits for Mo Haddad until Fri 27 Nov 13:00 CET"
    ]
    assert not danas.waiting


async def test_missing_connection_and_unknown_outcome_wait_on_the_requester(world: World) -> None:
    """What only the person can mend is told as theirs, and not a second time as running."""
    unconnected = await world.add_goal("A", GoalStatus.WAITING)
    await world.add_task(unconnected, TaskStatus.NEEDS_CONNECTION)
    unknown = await world.add_goal("B", GoalStatus.WAITING)
    await world.add_task(unknown, TaskStatus.UNKNOWN)

    digest = await _digest(world)

    assert [item.text for item in digest.waiting] == ["Connect HubSpot for “A”"]
    assert [item.text for item in digest.stuck] == ["Tell me what became of a step of “B”"]
    assert not digest.next


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (TaskStatus.NEEDS_CONNECTION, "Connect HubSpot for “A”"),
        (TaskStatus.ASKING, "Answer a question about “A”"),
    ],
)
async def test_plan_whose_first_look_waits_on_the_requester_is_told_once(
    world: World, status: TaskStatus, line: str
) -> None:
    """Nothing is planned until the person does something, so it does not say that it is."""
    goal_id = await world.add_goal("A", GoalStatus.PLANNING)
    await world.add_task(goal_id, status)

    digest = await _digest(world)

    assert [item.text for item in digest.waiting] == [line]
    assert not digest.next


async def test_step_that_waits_on_its_requester_does_not_hide_a_planner_at_work(
    world: World,
) -> None:
    """A goal that went back to its planner is being planned, whatever else is open of it."""
    goal_id = await world.add_goal("A", GoalStatus.PLANNING)
    await world.add_task(goal_id, TaskStatus.ASKING)
    async with world.database.transaction() as tx:
        goal = await tx.goals.lock(TEAM, goal_id)
        await tx.goals.set_deviation(goal, {"kind": "wish", "task": None, "message": "Later"})

    digest = await _digest(world)

    assert [item.text for item in digest.next] == ["“A” is being planned"]


async def test_long_goal_is_quoted_short(world: World) -> None:
    """A digest stays readable whatever somebody pasted."""
    await world.add_goal("word " * 8000, GoalStatus.PROPOSED)

    (line,) = (await _digest(world)).waiting

    assert len(line.text) < 120
    assert line.text.endswith("…”")


async def test_goals_of_others_are_not_told(world: World) -> None:
    """A digest is about its reader (S37)."""
    await world.add_goal("Mo's own", GoalStatus.PROPOSED, requester_id=MO)

    assert (await _digest(world)).is_empty
