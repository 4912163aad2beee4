"""Every query that the bot runs for a goal uses an index, however many goals there are.

One goal of each kind runs through the whole bot while its statements are written down; then the
tables are filled with copies of it, and each statement's plan is read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any
from unittest.mock import patch

import psycopg
import pytest

from bot.llm.messages import UsageRecord
from bot.views import ids
from tests.bot.badinput.whole_bot import DANA, MO, TEAM, WholeBot

GOALS = 200_000
OTHERS = 40_000
"""Rows of the other tables: enough that reading them all is never the planner's choice."""

NOT_PER_GOAL = frozenset(
    {
        *("teams", "people", "connections", "audit_heads", "digest_subscriptions"),
        *("parked_channels", "breakers", "durations", "halts"),
    }
)
"""Tables that grow with people, providers or actions; and the queue: as long as work waits."""

WISH = "Create a deal called Beta for Acme worth $48,000"
MAIN = (
    "Create a deal for Acme worth $48,000 and book a 30 minute kickoff with "
    "jane.doe@acme.example next Tuesday at 10:00"
)

Statements = dict[str, Any]


@contextmanager
def written_down() -> Iterator[Statements]:
    """Collect each different statement with the parameters of its last run."""
    found: Statements = {}

    execute = psycopg.AsyncCursor.execute

    async def note(cursor: Any, query: str | bytes, params: Any = None, **more: Any) -> Any:
        found[query.decode() if isinstance(query, bytes) else query] = params
        return await execute(cursor, query, params, **more)

    with patch.object(psycopg.AsyncCursor, "execute", note):
        yield found


async def live(bot: WholeBot) -> None:
    """Do everything once that the bot does for a goal, and what its clock does."""
    for wish in (WISH, MAIN):
        await bot.say(wish)
        await bot.connect()
        await bot.press(DANA, ids.GOAL_RUN)
        await bot.connect()
    await bot.press(MO, ids.APPROVAL_APPROVE)
    await bot.press(DANA, ids.TASK_UNDO)
    await bot.say("Which deals does Acme have?")
    await bot.event({"type": "app_home_opened", "user": DANA, "tab": "home", "channel": bot.dm_id})
    ts = await bot.say("In 3 days, create a deal called Gamma for Acme")
    await bot.press(DANA, ids.GOAL_RUN)
    await bot.say("drop the party", thread_ts=ts)
    await bot.press(DANA, ids.REMARK_NONE)
    await bot.say("Create a deal")
    parts = bot.parts
    await parts.wakes.wake_due()
    await parts.reading.sweep()
    async with bot.database.reading() as tx:
        await tx.waits.list_awaiting(TEAM, "hubspot", subjects={"1"}, events=["deal_changes"])
        await tx.waits.list_awaiting(TEAM, "hubspot", subjects=None, person_id=DANA)
    async with bot.database.transaction() as tx:
        await tx.usage.add(**asdict(UsageRecord(TEAM, 1, "plan", "large", "abc", 9, 9, 9, 9, "ok")))
    await parts.overdue.stop()
    await parts.overdue.warn()
    await parts.delivery.keep_up()
    await parts.delivery.send_due()
    await parts.desk.expire_due()
    await parts.connection_desk.sweep()
    await parts.dispatcher.sweep()
    await bot.seal()
    await bot.work()


def fill(bot: WholeBot) -> None:
    """Copy what the goals left behind until there are `GOALS` of them."""
    with psycopg.connect(bot.database_url) as connection:
        names = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' "
            "AND tablename NOT LIKE 'procrastinate%' AND tablename <> 'alembic_version'"
        ).fetchall()
        connection.execute("SET session_replication_role = replica")
        for (table,) in names:
            if table not in NOT_PER_GOAL:
                _copy(connection, table, GOALS if table == "goals" else OTHERS)
    with psycopg.connect(bot.database_url, autocommit=True) as connection:
        connection.execute("ANALYZE")


def _copy(connection: psycopg.Connection[Any], table: str, rows: int) -> None:
    """Fill a table with copies whose ids, and texts of unique keys, are their own."""
    counted = f"SELECT count(*) FROM {table}"  # noqa: S608 -- a name of our own schema
    (there,) = connection.execute(counted.encode()).fetchone() or (0,)
    if not there:
        return
    columns = connection.execute(
        "SELECT a.attname, format_type(a.atttypid, NULL), EXISTS (SELECT FROM pg_index i "
        "WHERE i.indrelid = a.attrelid AND i.indisunique AND a.attnum = ANY (i.indkey)) "
        "FROM pg_attribute a WHERE a.attrelid = %s::regclass AND a.attnum > 0 "
        "AND NOT a.attisdropped AND a.attgenerated = ''",
        [table],
    ).fetchall()
    values = [_value(name, kind, is_unique=is_unique) for name, kind, is_unique in columns]
    listed = ", ".join(name for name, _, _ in columns)
    copied = (
        f"INSERT INTO {table} ({listed}) OVERRIDING SYSTEM VALUE "  # noqa: S608 -- as above
        f"SELECT {', '.join(values)} FROM {table} r "
        f"CROSS JOIN generate_series(1, {rows // there}) n"
    )
    connection.execute(copied.encode())


def _value(name: str, kind: str, *, is_unique: bool) -> str:
    if kind == "bigint" and (name in ("id", "seq") or name.endswith("_id")):
        return f"r.{name} + n::bigint * 10000000"
    if name in ("requester_id", "person_id"):
        return f"r.{name} || (n % 1000)"
    if name == "thread_ts":
        return f"r.{name} || ':' || n"
    if kind == "text" and is_unique and name not in ("team_id", "channel_id", "noun"):
        return f"r.{name} || ':' || n"
    return f"r.{name}"


def slow_parts(plan: dict[str, Any]) -> Iterator[str]:
    """Yield what a plan reads row by row: whole tables that grow, or a whole index."""
    table = plan.get("Relation Name", "")
    if table not in NOT_PER_GOAL and not table.startswith("procrastinate"):
        if plan["Node Type"] == "Seq Scan" and table:
            yield f"reads all of {table}"
        if plan["Node Type"].startswith("Index") and plan.get("Plan Rows", 0) > 5000:
            yield f"reads {plan['Plan Rows']} rows of {table}"
    for part in plan.get("Plans", ()):
        yield from slow_parts(part)


@pytest.mark.timeout(120)
async def test_queries_of_a_goal_use_indices_with_200_000_goals(bot: WholeBot) -> None:
    """No statement reads a table that grows with goals from end to end."""
    with written_down() as statements:
        await live(bot)
    assert len(statements) > 80
    fill(bot)
    slow = []
    with psycopg.connect(bot.database_url) as connection:
        for statement, parameters in statements.items():
            if not statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
                continue
            row = connection.execute(
                f"EXPLAIN (FORMAT JSON) {statement}".encode(), parameters
            ).fetchone()
            assert row is not None
            found = sorted(set(slow_parts(row[0][0]["Plan"])))
            if found:
                slow.append(f"{'; '.join(found)}: {' '.join(statement.split())}")
    assert slow == []
