"""What the intake answers to anything that may be posted to it."""

import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.intake.app import MAX_BODY_BYTES
from tests.bot.jobs import deferred_jobs
from tests.bot.slack_bot import TEAM, SlackBot

FORM = "application/x-www-form-urlencoded"


def envelope(**changes: Any) -> dict[str, Any]:
    """Return the smallest event that we take."""
    usual = {
        "type": "event_callback",
        "team_id": TEAM,
        "event_id": "Ev1",
        "event": {"type": "app_mention", "channel": "C0SALES", "user": "U0DANA", "ts": "1.0"},
    }
    return usual | changes


def payload(**changes: Any) -> bytes:
    """Return the smallest click that we take."""
    usual = {
        "type": "block_actions",
        "team": {"id": TEAM},
        "user": {"id": "U0DANA"},
        "trigger_id": "t1",
        "actions": [{"action_id": "x", "type": "button", "value": "1"}],
    }
    return urlencode({"payload": json.dumps(usual | changes)}).encode()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"x_slack_signature": "v0=00"}, 401, id="forged"),
        pytest.param({"x_slack_signature": ""}, 401, id="unsigned"),
        pytest.param({"x_slack_request_timestamp": "abc"}, 401, id="no time"),
        pytest.param({"x_slack_request_timestamp": "1"}, 401, id="stale"),
    ],
)
async def test_unsigned_request_is_refused(
    bot: SlackBot, headers: dict[str, str], status: int
) -> None:
    """Nothing is stored of what Slack did not sign just now."""  # S19
    reply = await bot.post(envelope(), **headers)
    assert reply.status_code == status
    assert deferred_jobs(bot.database_url) == []


DEEP = b'{"a":' * 5000 + b"1" + b"}" * 5000


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(b"", "application/json", id="empty"),
        pytest.param(b"{", "application/json", id="truncated"),
        pytest.param(b"[]", "application/json", id="list"),
        pytest.param(b"\xff\xfe{}", "application/json", id="not utf-8"),
        pytest.param(DEEP, "application/json", id="deep"),
        pytest.param(b'{"type":"event_callback","a":NaN}', "application/json", id="nan"),
        pytest.param(b'{"type":"event_callback","a":1e999}', "application/json", id="infinite"),
        pytest.param(b"9" * 5000, "application/json", id="endless number"),
        pytest.param(envelope(type="nonsense"), "application/json", id="unknown type"),
        pytest.param(envelope(event_id=None), "application/json", id="no event id"),
        pytest.param(envelope(event_id="x" * 9000), "application/json", id="endless event id"),
        pytest.param(envelope(event=[]), "application/json", id="event is a list"),
        pytest.param(envelope(event={}), "application/json", id="event without type"),
        pytest.param({"type": "url_verification"}, "application/json", id="no challenge"),
        pytest.param(envelope(), "text/plain", id="other content type"),
        pytest.param(b"\xff=1", FORM, id="form not utf-8"),
        pytest.param(b"%ff=1", FORM, id="form escapes not utf-8"),
        pytest.param(b"&".join([b"a=1"] * 500), FORM, id="too many fields"),
        pytest.param(b"a=1", FORM, id="form of nothing"),
        pytest.param(b"payload={", FORM, id="payload truncated"),
        pytest.param(b"payload=[]", FORM, id="payload is a list"),
        pytest.param(payload(team=None), FORM, id="no team"),
        pytest.param(payload(user="U0DANA"), FORM, id="user is text"),
        pytest.param(payload(actions=[]), FORM, id="no action"),
        pytest.param(payload(type="view_submission"), FORM, id="no view"),
        pytest.param(b"command=/countersign", FORM, id="command without team"),
    ],
)
async def test_malformed_body_is_refused(bot: SlackBot, body: Any, kind: str) -> None:
    """Whatever is signed but malformed gets a 400 and stores nothing."""  # S33
    reply = await bot.post(body, kind=kind)
    assert reply.status_code == 400
    assert deferred_jobs(bot.database_url) == []


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "chunked"])
async def test_oversized_body_is_refused(bot: SlackBot, *, chunked: bool) -> None:
    """A body above one mebibyte is not read to its end."""  # S33
    body = b"x" * (MAX_BODY_BYTES + 1)

    async def chunks() -> Any:
        yield body[:1000]
        yield body[1000:]

    content: Any = chunks() if chunked else body
    reply = await bot.http.post("/slack/events", content=content)
    assert reply.status_code == 413


