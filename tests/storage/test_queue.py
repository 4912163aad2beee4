"""The queue: a job exists if and only if its transaction commits, and waits at most once."""

import asyncio

import pytest
from sqlalchemy import text

from storage.database import Database
from storage.queue import Priority
from tests.bot.jobs import deferred_jobs

WAITS = {"team_id": "T1", "goal_id": 1}


class RolledBackError(Exception):
    """Ends a transaction."""


async def test_job_of_a_transaction_that_rolls_back_never_exists(database: Database) -> None:
    """A nudge follows from a state; without the state there is none."""

    async def fail() -> None:
        async with database.transaction() as tx:
            await tx.defer("drive", team_id="T1", goal_id=1)
            await tx.defer("drive", once="1", team_id="T1", goal_id=1)
            raise RolledBackError

    with pytest.raises(RolledBackError):
        await fail()
    assert deferred_jobs(database.url) == []


async def test_duplicate_of_a_waiting_job_is_skipped_and_the_rest_commits(
    database: Database,
) -> None:
    """A clash costs nothing but the job itself."""
    async with database.transaction() as tx:
        await tx.defer("drive", once="1", team_id="T1", goal_id=1)
    async with database.transaction() as tx:
        await tx.defer("drive", once="1", team_id="T1", goal_id=1)
        await tx.people.upsert_team(team_id="T1", name="Northwind", bot_user_id="U1")
        await tx.defer("drive", once="1", team_id="T1", goal_id=1)
    assert deferred_jobs(database.url) == [("drive", WAITS)]
    async with database.transaction() as tx:
        assert await tx.people.find_team("T1") is not None


async def test_job_of_another_name_is_not_in_the_way(database: Database) -> None:
    """What an older version left under its own name holds up nothing of a newer one."""
    async with database.transaction() as tx:
        await tx.defer("drive", once="1", team_id="T1", goal_id=1)
    async with database.transaction() as tx:
        await tx.defer("drive_goal", once="1", team_id="T1", goal_id=1)
    assert deferred_jobs(database.url) == [("drive", WAITS), ("drive_goal", WAITS)]


async def test_waiting_nudge_is_moved_forward_when_a_person_waits_for_it(
    database: Database,
) -> None:
    """A click does not wait behind the background only because a sweep asked for it first."""
    for priority in (Priority.BACKGROUND, Priority.INTERACTIVE, Priority.NORMAL):
        async with database.transaction() as tx:
            await tx.defer("drive", once="1", priority=priority, team_id="T1", goal_id=1)
    async with database.transaction() as tx:
        rows = await tx.session.scalars(text("SELECT priority FROM procrastinate_jobs"))
        assert rows.all() == [Priority.INTERACTIVE]


async def test_job_that_runs_does_not_hold_up_the_next(database: Database) -> None:
    """A wake-up while a drive runs makes another drive: only waiting jobs are duplicates."""
    async with database.transaction() as tx:
        await tx.defer("drive", once="1", team_id="T1", goal_id=1)
    async with database.transaction() as tx:
        await tx.session.execute(text("UPDATE procrastinate_jobs SET status = 'doing'"))
    async with database.transaction() as tx:
        await tx.defer("drive", once="1", team_id="T1", goal_id=1)
    assert deferred_jobs(database.url) == [("drive", WAITS)]


async def test_duplicates_at_once_leave_one_job(database: Database) -> None:
    """Many transactions that defer the same nudge commit, and one job waits."""

    async def wake() -> None:
        async with database.transaction() as tx:
            await tx.defer("drive", once="1", team_id="T1", goal_id=1)

    await asyncio.gather(*[wake() for _ in range(8)])
    assert deferred_jobs(database.url) == [("drive", WAITS)]
