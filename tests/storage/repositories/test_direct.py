"""The short way to the driver gives the session's own objects, in the session's transaction."""

import asyncio

import psycopg
import pytest
from sqlalchemy import select, text

from storage.database import Database
from storage.errors import DatabaseAwayError
from storage.repositories.direct import selected
from storage.tables.goals import Goal, GoalStatus
from tests.storage.repositories.test_tasks import TEAM, add_goal

_GOALS = selected(Goal, "WHERE team_id = %(team)s")
_PID = "SELECT pg_backend_pid()"


async def test_object_is_the_one_that_the_session_finds(database: Database) -> None:
    """Whichever way a row is read, it is one object, as the last read left it."""
    await add_goal(database)
    async with database.transaction() as tx:
        [found] = await tx.direct.objects(Goal, _GOALS, {"team": TEAM})
        assert found.status is GoalStatus.RUNNING
        assert (await tx.session.scalars(select(Goal))).one() is found
        await tx.session.execute(text("UPDATE goals SET reason = 'changed'"))
        assert (await tx.direct.objects(Goal, _GOALS, {"team": TEAM})) == [found]
        assert found.reason == "changed"


async def test_statement_of_a_transaction_that_fails_is_undone(database: Database) -> None:
    """Nothing that a transaction did remains when its block raises."""
    await add_goal(database)

    async def fail() -> None:
        async with database.transaction() as tx:
            await tx.direct.rows("UPDATE goals SET reason = 'lost' RETURNING id", {})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with database.reading() as tx:
        [found] = await tx.direct.objects(Goal, _GOALS, {"team": TEAM})
    assert found.reason is None


async def test_connection_that_was_lost_is_not_used_again(database: Database) -> None:
    """The database goes away under a transaction: the next one gets another connection."""
    async with database.reading() as tx:
        [(pid,)] = await tx.direct.rows(_PID, {})
    with psycopg.connect(database.url.replace("+psycopg", "")) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
    with pytest.raises(DatabaseAwayError):
        async with database.transaction() as tx:
            await tx.direct.rows(_PID, {})
    async with database.transaction() as tx:
        assert await tx.direct.value(_PID, {}) != pid


async def test_restart_costs_one_transaction_and_not_one_for_each_connection(
    database: Database,
) -> None:
    """Once one connection was found lost, none that was open before is used again."""

    async def pid() -> int:
        async with database.transaction() as tx:
            (found,) = (await tx.direct.rows("SELECT pg_backend_pid(), pg_sleep(0.05)", {}))[0][:1]
            return int(found)

    before = await asyncio.gather(*[pid() for _ in range(4)])
    with psycopg.connect(database.url.replace("+psycopg", "")) as other:
        for lost in before:
            other.execute("SELECT pg_terminate_backend(%s)", [lost])
    with pytest.raises(DatabaseAwayError):
        await pid()
    after = await asyncio.gather(*[pid() for _ in range(4)])
    assert not set(before) & set(after)


async def test_connection_of_a_cancelled_statement_is_not_used_again(database: Database) -> None:
    """What was cancelled in the middle cannot disturb whoever comes next."""
    async with database.reading() as tx:
        [(pid,)] = await tx.direct.rows(_PID, {})

    async def sleep() -> None:
        async with database.transaction() as tx:
            await tx.direct.rows("SELECT pg_sleep(5)", {})

    sleeping = asyncio.create_task(sleep())
    await asyncio.sleep(0.1)
    sleeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeping
    async with database.reading() as tx:
        assert await tx.direct.value(_PID, {}) != pid


async def test_session_and_direct_statements_commit_and_fail_together(database: Database) -> None:
    """What goes through the session and what goes past it is one transaction."""
    await add_goal(database)

    async def change(*, fails: bool) -> None:
        async with database.transaction() as tx:
            await tx.direct.rows("UPDATE goals SET reason = 'direct' RETURNING id", {})
            await tx.session.execute(text("UPDATE goals SET channel_id = 'session'"))
            if fails:
                raise ZeroDivisionError

    async def found() -> tuple[str | None, str]:
        async with database.reading() as tx:
            [goal] = await tx.direct.objects(Goal, _GOALS, {"team": TEAM})
        return goal.reason, goal.channel_id

    before = await found()
    with pytest.raises(ZeroDivisionError):
        await change(fails=True)
    assert await found() == before
    await change(fails=False)
    assert await found() == ("direct", "session")
