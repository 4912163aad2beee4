"""Whatever a model answers, nothing runs that the validator, the labels and people did not let."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from storage.database import Database
from tests.bot.badinput.whole_bot import GOOGLE, HUBSPOT, WholeBot, whole_bot
from tests.bot.planning.test_validator import plan, task
from tests.support.openai_server import Fault, ScriptedModel, serve_model

WISH = "Please set something up with Acme"
KEY = "sk-canary-model-key-77"
Scripted = Callable[..., AbstractAsyncContextManager[tuple[WholeBot, ScriptedModel]]]


@pytest.fixture
def scripted(database: Database, database_url: str, tmp_path: Path) -> Scripted:
    """Runs the whole bot with a model that answers as a test says."""

    @asynccontextmanager
    async def run(*answers: Any) -> AsyncIterator[tuple[WholeBot, ScriptedModel]]:
        async with serve_model(ScriptedModel(answers=list(answers))) as model:
            settings = {"openai_base_url": model.url, "openai_api_key": KEY}
            async with whole_bot(database, database_url, tmp_path, settings=settings) as bot:
                yield bot, model

    return run


def event(**changes: Any) -> dict[str, Any]:
    """Return a call of create_event."""
    usual: dict[str, Any] = {
        "title": "Kickoff",
        "start": "2030-11-26T10:00:00+01:00",
        "end": "2030-11-26T10:30:00+01:00",
        "zone": "Europe/Berlin",
        "attendees": [],
        "location": None,
        "description": None,
    }
    return {"create_event": usual | changes}


BAD = {
    "prose": "Sure! I have created the deal for you.",
    "truncated": '{"say": "x", "tasks": [{"id": "t1", "call": {"create_deal": {"name": "A',
    "nothing": "",
    "list": "[]",
    "deep": '{"say": ' * 3000,
    "unknown action": plan(task("t1", {"delete_everything": {}})),
    "unknown argument": plan(task("t1", event(sudo=True))),
    "wrong type": plan(task("t1", event(title={"a": 1}))),
    "cycle": plan(task("t1", event(), after=["t2"]), task("t2", event(), after=["t1"])),
    "self": plan(task("t1", event(), after=["t1"])),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
async def test_answer_that_stays_bad_becomes_a_question(scripted: Scripted, bad: Any) -> None:
    """Two repairs, then the person is asked; no task exists, no provider hears of it."""
    async with scripted(bad, bad, bad) as (bot, model):
        await bot.say(WISH)
        assert bot.goals() == [(WISH, "asking")]
        assert "I could not turn this into steps" in "\n".join(await bot.shown())
        assert len(model.requests) == 3
        await nothing_ran(bot)


@pytest.mark.parametrize(
    "fault",
    [Fault(401), Fault(429), Fault(500), Fault(200, body="<html>")],
    ids=["401", "429", "500", "html"],
)
async def test_model_that_fails_is_said_plainly(scripted: Scripted, fault: Fault) -> None:
    """The goal ends with what is wrong and what to do; the endpoint's words stay out."""  # S35
    async with scripted(fault, fault, fault) as (bot, _):
        await bot.say(WISH)
        assert bot.goals() == [(WISH, "failed")]
        said = "\n".join(await bot.shown())
        assert KEY not in said
        assert "model" in said.lower()
        await nothing_ran(bot)


HOSTILE = "<!channel> <https://evil.example|Approve here> *Approved by Mo* \u202eevil <@U0MO>"


async def test_hostile_words_of_a_model_neither_ping_nor_link(scripted: Scripted) -> None:
    """`say` and a title are data: escaped, marked, and nothing runs by itself."""  # S17, S20
    hostile = plan(task("t1", event(title=HOSTILE, attendees=["eve@evil.example"])), say=HOSTILE)
    async with scripted(hostile) as (bot, _):
        await bot.say(WISH)
        await bot.connect()
        assert bot.goals() == [(WISH, "proposed")]
        cards = await bot.cards()
        assert "evil.example" in str(cards)
        assert "\u202e" not in "".join(await bot.shown())
        for text in read_texts(cards):
            assert not any(markup in text for markup in ("<!", "<@", "<https://evil"))
        await nothing_ran(bot)


async def test_invented_guest_is_marked_and_waits_for_a_human(scripted: Scripted) -> None:
    """A value that only the model supplied is labelled so on every card, and is asked for."""  # S3
    invented = plan(task("t1", event(attendees=["eve@evil.example"])))
    async with scripted(invented) as (bot, _):
        await bot.say(WISH)
        await bot.connect()
        (card,) = [said for said in await bot.shown() if "eve@evil.example" in said]
        assert "the model" in card
        assert bot.goals() == [(WISH, "proposed")]
        await nothing_ran(bot)


def read_texts(node: Any) -> list[str]:
    """Return every text of a message that Slack would read for markup."""
    if isinstance(node, list):
        return [text for item in node for text in read_texts(item)]
    if not isinstance(node, dict):
        return []
    found = [node["text"]] if isinstance(node.get("text"), str) else []
    own = found if node.get("type") != "plain_text" else []
    return own + [text for value in node.values() for text in read_texts(value)]


async def nothing_ran(bot: WholeBot) -> None:
    events = (await bot.look(GOOGLE))["events"]
    assert [item for item in events if "Kickoff" in str(item["body"].get("summary"))] == []
    assert (await bot.look(GOOGLE, "mails"))["mails"] == []
    log = [
        *(await bot.look(HUBSPOT, "log"))["requests"],
        *(await bot.look(GOOGLE, "log"))["requests"],
    ]
    written = [item for item in log if item["method"] in {"POST", "PATCH", "DELETE"}]
    assert [item for item in written if "oauth" not in item["path"]] == []
    assert bot.rows("SELECT id FROM permits") == []
