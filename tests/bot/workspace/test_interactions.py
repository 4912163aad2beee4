"""Clicks, slash commands, response URLs and triggers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk.signature import SignatureVerifier
from slack_sdk.webhook.async_client import AsyncWebhookClient
from starlette.responses import PlainTextResponse, Response

from bot.workspace.app import WorkspaceConfig
from tests.bot.workspace.conftest import SECRET, Bot, Running

DANA = {"as": "U0DANA"}


def plain(text: str) -> dict[str, object]:
    return {"type": "plain_text", "text": text}


BLOCKS: list[dict[str, Any]] = [
    {
        "type": "input",
        "block_id": "why",
        "label": plain("Why"),
        "element": {"type": "plain_text_input", "action_id": "text", "initial_value": "none"},
    },
    {
        "type": "actions",
        "block_id": "decide",
        "elements": [
            {"type": "button", "action_id": "go", "text": plain("Go"), "value": "41"},
            {
                "type": "static_select",
                "action_id": "stage",
                "options": [{"text": plain("Won"), "value": "won"}],
            },
        ],
    },
]
VIEW = {"type": "modal", "title": plain("Hello"), "blocks": [{"type": "divider"}]}


async def _card(workspace: Running, bot: Bot) -> dict[str, str]:
    """Post the blocks to Dana and return where; the bot has forgotten the echo."""
    await workspace.api("conversations.open", users="U0DANA")
    posted = await workspace.api("chat.postMessage", channel="D0DANA", text="x", blocks=BLOCKS)
    await workspace.settle()
    bot.received.clear()
    return {"channel": "D0DANA", "ts": posted["ts"]}


async def test_click_is_delivered_as_block_actions(workspace: Running, bot: Bot) -> None:
    """A click carries who, where, the message, the typed state, a trigger and a response_url."""
    place = await _card(workspace, bot)
    answer = await workspace.do(
        "interact", **DANA, **place, action_id="go", state={"why": {"text": "because"}}
    )
    assert answer["status"] == 200
    (received,) = bot.received
    assert SignatureVerifier(SECRET).is_valid_request(received.body, received.headers)
    payload = received.payload
    assert payload["type"] == "block_actions"
    assert payload["user"]["id"] == "U0DANA"
    assert payload["container"] == {
        "type": "message",
        "message_ts": place["ts"],
        "channel_id": "D0DANA",
        "is_ephemeral": False,
    }
    assert payload["message"]["blocks"] == BLOCKS
    assert payload["state"]["values"]["why"]["text"]["value"] == "because"
    (action,) = payload["actions"]
    assert (action["action_id"], action["block_id"], action["value"]) == ("go", "decide", "41")


async def test_choice_is_delivered_with_its_option(workspace: Running, bot: Bot) -> None:
    """A menu's use carries the chosen option as it was offered."""
    place = await _card(workspace, bot)
    await workspace.do("interact", **DANA, **place, action_id="stage", selected="won")
    (action,) = bot.received[0].payload["actions"]
    assert action["selected_option"] == {"text": plain("Won"), "value": "won"}
    assert bot.received[0].payload["state"]["values"]["why"]["text"]["value"] == "none"


async def test_stale_foreign_and_forged_clicks_are_delivered(workspace: Running, bot: Bot) -> None:
    """The workspace delivers what any client could send; refusing it is the bot's work. S15."""
    place = await _card(workspace, bot)
    await workspace.do("interact", **{"as": "U0MO"}, **place, action_id="go")
    await workspace.do("interact", **DANA, **place, action_id="go", value="42")
    await workspace.do("interact", **DANA, **place, action_id="long-gone", value="43")
    foreign, forged, stale = [r.payload for r in bot.received]
    assert foreign["user"]["id"] == "U0MO"
    assert forged["actions"][0]["value"] == "42"
    assert (stale["actions"][0]["action_id"], stale["actions"][0]["value"]) == ("long-gone", "43")


async def test_click_on_ephemeral_says_so_and_holds_no_message(
    workspace: Running, bot: Bot
) -> None:
    """Slack sends no `message` with a click on an ephemeral message."""
    sent = await workspace.slack.chat_postEphemeral(
        channel="C0SALES", user="U0DANA", text="x", blocks=BLOCKS
    )
    place = {"channel": "C0SALES", "message_ts": sent["message_ts"]}
    await workspace.do("interact", **DANA, **place, action_id="go")
    payload = bot.received[0].payload
    assert payload["container"]["is_ephemeral"] is True
    assert "message" not in payload


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [(Response(status_code=500), 500, "http_error"), (0.3, 0, "http_timeout")],
    ids=["error", "slow"],
)
async def test_unanswered_click_is_not_repeated(
    config: WorkspaceConfig,
    run: Callable[[WorkspaceConfig], Any],
    bot: Bot,
    answer: Response | float,
    status: int,
    error: str,
) -> None:
    """Interactions are delivered once; the person sees that the bot failed."""
    async with run(replace(config, ack_timeout_s=0.1)) as workspace:
        place = await _card(workspace, bot)
        bot.answers = [answer]
        outcome = await workspace.do("interact", **DANA, **place, action_id="go")
    assert (outcome["status"], outcome["delivery_error"]) == (status, error)
    assert len(bot.received) == 1


