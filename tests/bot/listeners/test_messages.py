"""Messages reach the goals once, as plain words."""

from typing import Any

import pytest

from bot.goals.messages import IncomingMessage
from bot.listeners.middleware import GUESTS
from tests.bot.slack_bot import TEAM, SlackBot


def received(bot: SlackBot) -> list[IncomingMessage]:
    return [call[1] for call in bot.services.calls if call[0] == "receive"]


async def test_direct_message_reaches_the_goals(bot: SlackBot) -> None:
    """What a person types arrives unescaped, with who and where."""
    said = await bot.say("Create a deal for P&G <now>")
    assert received(bot) == [
        IncomingMessage(
            team_id=TEAM,
            person_id="U0DANA",
            channel_id=said["channel"],
            ts=said["ts"],
            thread_ts=None,
            text="Create a deal for P&G <now>",
            is_dm=True,
        )
    ]


async def test_mention_in_a_channel_arrives_without_the_mention(bot: SlackBot) -> None:
    """Only the words are the goal; a channel is no private place."""
    await bot.say("<@U0BOT> which deals does Acme have?", channel="C0SALES")
    assert [(m.text, m.is_dm) for m in received(bot)] == [("which deals does Acme have?", False)]


async def test_other_talk_in_a_channel_is_not_ours(bot: SlackBot) -> None:
    """Messages that do not mention us are neither received nor read."""
    await bot.say("Which deals does Acme have?", channel="C0SALES")
    assert received(bot) == []


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("mail <mailto:jane@acme.example|jane@acme.example>", "mail jane@acme.example"),
        ("see <https://a.example/x|a.example>", "see https://a.example/x"),
        ("with <@U0MO>", "with mo@northwind.example"),
        ("in <#C0SALES|sales> <!here>", "in #sales @here"),
        ("", ""),
        ("🎉🎉", "🎉🎉"),
        ("Erstelle einen Vertrag für Acme", "Erstelle einen Vertrag für Acme"),
        ("a" * 40_000, "a" * 40_000),
    ],
    ids=["mail", "link", "person", "channel", "nothing", "emoji", "german", "long"],
)
async def test_any_text_is_received_in_plain_words(bot: SlackBot, raw: str, read: str) -> None:
    """Slack's references become words, and no text is refused here."""
    event: dict[str, Any] = {
        "type": "message",
        "channel_type": "im",
        "channel": "D0DANA",
        "user": "U0DANA",
        "ts": "1732180000.000100",
        "text": raw,
    }
    await deliver(bot, event)
    assert [message.text for message in received(bot)] == [read]


async def deliver(bot: SlackBot, event: dict[str, Any], *, event_id: str = "Ev1") -> None:
    """Deliver an event as Slack would and let the bot work."""
    body: dict[str, Any] = {
        "type": "event_callback",
        "team_id": TEAM,
        "event_id": event_id,
        "event": event,
    }
    reply = await bot.post(body)
    assert reply.status_code == 200
    await bot.work()


async def test_attachment_alone_is_received(bot: SlackBot) -> None:
    """A file without words reaches the goals, which say that they do not read it."""
    await bot.say("", files=[{"name": "plan.pdf"}])
    assert [(m.text, m.has_files) for m in received(bot)] == [("", True)]


async def test_edit_arrives_as_an_edit(bot: SlackBot) -> None:
    """A corrected message keeps its ts and says that it was edited; an echo of links does not."""
    said = await bot.say("Create a deal for Acme")
    await bot.workspace.do(
        "edit-message",
        **{"as": "U0DANA", "channel": said["channel"], "ts": said["ts"], "text": "For Beta"},
    )
    await bot.work()
    assert [(m.ts, m.text, m.is_edited) for m in received(bot)] == [
        (said["ts"], "Create a deal for Acme", False),
        (said["ts"], "For Beta", True),
    ]


async def test_deleted_message_is_handed_on_as_such(bot: SlackBot) -> None:
    """A deletion asks for nothing new; what it asked for may end."""
    said = await bot.say("Create a deal for Acme")
    await bot.workspace.do(
        "delete-message", **{"as": "U0DANA", "channel": said["channel"], "ts": said["ts"]}
    )
    await bot.work()
    assert len(received(bot)) == 1
    gone = ("message_deleted", TEAM, said["channel"], said["ts"])
    assert [call for call in bot.services.calls if call[0] == "message_deleted"] == [gone]


async def test_own_messages_are_ignored(bot: SlackBot) -> None:
    """What we post comes back as an event and starts nothing."""
    opened = await bot.client.conversations_open(users="U0DANA")
    await bot.client.chat_postMessage(channel=opened["channel"]["id"], text="Create a deal")
    await bot.work()
    assert received(bot) == []


async def test_guest_is_refused_politely(bot: SlackBot) -> None:
    """A guest starts no goal and reads why."""  # S22
    await bot.say("Create a deal for Acme", as_="U0GUS")
    assert received(bot) == []
    assert [m["text"] for m in await bot.messages("dm:U0GUS", as_="U0GUS")] == [GUESTS]


async def test_repeated_delivery_is_received_once(bot: SlackBot) -> None:
    """Slack may deliver an event twice; the goals hear of it once."""  # S19
    await bot.workspace.do("faults", duplicate_events=1)
    await bot.say("Create a deal for Acme")
    assert len(received(bot)) == 1