async def test_url_is_verified(bot: SlackBot) -> None:
    """Slack's challenge comes back."""
    reply = await bot.post({"type": "url_verification", "challenge": "abc"})
    assert reply.json() == {"challenge": "abc"}


async def test_event_is_stored_with_its_job(bot: SlackBot) -> None:
    """A 200 says that the event and its job are in the database."""
    reply = await bot.post(envelope())
    assert reply.status_code == 200
    assert [name for name, _ in deferred_jobs(bot.database_url)] == ["handle_event"]


async def test_duplicate_event_has_no_second_job(bot: SlackBot) -> None:
    """A repeated event is acknowledged and changes nothing."""  # S19
    assert [(await bot.post(envelope())).status_code for _ in range(3)] == [200, 200, 200]
    assert len(deferred_jobs(bot.database_url)) == 1


async def test_characters_that_postgres_refuses_are_stored_as_marks(bot: SlackBot) -> None:
    """NUL and half characters lose nothing else and raise nothing."""  # S33
    event = {**envelope()["event"], "text": "a\x00b\ud800c😀"}
    assert (await bot.post(envelope(event=event))).status_code == 200
    await bot.work()
    assert [call[1].text for call in bot.services.calls] == ["a\ufffdb\ufffdc😀"]


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"bot_id": "B0BOT"}, id="posted"),
        pytest.param({"subtype": "bot_message"}, id="by a webhook"),
        pytest.param(
            {"subtype": "message_changed", "message": {"bot_id": "B0BOT", "ts": "1.0"}},
            id="updated",
        ),
    ],
)
async def test_message_of_an_app_is_acknowledged_and_dropped(
    bot: SlackBot, event: dict[str, Any]
) -> None:
    """Slack reports our own cards back; they cost no row and no job."""
    message = {"type": "message", "channel": "D0DANA", "ts": "1.0", **event}
    assert (await bot.post(envelope(event=message))).status_code == 200
    assert deferred_jobs(bot.database_url) == []


async def test_message_that_a_person_edited_is_stored(bot: SlackBot) -> None:
    """A change of a person's message is none of an app, whoever else wrote in the thread."""
    inner = {"user": "U0DANA", "text": "hi", "ts": "1.0"}
    event: dict[str, Any] = {
        "type": "message",
        "subtype": "message_changed",
        "channel": "D0",
        "ts": "2.0",
    }
    event["message"] = inner
    assert (await bot.post(envelope(event=event))).status_code == 200
    assert len(deferred_jobs(bot.database_url)) == 1


async def test_event_of_another_team_is_acknowledged_and_dropped(bot: SlackBot) -> None:
    """Refusing it would only have Slack send it again."""
    assert (await bot.post(envelope(team_id="T0OTHER"))).status_code == 200
    assert deferred_jobs(bot.database_url) == []


async def test_event_of_a_shared_channel_is_ours_by_authorization(bot: SlackBot) -> None:
    """Where Slack names another team first, the authorization says that it is for us."""
    body = envelope(team_id="T0OTHER", authorizations=[{"team_id": TEAM}])
    assert (await bot.post(body)).status_code == 200
    assert len(deferred_jobs(bot.database_url)) == 1


async def test_click_of_another_team_is_refused(bot: SlackBot) -> None:
    """An interaction for another workspace reaches no listener."""  # S15
    reply = await bot.post(payload(team={"id": "T0OTHER"}), kind=FORM)
    assert reply.status_code == 403
    assert bot.services.calls == []


async def test_repeated_trigger_is_handled_once(bot: SlackBot) -> None:
    """A replayed click within the five minutes changes nothing."""  # S19
    body = payload(actions=[{"action_id": "task_undo", "type": "button", "value": "31"}])
    assert [(await bot.post(body, kind=FORM)).status_code for _ in range(2)] == [200, 200]
    assert [call[0] for call in bot.services.calls] == ["undo"]


async def test_certificate_check_is_answered(bot: SlackBot) -> None:
    """Slack checks the certificate with a form of its own."""
    reply = await bot.post(b"ssl_check=1&token=x", kind=FORM)
    assert reply.status_code == 200


async def test_acknowledgement_is_quick(bot: SlackBot) -> None:
    """An event is stored and answered far within Slack's three seconds."""
    started = time.perf_counter()
    for number in range(20):
        assert (await bot.post(envelope(event_id=f"Ev{number}"))).status_code == 200
    assert time.perf_counter() - started < 2
