"""Machines whose clocks are ten minutes off: the database's clock decides, so nothing goes wrong.

Two processes of one machine cannot have two wall clocks, so it is the database's that is set:
on these connections `now()` and `clock_timestamp()` are ten minutes ahead or behind of the engine.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import psycopg
import pytest

from bot.engine.progress import Timing
from bot.goals.clicks import Click
from connectors.errors import RetryLaterError
from storage.database import Database
from storage.instants import DatabaseClock
from storage.tables.approvals import Verdict
from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.engine.counting import Provider
from tests.bot.engine.test_gate import clear_without_running
from tests.bot.engine.test_recovery import die_while_sending
from tests.bot.engine.world import ASK_MO, MO, TEAM, World, add, open_world

OFF = timedelta(minutes=10)
SHORT = Timing(lease_s=0.4, call_timeout_s=0.3, retry_base_s=0.0, max_tries=3)


@pytest.fixture(params=[-1, 1], ids=["machine-ahead", "machine-behind"])
async def skewed(
    database_url: str, request: pytest.FixtureRequest, counting: tuple[Provider, str]
) -> AsyncIterator[World]:
    """A world whose machine's clock differs from the database's by ten minutes."""
    seconds = int(request.param * OFF.total_seconds())
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE SCHEMA skewed")
        for name in ("now", "clock_timestamp"):
            connection.execute(
                f"CREATE FUNCTION skewed.{name}() RETURNS timestamptz LANGUAGE sql AS "
                f"$$ SELECT pg_catalog.{name}() + interval '{seconds} seconds' $$".encode()
            )
    options = quote("-csearch_path=skewed,pg_catalog,public", safe="")
    joint = "&" if "?" in database_url else "?"
    database = Database(f"{database_url}{joint}options={options}")
    try:
        async with open_world(database, *counting) as world:
            yield world
    finally:
        await database.close()


async def test_skewed_machine_runs_a_goal_once(skewed: World) -> None:
    """A lease is neither over before it began nor alive for ten minutes too long."""
    goal_id = await skewed.start(*[add(key, f"Report {key}") for key in ("t1", "t2", "t3")])
    await asyncio.gather(*[skewed.drive(goal_id) for _ in range(3)])
    assert (await skewed.goal(goal_id)).status is GoalStatus.DONE
    assert sorted(skewed.provider.effects) == ["Report t1", "Report t2", "Report t3"]


async def test_skewed_machine_sends_nothing_after_its_lease(skewed: World) -> None:
    """How long is left is measured from the database's answer, whatever the wall clock says."""
    skewed.timing = SHORT
    skewed.wire()
    goal_id = await skewed.plan(add("t1", "Report", is_own=True, kind="unsafe"))
    cleared = await clear_without_running(skewed, goal_id)
    await asyncio.sleep(SHORT.lease_s)
    with pytest.raises(RetryLaterError, match="time left"):
        await skewed.executor.execute(
            cleared.permit,
            cleared.prepared.call,
            idempotency=cleared.prepared.idempotency,
            send_before=cleared.send_before,
        )
    assert skewed.provider.keys == []


@pytest.mark.parametrize("kind", ["keyed", "verifiable"])
async def test_skewed_machine_takes_a_dead_attempt_over_when_its_lease_is_over(
    skewed: World, kind: str
) -> None:
    """Neither ten minutes early, when the old attempt could still send, nor ten minutes late."""
    skewed.timing = SHORT
    skewed.wire()
    goal_id = await skewed.plan(add("t1", "Report", kind=kind, is_own=True))
    await die_while_sending(skewed, goal_id)
    await skewed.drive(goal_id)
    assert (await skewed.statuses(goal_id))["t1"] is TaskStatus.RUNNING
    await asyncio.sleep(SHORT.lease_s + SHORT.call_timeout_s)
    assert await skewed.sweeper.sweep() == 1
    await skewed.drive(goal_id)
    assert (await skewed.goal(goal_id)).status is GoalStatus.DONE
    assert skewed.provider.effects == ["Report"]


async def test_approval_expires_by_the_clock_of_the_database(skewed: World) -> None:
    """A deadline five minutes ahead has not passed; one a second ago has (S12)."""
    skewed.policy = ASK_MO
    skewed.wire()
    first = await skewed.start(add("t1", "Invitation", guests=["a@b.example"]))
    second = await skewed.start(add("t1", "Other", guests=["a@b.example"]))
    skewed.sql("UPDATE approvals SET deadline_at = skewed.now() + interval '5 minutes'")
    assert await skewed.desk.expire_due() == 0
    click = Click(TEAM, MO)
    answer = await skewed.desk.decide(click, await skewed.item(first), Verdict.APPROVE, None)
    assert answer.ok
    skewed.sql("UPDATE approvals SET deadline_at = skewed.now() - interval '1 second'")
    answer = await skewed.desk.decide(click, await skewed.item(second), Verdict.APPROVE, None)
    assert "expired" in answer.text


async def test_clock_of_a_process_is_the_database_s(skewed: World) -> None:
    """Digests, dates in messages and signatures are judged by the database's time."""
    clock = DatabaseClock()
    async with skewed.database.reading() as tx:
        await clock.read(tx.session)
    off = abs(clock.now() - datetime.now(UTC))
    assert abs(off - OFF) < timedelta(seconds=2)
