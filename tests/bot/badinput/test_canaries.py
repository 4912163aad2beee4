"""Secrets with known values go through everything, and turn up nowhere."""

import asyncio
import base64
import io
import json
import logging
import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import structlog
from psycopg import sql

from bot.telemetry.logs import configure_logging
from bot.views import ids
from connectors.breaker import Breakers
from connectors.broker import TokenBroker
from connectors.egress import Egress
from storage.crypto import Vault
from storage.database import Database
from tests.bot.badinput.test_models import event
from tests.bot.badinput.whole_bot import (
    ACCOUNT,
    DANA,
    GOOGLE,
    HUBSPOT,
    MO,
    TEAM,
    WholeBot,
    whole_bot,
)
from tests.bot.planning.test_validator import plan, ref, task
from tests.support.openai_server import Fault, ScriptedModel, serve_model

KEY = secrets.token_bytes(32)
SETTINGS = {
    "slack_bot_token": "xoxb-canary-bot-token",
    "slack_signing_secret": "canary-signing-secret",
    "openai_api_key": "sk-canary-openai",
    "countersign_encryption_key": base64.b64encode(KEY).decode(),
}
CLIENT_SECRETS = {HUBSPOT: "canary-hubspot-secret", GOOGLE: "canary-google-secret"}
INVITATION = plan(task("t1", event(attendees=["jane.doe@acme.example"])))
QUESTION = plan(
    task("t1", {"search_deals": {"query": None, "company": "Acme"}}),
    task("t2", {"answer": {"question": "Which?", "rows": ref("t1", "deals"), "columns": None}}),
)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged at the loudest level, without the mask that is the last net."""
    loggers = [logging.getLogger(), *map(logging.getLogger, logging.root.manager.loggerDict)]
    before = [(logger, logger.level, list(logger.handlers), logger.propagate) for logger in loggers]
    stream = io.StringIO()
    configure_logging(level="debug", form="json", secrets=(), stream=stream)
    try:
        yield stream
    finally:
        structlog.reset_defaults()
        for logger, level, handlers, propagate in before:
            logger.setLevel(level)
            logger.handlers = handlers
            logger.propagate = propagate


async def test_no_secret_turns_up_anywhere(
    database: Database, database_url: str, tmp_path: Path, log: io.StringIO
) -> None:
    """Not in the log at debug, a prompt, a post, a row, or a page, also when things fail."""  # S35
    async with serve_model(ScriptedModel()) as model:
        settings = SETTINGS | {"openai_base_url": model.url}
        async with whole_bot(
            database, database_url, tmp_path, settings=settings, client_secrets=CLIENT_SECRETS
        ) as bot:
            canaries = {**SETTINGS, **CLIENT_SECRETS}
            pages = await play(bot, model, canaries)
            await bot.seal()
            seen = {
                "log": log.getvalue(),
                "prompts": str(model.requests),
                "pages": "\n".join(pages),
                "home": str(await bot.people.look("views", **{"as": DANA})),
                "posts": "\n".join([*await bot.shown(), *await bot.shown(MO)]),
                "database": dump(database_url),
                "workspace": "".join(
                    path.read_bytes().decode("latin-1")
                    for path in (tmp_path / "workspace").rglob("*")
                    if path.is_file()
                ),
            }
    assert len(canaries) >= len(SETTINGS) + len(CLIENT_SECRETS) + 4
    assert all(seen.values())
    assert "jane.doe@acme.example" in seen["posts"]
    assert [status for _, status in bot.goals()].count("done") >= 2
    lines = [json.loads(line) for line in seen["log"].splitlines()]
    assert {line["logger"].split(".")[0] for line in lines} <= {"bot", "connectors", "storage"}
    found = [
        (name, place)
        for name, value in canaries.items()
        for place, text in seen.items()
        for form in (value, value.encode().hex(), base64.b64encode(value.encode()).decode())
        if form in text
    ]
    assert found == []
    assert KEY.hex() not in "".join(seen.values())


async def play(bot: WholeBot, model: ScriptedModel, canaries: dict[str, str]) -> list[str]:
    """Go through what is done with secrets, failures included; return the pages read."""
    model.answers = [QUESTION, INVITATION, Fault(401), Fault(500), Fault(500)]
    await bot.say("Which deals does Acme have?")
    await bot.connect()
    await keep_tokens(bot, canaries)
    await bot.say("Invite jane.doe@acme.example to the Kickoff")
    await bot.connect()
    await bot.press(DANA, ids.GOAL_RUN)
    await bot.connect()
    await bot.press(MO, ids.APPROVAL_APPROVE)
    await bot.control(HUBSPOT, "expire-tokens")
    await bot.control(GOOGLE, "expire-tokens")
    await bot.say("Which deals does Acme have?")
    await bot.say("Which deals does Acme have now?")
    await keep_tokens(bot, canaries)
    await bot.control(GOOGLE, "revoke-grants", {"email": ACCOUNT})
    model.answers = [INVITATION, QUESTION]
    await bot.say("Invite jane.doe@acme.example to the Kickoff again")
    await bot.say("Which deals does Acme have today?")
    await keep_tokens(bot, canaries)
    await bot.people.do("command", {"as": DANA, "command": "/countersign", "text": "digest"})
    await bot.people.do("open-home", {"as": DANA})
    await bot.work()
    answers = [
        await bot.http.get("/oauth/hubspot/callback?state=x&code=y"),
        await bot.http.get("/connect/x"),
        await bot.http.get("/goals/x"),
        await bot.http.get("/readyz"),
        await bot.http.post("/slack/events", content=b"{}"),
    ]
    await asyncio.sleep(0)
    return [answer.text for answer in answers]


async def keep_tokens(bot: WholeBot, canaries: dict[str, str]) -> None:
    """Learn the tokens that are stored now."""
    vault = Vault.from_setting(SETTINGS["countersign_encryption_key"])
    broker = TokenBroker(
        database=bot.database, vault=vault, egress=Egress([]), breakers=Breakers(bot.database)
    )
    async with bot.database.transaction() as tx:
        for provider in (HUBSPOT, GOOGLE):
            row = await tx.connections.find(TEAM, DANA, provider)
            if row is None or row.secret is None:
                continue
            tokens = broker.open(row)
            canaries[f"{provider} access {row.version}"] = tokens.access
            canaries[f"{provider} refresh"] = tokens.refresh or tokens.access


def dump(database_url: str) -> str:
    """Return every row of every table as text."""
    with psycopg.connect(database_url) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        texts = [
            str(row[0])
            for (table,) in tables
            for row in connection.execute(
                sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table))
            ).fetchall()
        ]
    return "\n".join(texts)