async def test_command_arrives_as_form_and_its_answer_is_shown(
    workspace: Running, bot: Bot
) -> None:
    """A slash command is a form; what the bot answers is shown to its person alone."""
    bot.answer_json({"response_type": "ephemeral", "text": "Your digest"})
    outcome = await workspace.do("command", **DANA, command="/countersign", text="digest")
    form = bot.received[0].form
    assert (form["command"], form["text"], form["user_id"]) == ("/countersign", "digest", "U0DANA")
    assert (form["channel_id"], form["channel_name"]) == ("D0DANA", "directmessage")
    assert outcome["response"]["text"] == "Your digest"
    (shown,) = (await workspace.read("messages/dm:U0DANA"))["messages"]
    assert (shown["text"], shown["ephemeral_to"]) == ("Your digest", "U0DANA")


async def test_plain_command_answer_is_shown_and_an_empty_one_is_not(
    workspace: Running, bot: Bot
) -> None:
    """A text body is a message; an empty one acknowledges."""
    bot.answers = [PlainTextResponse("Done"), Response()]
    await workspace.do("command", **DANA, command="/countersign", channel="C0SALES")
    await workspace.do("command", **DANA, command="/countersign", channel="C0SALES")
    messages = (await workspace.read("messages/C0SALES"))["messages"]
    assert [m["text"] for m in messages] == ["Done"]


async def test_unknown_command_reaches_no_bot(workspace: Running, bot: Bot) -> None:
    """Only the manifest's commands exist."""
    assert (await workspace.do("command", **DANA, command="/x"))["error"] == "unknown_command"
    assert bot.received == []


async def test_response_url_is_good_for_five_uses(workspace: Running, bot: Bot) -> None:
    """A sixth use of a response_url is refused."""
    place = await _card(workspace, bot)
    await workspace.do("interact", **DANA, **place, action_id="go")
    hook = AsyncWebhookClient(bot.received[0].payload["response_url"])
    statuses = [(await hook.send(text=f"{n}")).status_code for n in range(6)]
    assert statuses == [200] * 5 + [404]
    shown = (await workspace.read("messages/D0DANA", **DANA))["messages"]
    assert [m.get("ephemeral_to") for m in shown] == [None, *["U0DANA"] * 5]


async def test_response_url_expires(
    config: WorkspaceConfig, run: Callable[[WorkspaceConfig], Any], bot: Bot
) -> None:
    """A response_url is refused after its time."""
    async with run(replace(config, response_url_ttl_s=0.0)) as workspace:
        place = await _card(workspace, bot)
        await workspace.do("interact", **DANA, **place, action_id="go")
        answer = await AsyncWebhookClient(bot.received[0].payload["response_url"]).send(text="x")
    assert (answer.status_code, "expired_url" in answer.body) == (404, True)


async def test_response_url_replaces_and_deletes_its_message(workspace: Running, bot: Bot) -> None:
    """replace_original changes the clicked message, also an ephemeral one; delete removes it."""
    sent = await workspace.slack.chat_postEphemeral(
        channel="C0SALES", user="U0DANA", text="x", blocks=BLOCKS
    )
    place = {"channel": "C0SALES", "ts": sent["message_ts"]}
    await workspace.do("interact", **DANA, **place, action_id="go")
    hook = AsyncWebhookClient(bot.received[0].payload["response_url"])
    await hook.send(text="changed", replace_original=True)
    (shown,) = (await workspace.read("messages/C0SALES", **DANA))["messages"]
    assert (shown["text"], "blocks" in shown) == ("changed", False)
    await hook.send(delete_original=True)
    assert (await workspace.read("messages/C0SALES", **DANA))["messages"] == []


async def test_response_url_checks_blocks(workspace: Running, bot: Bot) -> None:
    """Blocks sent by response_url are checked as any others."""
    place = await _card(workspace, bot)
    await workspace.do("interact", **DANA, **place, action_id="go")
    hook = AsyncWebhookClient(bot.received[0].payload["response_url"])
    answer = await hook.send(blocks=[{"type": "nonsense"}])
    assert (answer.status_code, "invalid_blocks" in answer.body) == (400, True)


async def test_trigger_opens_one_modal_only(workspace: Running, bot: Bot) -> None:
    """A trigger_id is good once; a second use and a made-up one are refused by name."""
    place = await _card(workspace, bot)
    await workspace.do("interact", **DANA, **place, action_id="go")
    trigger = bot.received[0].payload["trigger_id"]
    assert (await workspace.api("views.open", trigger_id=trigger, view=VIEW))["ok"]
    again = await workspace.api("views.open", trigger_id=trigger, view=VIEW)
    assert again["error"] == "exchanged_trigger_id"
    made_up = await workspace.api("views.open", trigger_id="1.2.3", view=VIEW)
    assert made_up["error"] == "invalid_trigger_id"


async def test_trigger_expires(
    config: WorkspaceConfig, run: Callable[[WorkspaceConfig], Any], bot: Bot
) -> None:
    """A trigger_id is refused after its time (three seconds at Slack)."""
    assert config.trigger_ttl_s == 3.0
    async with run(replace(config, trigger_ttl_s=0.0)) as workspace:
        place = await _card(workspace, bot)
        await workspace.do("interact", **DANA, **place, action_id="go")
        trigger = bot.received[0].payload["trigger_id"]
        answer = await workspace.api("views.open", trigger_id=trigger, view=VIEW)
    assert answer["error"] == "expired_trigger_id"
