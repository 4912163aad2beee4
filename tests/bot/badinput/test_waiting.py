"""What waits, through the whole bot: cards, both stand-ins, their webhooks and channels."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.views import ids
from storage.database import Database
from tests.bot.badinput.whole_bot import DANA, GOOGLE, HUBSPOT, MO, TEAM, WholeBot, whole_bot
from tests.bot.planning.test_validator import plan, ref, task
from tests.support.openai_server import ScriptedModel, serve_model

Scripted = Callable[..., AbstractAsyncContextManager[WholeBot]]


@pytest.fixture
def scripted(database: Database, database_url: str, tmp_path: Path) -> Scripted:
    """Runs the whole bot with a model that answers as a test says."""

    @asynccontextmanager
    async def run(*answers: Any) -> AsyncIterator[WholeBot]:
        async with serve_model(ScriptedModel(answers=list(answers))) as model:
            settings = {"openai_base_url": model.url, "openai_api_key": "sk-made-up"}
            async with whole_bot(database, database_url, tmp_path, settings=settings) as bot:
                yield bot

    return run


def event(title: str) -> dict[str, Any]:
    times = {"start": "2030-11-26T10:00:00+01:00", "end": "2030-11-26T10:30:00+01:00"}
    rest: dict[str, Any] = {
        "zone": "Europe/Berlin",
        "attendees": [],
        "location": None,
        "description": None,
    }
    return {"create_event": {"title": title, **times, **rest}}


PILOT = {"search_deals": {"query": "Acme pilot", "company": None}}
WON = {
    "update_deal": {
        "deal_id": ref("t1", "deals", 0, "id"),
        "stage": "closedwon",
        "amount": None,
        "currency": None,
        "name": None,
        "clear_amount": False,
    }
}
CALENDAR = {
    "list_events": {
        "start": "2030-11-26T00:00:00+01:00",
        "end": "2030-11-27T00:00:00+01:00",
        "query": None,
    }
}
RENAMED = {
    "update_event": {
        "event_id": ref("t1", "events", 0, "id"),
        "title": "Party at noon",
        "start": None,
        "end": None,
        "location": None,
        "description": None,
    }
}


def awaited(name: str, *path: str | int, value: str | None = None) -> dict[str, Any]:
    return {"event": name, "subject": ref("t1", *path), "value": value, "at_most": "P14D"}


async def run(bot: WholeBot, wish: str) -> None:
    """Ask for something and let it run, connecting where that is asked for."""
    await bot.say(wish)
    await bot.connect()
    if bot.goals()[-1][1] == "proposed":
        await bot.press(DANA, ids.GOAL_RUN)
    await bot.connect()


async def delivered(bot: WholeBot, count: int = 1) -> None:
    """Return when so many webhooks were taken, after the bot has worked on them."""
    for _ in range(500):
        if bot.rows("SELECT count(*) AS n FROM hook_deliveries")[0]["n"] >= count:
            break
        await asyncio.sleep(0.01)
    await bot.work()


def titles(state: dict[str, Any]) -> list[str]:
    return [item["body"].get("summary", "") for item in state["events"]]


async def test_wish_for_later_waits_runs_late_and_calls_its_person(bot: WholeBot) -> None:
    """The card says until when; after downtime it runs once, says so, and mentions Dana."""
    await run(bot, "In 3 days, create a deal called Beta for Acme worth $48,000")
    assert [status for _, status in bot.goals()] == ["waiting"]
    assert "waits until" in "".join(await bot.shown())
    assert "Beta" not in str((await bot.look(HUBSPOT))["deals"])
    bot.rows(
        "UPDATE waits SET due_at = now() - interval '1 day', "
        "started_at = now() - interval '4 days' RETURNING id"
    )
    assert await bot.parts.wakes.wake_due() == 1
    assert await bot.parts.wakes.wake_due() == 0
    await bot.work()
    assert [status for _, status in bot.goals()] == ["done"]
    assert str((await bot.look(HUBSPOT))["deals"]).count("'Beta'") == 1
    said = await bot.shown()
    assert sum("I go on with" in text for text in said) == 1
    assert any("I was not running in between" in text for text in said)
    (told,) = [str(card) for card in await bot.cards() if "I go on with" in str(card)]
    assert told.count(f"<@{DANA}>") == 1


async def test_webhook_of_hubspot_lets_a_waiting_step_go_on(scripted: Scripted) -> None:
    """Signed by the stand-in, taken at the team's own address, seen through Dana's connection."""
    party = task(
        "t2",
        event("Party"),
        wait=awaited("deal_reaches_stage", "deals", 0, "id", value="Closed won"),
    )
    async with scripted(
        plan(task("t1", PILOT), party), plan(task("t1", PILOT), task("t2", WON))
    ) as bot:
        async with bot.database.reading() as tx:
            path = await tx.hooks.find_path(TEAM, HUBSPOT)
        await bot.control(HUBSPOT, "webhooks", {"url": f"{bot.url}{path}"})
        await run(bot, "When the Acme pilot is won, plan a party")
        assert [status for _, status in bot.goals()] == ["waiting"]
        assert "at most 14 days" in "".join(await bot.shown())
        await run(bot, "The Acme pilot is won")
        await delivered(bot)
        assert [status for _, status in bot.goals()] == ["done", "done"]
        assert titles(await bot.look(GOOGLE)).count("Party") == 1


async def test_channel_of_google_lets_a_waiting_step_go_on(scripted: Scripted) -> None:
    """A push message brings the poll forward; the poll names the event, and the look decides."""
    later = task("t2", event("Cake"), wait=awaited("event_changes", "events", 0, "id"))
    answers = (
        plan(task("t1", event("Party"))),
        plan(task("t1", CALENDAR), later),
        plan(task("t1", CALENDAR), task("t2", RENAMED)),
    )
    async with scripted(*answers) as bot:
        await run(bot, "Plan a party")
        await run(bot, "When the party changes, plan a cake")
        assert [status for _, status in bot.goals()] == ["done", "waiting"]
        bot.rows("UPDATE polls SET next_at = now() RETURNING stream")
        assert await bot.parts.happenings.poll_due() == 1
        await delivered(bot)  # The handshake.
        await run(bot, "Rename the party")
        await bot.press(MO, ids.APPROVAL_APPROVE)
        await delivered(bot, 2)
        assert await bot.parts.happenings.poll_due() == 1
        await bot.work()
        assert [status for _, status in bot.goals()] == ["done", "done", "done"]
        assert titles(await bot.look(GOOGLE)).count("Cake") == 1
