"""What the bot is sent, signed how, and when again."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk.signature import SignatureVerifier
from starlette.responses import Response

from bot.workspace.app import WorkspaceConfig
from tests.bot.workspace.conftest import SECRET, Bot, Running


async def test_direct_message_arrives_signed_as_slack_signs(workspace: Running, bot: Bot) -> None:
    """An event carries a v0 signature over its raw body that Slack's own verifier accepts. S19."""
    posted = await workspace.do("message", **{"as": "U0DANA"}, dm=True, text="hi")
    (received,) = await bot.wait_for(1)
    assert SignatureVerifier(SECRET).is_valid_request(received.body, received.headers)
    event = received.event
    assert (event["type"], event["channel_type"], event["user"]) == ("message", "im", "U0DANA")
    assert (event["channel"], event["ts"]) == ("D0DANA", posted["ts"])
    assert event["text"] == "hi"


async def test_mention_in_channel_arrives_as_message_and_app_mention(
    workspace: Running, bot: Bot
) -> None:
    """A mention in a channel is two events with two ids and one timestamp."""
    await workspace.do("message", **{"as": "U0DANA"}, channel="C0SALES", text="@countersign hi")
    received = await bot.wait_for(2)
    await workspace.settle()
    assert {r.event["type"] for r in received} == {"message", "app_mention"}
    assert {r.event["text"] for r in received} == {"<@U0BOT> hi"}
    assert len({r.event["ts"] for r in received}) == 1


async def test_message_in_channel_without_the_bot_is_not_delivered(
    workspace: Running, bot: Bot
) -> None:
    """The bot hears only conversations that it is in."""
    await workspace.do("message", **{"as": "U0DANA"}, channel="C0GENERAL", text="@countersign hi")
    await workspace.settle()
    assert bot.received == []


async def test_unsubscribed_event_is_not_delivered(
    config: WorkspaceConfig, run: Callable[[WorkspaceConfig], Any], bot: Bot
) -> None:
    """Only the events that the manifest subscribes to are sent."""
    async with run(replace(config, events=frozenset({"app_mention"}))) as workspace:
        await workspace.do("message", **{"as": "U0DANA"}, dm=True, text="hi")
        await workspace.settle()
    assert bot.received == []


async def test_own_post_comes_back_with_bot_id(workspace: Running, bot: Bot) -> None:
    """The bot's own message is echoed to it, recognisable by `bot_id`."""
    opened = await workspace.slack.conversations_open(users="U0DANA")
    await workspace.slack.chat_postMessage(channel=opened["channel"]["id"], text="hello")
    (received,) = await bot.wait_for(1)
    assert received.event["bot_id"] == "B0BOT"
    assert received.event["user"] == "U0BOT"


async def test_failing_bot_gets_three_retries_of_the_same_event(
    workspace: Running, bot: Bot
) -> None:
    """An event is delivered four times at most, each retry numbered and with its reason."""
    bot.answers = [Response(status_code=500) for _ in range(9)]
    await workspace.do("message", **{"as": "U0DANA"}, dm=True, text="hi")
    received = await bot.wait_for(4)
    await workspace.settle()
    assert len(received) == 4
    assert len({r.body for r in received}) == 1
    retries = [
        (r.headers.get("x-slack-retry-num"), r.headers.get("x-slack-retry-reason"))
        for r in received
    ]
    assert retries == [(None, None), *((str(n), "http_error") for n in (1, 2, 3))]


async def test_no_retry_header_stops_retries(workspace: Running, bot: Bot) -> None:
    """A failure that carries `X-Slack-No-Retry: 1` is final."""
    bot.answers = [Response(status_code=500, headers={"X-Slack-No-Retry": "1"})]
    await workspace.do("message", **{"as": "U0DANA"}, dm=True, text="hi")
    await bot.wait_for(1)
    await workspace.settle()
    assert len(bot.received) == 1


async def test_slow_bot_is_retried_for_timeout(
    config: WorkspaceConfig, run: Callable[[WorkspaceConfig], Any], bot: Bot
) -> None:
    """An answer after the acknowledgement time counts as none."""
    bot.answers = [0.3]
    async with run(replace(config, ack_timeout_s=0.1)) as workspace:
        await workspace.do("message", **{"as": "U0DANA"}, dm=True, text="hi")
        received = await bot.wait_for(2)
        await workspace.settle()
    assert received[1].headers["x-slack-retry-reason"] == "http_timeout"


async def test_undelivered_event_is_delivered_after_restart(
    config: WorkspaceConfig, run: Callable[[WorkspaceConfig], Any], bot: Bot
) -> None:
    """An event that nobody acknowledged survives a restart of the workspace."""
    stubborn = replace(config, retry_delays_s=(60.0,))
    bot.answers = [Response(status_code=503)]
    async with run(stubborn) as workspace:
        await workspace.do("message", **{"as": "U0DANA"}, dm=True, text="hi")
        await bot.wait_for(1)
    async with run(stubborn) as workspace:
        received = await bot.wait_for(2)
        await workspace.settle()
    assert received[0].body == received[1].body


async def test_raw_delivery_sends_body_and_headers_as_given(workspace: Running, bot: Bot) -> None:
    """A replay test may send any body with any signature."""
    answer = await workspace.do("deliver", body="{nonsense", headers={"X-Slack-Signature": "v0=0"})
    assert answer["status"] == 200
    (received,) = bot.received
    assert received.body == "{nonsense"
    assert received.headers["x-slack-signature"] == "v0=0"


async def test_logged_event_can_be_replayed_exactly(workspace: Running, bot: Bot) -> None:
    """The log holds the body and headers of a delivery, which repeat it byte for byte."""
    await workspace.do("message", **{"as": "U0DANA"}, dm=True, text="hi")
    await bot.wait_for(1)
    await workspace.settle()
    (entry,) = [e for e in (await workspace.read("log"))["entries"] if e["kind"] == "event"]
    await workspace.do("deliver", body=entry["body"], headers=entry["headers"])
    first, second = bot.received
    assert first.body == second.body
    assert first.headers["x-slack-signature"] == second.headers["x-slack-signature"]


async def test_duplicate_fault_delivers_event_twice(workspace: Running, bot: Bot) -> None:
    """Slack may deliver an event twice although it was acknowledged."""
    await workspace.do("faults", duplicate_events=1)
    await workspace.do("message", **{"as": "U0DANA"}, dm=True, text="hi")
    first, second = await bot.wait_for(2)
    await workspace.settle()
    assert first.body == second.body


@pytest.mark.parametrize("deed", ["edit-message", "delete-message"])
async def test_change_to_own_message_is_delivered(workspace: Running, bot: Bot, deed: str) -> None:
    """An edit or a deletion arrives as a hidden message event that names the former text."""
    posted = await workspace.do("message", **{"as": "U0DANA"}, dm=True, text="one")
    place = {"as": "U0DANA", "channel": posted["channel"], "ts": posted["ts"]}
    await workspace.do(deed, **place, text="two")
    await bot.wait_for(2)
    await asyncio.sleep(0)
    change = next(event for event in bot.events("message") if "subtype" in event)
    assert change["previous_message"]["text"] == "one"
    assert change["hidden"] is True


async def test_opening_home_delivers_app_home_opened(workspace: Running, bot: Bot) -> None:
    """The Home tab announces itself with its tab and channel."""
    await workspace.do("open-home", **{"as": "U0DANA"})
    (received,) = await bot.wait_for(1)
    assert received.event["type"] == "app_home_opened"
    assert (received.event["tab"], received.event["channel"]) == ("home", "D0DANA")
