"""Tasks and goals in the tables: claimed once, by team, when their time has come."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from storage.database import Database
from storage.errors import NotFoundError
from storage.tables.calls import Attempt, AttemptStatus
from storage.tables.goals import GoalStatus, TaskStatus

TEAM = "T1"


async def add_goal(database: Database, source: str = "x", team_id: str = TEAM) -> int:
    async with database.transaction() as tx:
        goal_id = await tx.goals.add(
            team_id=team_id,
            requester_id="U1",
            channel_id="D1",
            thread_ts="1.0",
            source_key=source,
            text="x",
            status=GoalStatus.RUNNING,
        )
        assert goal_id is not None
        return goal_id


async def add_task(database: Database, goal_id: int, **values: Any) -> int:
    row = {
        "team_id": TEAM,
        "goal_id": goal_id,
        "key": "t1",
        "position": 0,
        "plan_version": 1,
        "action": "builtin.answer",
        "spec": {},
        "depends_on": [],
        "status": TaskStatus.READY,
        "tries": 0,
        **values,
    }
    async with database.transaction() as tx:
        await tx.tasks.add_many([row])
        return next(item.id for item in await tx.tasks.list_(TEAM, goal_id) if item.key == "t1")


async def claim(database: Database, goal_id: int, owner: str) -> list[str]:
    async with database.transaction() as tx:
        taken = await tx.tasks.claim(TEAM, goal_id, keys=["t1", "t2"], owner=owner, lease_s=30)
        return [task.key for task in taken]


async def test_same_source_is_one_goal_in_each_team(database: Database) -> None:
    """A redelivered message starts nothing; another team's message of the same key does."""
    await add_goal(database)
    async with database.transaction() as tx:
        again = await tx.goals.add(
            team_id=TEAM,
            requester_id="U1",
            channel_id="D1",
            thread_ts="1.0",
            source_key="x",
            text="x",
        )
    assert again is None
    await add_goal(database, team_id="T2")


async def test_rows_of_another_team_are_not_there(database: Database) -> None:
    """Every query on tenant data takes the team (S37)."""
    goal_id = await add_goal(database)
    task_id = await add_task(database, goal_id)
    async with database.transaction() as tx:
        for read in (tx.goals.get, tx.goals.lock):
            with pytest.raises(NotFoundError):
                await read("T2", goal_id)
        with pytest.raises(NotFoundError):
            await tx.tasks.get("T2", task_id)
        assert await tx.tasks.list_("T2", goal_id) == []
        await tx.tasks.update("T2", task_id, tries=9)
        await tx.tasks.remove("T2", [task_id])
        assert (await tx.tasks.get(TEAM, task_id)).tries == 0


async def test_ready_task_is_claimed_by_one(database: Database) -> None:
    """Of any number of claims at once, one gets the task."""
    goal_id = await add_goal(database)
    await add_task(database, goal_id)
    claims = await asyncio.gather(*[claim(database, goal_id, str(at)) for at in range(6)])
    assert sorted(claims) == [[], [], [], [], [], ["t1"]]


@pytest.mark.parametrize(
    ("values", "claimed"),
    [
        ({"not_before": timedelta(hours=1)}, False),
        ({"not_before": timedelta(hours=-1)}, True),
        ({"lease_until": timedelta(hours=1)}, False),
        ({"lease_until": timedelta(hours=-1)}, True),
        ({"status": TaskStatus.PENDING}, False),
        ({"status": TaskStatus.RUNNING}, False),
    ],
)
async def test_task_is_claimed_when_its_time_has_come(
    database: Database, values: dict[str, Any], *, claimed: bool
) -> None:
    """Neither early, nor under a live lease, nor in another state."""
    goal_id = await add_goal(database)
    now = datetime.now(UTC)
    given = {
        name: now + value if isinstance(value, timedelta) else value
        for name, value in values.items()
    }
    await add_task(database, goal_id, **given)
    assert bool(await claim(database, goal_id, "a")) is claimed


@pytest.mark.parametrize(
    ("goal", "values", "due"),
    [
        (GoalStatus.RUNNING, {}, True),
        # What becomes ready in one makes it running (`defer_drive`).
        (GoalStatus.WAITING, {}, False),
        (GoalStatus.PLANNING, {}, True),
        (GoalStatus.CANCELLED, {}, False),
        (GoalStatus.PROPOSED, {}, False),
        (GoalStatus.RUNNING, {"not_before": timedelta(hours=1)}, False),
        (GoalStatus.RUNNING, {"lease_until": timedelta(seconds=30)}, False),
        (GoalStatus.RUNNING, {"lease_until": timedelta(seconds=-1)}, True),
        (
            GoalStatus.RUNNING,
            {"status": TaskStatus.RUNNING, "lease_until": timedelta(seconds=-1)},
            False,
        ),
        (GoalStatus.RUNNING, {"lease_until": timedelta(hours=-1)}, True),
        (
            GoalStatus.CANCELLED,
            {"status": TaskStatus.RUNNING, "lease_until": timedelta(hours=-1)},
            True,
        ),
        (GoalStatus.RUNNING, {"status": TaskStatus.RUNNING}, False),
        (GoalStatus.RUNNING, {"status": TaskStatus.NEEDS_APPROVAL}, False),
    ],
)
async def test_goal_is_due_when_a_task_could_move(
    database: Database, goal: GoalStatus, values: dict[str, Any], *, due: bool
) -> None:
    """A lost job is found by its task, and an outcome is owed even after a cancellation."""
    goal_id = await add_goal(database)
    now = datetime.now(UTC)
    given = {
        name: now + value if isinstance(value, timedelta) else value
        for name, value in values.items()
    }
    task_id = await add_task(database, goal_id, **given)
    async with database.transaction() as tx:
        if given.get("status") is TaskStatus.RUNNING:
            await tx.session.execute(
                insert(Attempt).values(
                    team_id=TEAM,
                    goal_id=goal_id,
                    task_id=task_id,
                    call_id=1,
                    number=1,
                    idempotency="keyed",
                    idempotency_key="k",
                    lease_owner="a",
                    lease_until=given.get("lease_until", now + timedelta(seconds=30)),
                    status=AttemptStatus.RUNNING,
                )
            )
        found = await tx.goals.lock(TEAM, goal_id)
        await tx.goals.move(found, to=goal)
        assert bool(await tx.tasks.list_due_goals(grace_s=60)) is due


async def test_run_of_an_earlier_version_still_answers(database: Database) -> None:
    """The newest Run at or before a version counts; a later one does not."""
    goal_id = await add_goal(database)
    async with database.transaction() as tx:
        goal = await tx.goals.lock(TEAM, goal_id)
        assert await tx.goals.find_run(TEAM, goal_id, 3) is None
        first = await tx.goals.add_run(goal, version=1, person_id="U1", shown={"t1": {}})
        assert await tx.goals.add_run(goal, version=1, person_id="U1", shown={}) is None
        second = await tx.goals.add_run(goal, version=3, person_id="U1", shown={})
        found = [await tx.goals.find_run(TEAM, goal_id, version) for version in (1, 2, 3, 4)]
    assert [item.id if item else None for item in found] == [first, first, second, second]
