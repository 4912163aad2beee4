"""Changes of mind in words that only a model reads, through the whole bot and the calendar."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.views import ids
from storage.database import Database
from tests.bot.badinput.test_models import HOSTILE, event, read_texts
from tests.bot.badinput.whole_bot import DANA, GOOGLE, MO, WholeBot, whole_bot
from tests.bot.engine.test_readings import new, reading
from tests.bot.planning.test_validator import plan, task
from tests.support.openai_server import ScriptedModel, serve_model

WISH = "Book a kickoff with jane.doe@acme.example on 26 November 2030 at 10:00"
INVITATION = plan(task("t1", event(attendees=["jane.doe@acme.example"])))
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


async def test_event_moves_to_friday_before_and_after_run(scripted: Scripted) -> None:
    """Shown before Run, asked about after it; what is booked is what was shown and approved."""
    friday = reading("change", set=[new("t1", "start", "2030-11-29 10:00")])
    thursday = reading("change", set=[new("t1", "start", "2030-11-28 10:00")])
    async with scripted(INVITATION, friday, thursday) as bot:
        ts = await bot.say(WISH)
        await bot.connect()
        await bot.say("könnten wir das lieber auf Freitag legen?", thread_ts=ts)
        said = "\n".join(await bot.shown())
        assert "Changed: " in said
        assert "Fri 29 Nov" in said
        assert "the model suggested this" in said
        await bot.press(DANA, ids.GOAL_RUN)
        await bot.connect()
        await bot.say("oder doch Donnerstag?", thread_ts=ts)
        assert "Is this what you mean? Nothing is changed yet." in "\n".join(await bot.shown())
        await bot.press(DANA, ids.REMARK_PICK)
        assert bot.rows("SELECT status FROM remarks ORDER BY id") == [{"status": "settled"}] * 2
        await bot.press(DANA, ids.GOAL_RUN)
        await bot.press(MO, ids.APPROVAL_APPROVE)
        bodies = [item["body"] for item in (await bot.look(GOOGLE))["events"]]
        (booked,) = [body for body in bodies if body.get("summary") == "Kickoff"]
        assert booked["start"]["dateTime"].startswith("2030-11-28T10:00")
        assert booked["end"]["dateTime"].startswith("2030-11-28T10:30")


async def test_hostile_words_of_a_reading_neither_ping_nor_link(scripted: Scripted) -> None:
    """A value that a model read is data on the question, too."""  # S17, S20
    hostile = reading("either", set=[new("t1", "title", HOSTILE)])
    async with scripted(INVITATION, hostile) as bot:
        ts = await bot.say(WISH)
        await bot.connect()
        await bot.say("nenn es anders", thread_ts=ts)
        cards = await bot.cards()
        assert "becomes" in str(cards)
        assert "\u202e" not in "".join(await bot.shown())
        for text in read_texts(cards):
            assert not any(markup in text for markup in ("<!", "<@", "<https://evil"))
