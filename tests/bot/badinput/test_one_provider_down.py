"""One of two providers is down: its steps queue, the other's branch is done, and it heals."""

import asyncio
from urllib.parse import urlsplit

import psycopg

from bot.views import ids
from tests.bot.badinput.test_indices import MAIN
from tests.bot.badinput.whole_bot import DANA, HUBSPOT, MO, WholeBot

CACHED_S = 1.2
"""Longer than a process believes what it read of breakers."""


async def forget_what_was_read() -> None:
    for _ in range(4):
        await asyncio.sleep(CACHED_S / 4)


def sql(bot: WholeBot, statement: str, *values: object) -> None:
    with psycopg.connect(bot.database_url) as connection:
        connection.execute(statement.encode(), values or None)


async def test_branch_of_a_provider_that_answers_is_done_meanwhile(bot: WholeBot) -> None:
    """The card says who does not answer; once it does the goal ends by itself, each effect once."""
    await bot.say(MAIN)
    await bot.connect()
    await bot.press(DANA, ids.GOAL_RUN)
    await bot.connect()
    await bot.press(MO, ids.APPROVAL_APPROVE)
    await bot.say(MAIN.replace("$48,000", "$9,000").replace("10:00", "14:00"))
    sql(
        bot,
        "INSERT INTO breakers (host, provider, retry_at, probes) "
        "VALUES (%s, 'hubspot', now() + interval '1 hour', 0)",
        urlsplit(bot.standins[HUBSPOT]).netloc,
    )
    await forget_what_was_read()
    await bot.press(DANA, ids.GOAL_RUN)
    await bot.press(MO, ids.APPROVAL_APPROVE)
    states = "SELECT action, status FROM tasks WHERE goal_id = 2 ORDER BY position"
    assert {row["action"]: row["status"] for row in bot.rows(states)} == {
        "hubspot.search_companies": "succeeded",
        "hubspot.create_deal": "ready",
        "google_calendar.create_event": "succeeded",
    }
    shown = "\n".join(await bot.shown())
    assert "HubSpot has not answered since" in shown
    sql(bot, "UPDATE breakers SET retry_at = now() - interval '1 second'")
    sql(bot, "UPDATE tasks SET not_before = NULL")
    await forget_what_was_read()
    await bot.work()
    assert [row["status"] for row in bot.rows("SELECT status FROM goals")] == ["done"] * 2
    assert bot.rows("SELECT host FROM breakers") == []
    writes = (
        "SELECT count(*) AS n FROM attempts WHERE idempotency <> 'read' AND status = 'succeeded'"
    )
    assert bot.rows(writes) == [{"n": 4}]
