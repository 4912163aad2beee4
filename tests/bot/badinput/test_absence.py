"""A full disk and a database that goes away: nothing is lost, nothing twice, people know."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import psycopg
import pytest

from bot.listeners.middleware import AWAY
from bot.serve import run_clock, run_jobs
from bot.views import ids
from bot.web.health import words
from bot.workspace.client import has_button, shows
from storage.database import Database
from storage.embedded import EmbeddedPostgres
from storage.health import read_health
from storage.migrate import upgrade
from tests.bot.badinput.whole_bot import DANA, HUBSPOT, WholeBot, whole_bot
from tests.storage.pg import folder_for_server

WISH = "Create a deal called Beta for Acme worth $48,000"
WRITTEN = ("inbox", "goals", "tasks", "attempts", "permits", "outbox", "procrastinate_jobs")


@contextmanager
def full_disk(url: str, *tables: str) -> Iterator[None]:
    """Let every write to these tables fail as PostgreSQL fails when it cannot extend a file.

    Source: https://www.postgresql.org/docs/18/errcodes-appendix.html (53100 disk_full).
    """
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE OR REPLACE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION 'could not extend file: No space left on device' "
            "USING ERRCODE = '53100'; END $$"
        )
        for table in tables:
            connection.execute(
                f"CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION full_disk()".encode()
            )
    try:
        yield
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            for table in tables:
                connection.execute(f"DROP TRIGGER full_disk ON {table}".encode())


async def proposed(bot: WholeBot) -> None:
    """Bring a goal to where Dana can run it, with everything connected that it needs."""
    await bot.say(WISH.replace("Beta", "Alpha"))
    await bot.connect()
    await bot.press(DANA, ids.GOAL_RUN)
    await bot.connect()
    await bot.say(WISH)


async def until(is_so: Callable[[], bool], *, timeout_s: float = 30) -> None:
    """Wait until something is so in the database, which has no event to wait for."""
    async with asyncio.timeout(timeout_s):
        while not is_so():  # noqa: ASYNC110 -- as the docstring says
            await asyncio.sleep(0.02)


async def betas(bot: WholeBot) -> int:
    deals = (await bot.look(HUBSPOT))["deals"]
    return sum(deal["properties"]["dealname"] == "Beta" for deal in deals)


async def test_event_while_the_disk_is_full_is_refused_and_taken_when_it_comes_again(
    bot: WholeBot,
) -> None:
    """Slack is answered 5xx, so it delivers again; health says what is wrong; one goal begins."""
    dm = bot.dm()
    with full_disk(bot.database_url, *WRITTEN):
        assert (await bot.post(dm)).status_code == 503
        ready = await bot.http.get("/readyz")
        assert (ready.status_code, ready.json()["database"]) == (503, "its disk is full")
    assert bot.goals() == []
    for _ in range(2):
        await bot.event(dm)
    assert len(bot.goals()) == 1


async def test_click_while_the_disk_is_full_is_answered_and_can_be_repeated(bot: WholeBot) -> None:
    """The person reads a plain sentence; the same button works afterwards, once."""
    await proposed(bot)
    card = next(c for c in reversed(await bot.cards()) if ids.GOAL_RUN in str(c))
    with full_disk(bot.database_url, *WRITTEN):
        await bot.people.click(DANA, card, ids.GOAL_RUN)
        await bot.workspace.settle()
    assert any(shows(AWAY)(message) for message in await bot.people.messages(DANA))
    assert bot.goals()[-1] == (WISH, "proposed")
    await bot.press(DANA, ids.GOAL_RUN)
    assert bot.goals()[-1] == (WISH, "done")
    assert await betas(bot) == 1


async def test_attempt_whose_outcome_finds_no_room_is_stored_when_there_is(bot: WholeBot) -> None:
    """What the provider answered is kept in hand while the lease lasts: known, and not twice."""
    await proposed(bot)
    await bot.fault(HUBSPOT, "slow", delay_s=0.4, match={"path_prefix": "/crm", "method": "POST"})
    card = next(c for c in reversed(await bot.cards()) if ids.GOAL_RUN in str(c))
    await bot.people.click(DANA, card, ids.GOAL_RUN)
    working = asyncio.create_task(bot.work())
    running = "SELECT 1 FROM attempts WHERE status = 'running'"
    await until(lambda: bool(bot.rows(running)))
    with full_disk(bot.database_url, "attempts", "tasks"):
        async with asyncio.timeout(10):
            while await betas(bot) == 0:  # noqa: ASYNC110 -- the provider has no event either
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)
        assert bot.rows(running)
    await working
    assert bot.goals()[-1] == (WISH, "done")
    assert await betas(bot) == 1


@asynccontextmanager
async def serving_database(folder: Path) -> AsyncIterator[tuple[EmbeddedPostgres, WholeBot]]:
    """Run the whole bot, its worker and its clock on a server that a test may stop."""
    with folder_for_server() as data:
        server = EmbeddedPostgres(data_dir=data, durable=False)
        url = await asyncio.to_thread(server.start)
        try:
            await asyncio.to_thread(upgrade, url)
            database = Database(url)
            async with whole_bot(database, url, folder) as bot, asyncio.TaskGroup() as group:
                loops = [run_jobs(bot.parts, database_url=url), *run_clock(bot.parts)]
                tasks = [group.create_task(loop) for loop in loops]
                try:
                    yield server, bot
                finally:
                    for task in tasks:
                        task.cancel()
            await database.close()
        finally:
            await asyncio.to_thread(server.stop)


@pytest.mark.timeout(60)
async def test_everything_goes_on_after_the_database_was_away(tmp_path: Path) -> None:
    """Worker, clock, pump and web live through it; a click meanwhile is answered in words."""
    async with serving_database(tmp_path) as (server, bot):
        await bot.people.do("message", {"as": DANA, "text": "hi", "dm": True})
        welcome = await bot.people.wait_for(DANA, has_button(ids.EXAMPLE), what="a welcome")
        await asyncio.to_thread(server.stop)
        await bot.people.click(DANA, welcome, ids.EXAMPLE)
        await bot.people.wait_for(DANA, shows(AWAY), what="that the database is away")
        dm = bot.dm()
        assert (await bot.post(dm)).status_code == 503
        health = words(await read_health(bot.database, timeout_s=1))
        assert health["database"] == "does not answer"
        await asyncio.to_thread(server.start)
        assert (await bot.post(dm)).status_code == 200
        await until(
            lambda: any(text == dm["text"] and at != "received" for text, at in bot.goals())
        )
