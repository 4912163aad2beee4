"""Posting, updating, deleting and linking messages, driven by Slack's own client."""

import pytest
from slack_sdk.errors import SlackApiError

from tests.bot.workspace.conftest import Running


async def _post(workspace: Running, text: str = "hello") -> str:
    answer = await workspace.api("chat.postMessage", channel="C0SALES", text=text)
    return str(answer["ts"])


async def test_posts_are_listed_in_order_with_growing_timestamps(workspace: Running) -> None:
    """Timestamps are unique and grow; history is newest first."""
    stamps = [await _post(workspace, str(n)) for n in range(3)]
    assert stamps == sorted(set(stamps))
    history = await workspace.slack.conversations_history(channel="C0SALES")
    assert [m["ts"] for m in history["messages"]] == stamps[::-1]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"text": "x"}, "invalid_arguments"),
        ({"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ({"channel": "C0GENERAL", "text": "x"}, "not_in_channel"),
        ({"channel": "C0SALES"}, "no_text"),
        ({"channel": "C0SALES", "text": "  "}, "no_text"),
        ({"channel": "C0SALES", "blocks": "[{"}, "invalid_blocks_format"),
        ({"channel": "C0SALES", "text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"channel": "C0SALES", "text": "x", "metadata": "no"}, "invalid_metadata_format"),
        ({"channel": "C0SALES", "text": "x", "metadata": {"a": 1}}, "invalid_metadata_schema"),
    ],
)
async def test_bad_post_is_refused_by_slacks_name(
    workspace: Running, arguments: dict[str, object], error: str
) -> None:
    """Each refusal of chat.postMessage has the name that Slack gives it."""
    assert (await workspace.api("chat.postMessage", **arguments))["error"] == error


async def test_bad_blocks_are_refused_with_every_problem(workspace: Running) -> None:
    """`invalid_blocks` says where and what, so that a builder can be mended."""
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]
    with pytest.raises(SlackApiError) as caught:
        await workspace.slack.chat_postMessage(channel="C0SALES", text="x", blocks=blocks)
    assert caught.value.response["error"] == "invalid_blocks"
    messages = caught.value.response["response_metadata"]["messages"]
    assert messages == [
        "[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]"
    ]


async def test_long_text_is_cut_at_forty_thousand(workspace: Running) -> None:
    """Slack cuts a message's text at 40,000 characters."""
    answer = await workspace.api("chat.postMessage", channel="C0SALES", text="x" * 50_000)
    assert len(answer["message"]["text"]) == 40_000


async def test_person_as_channel_opens_their_messages(workspace: Running) -> None:
    """A post to a person's id lands in their direct messages, whose id is stable."""
    answer = await workspace.slack.chat_postMessage(channel="U0MO", text="x")
    opened = await workspace.slack.conversations_open(users="U0MO")
    assert answer["channel"] == opened["channel"]["id"] == "D0MO"


async def test_metadata_is_kept_and_shown_on_request(workspace: Running) -> None:
    """History shows `metadata` only with include_all_metadata."""
    metadata = {"event_type": "outbox", "event_payload": {"id": "7"}}
    await workspace.slack.chat_postMessage(channel="C0SALES", text="x", metadata=metadata)
    history = workspace.slack.conversations_history
    plain = await history(channel="C0SALES")
    full = await history(channel="C0SALES", include_all_metadata=True)
    assert "metadata" not in plain["messages"][0]
    assert full["messages"][0]["metadata"] == metadata


async def test_update_keeps_what_it_does_not_name(workspace: Running) -> None:
    """chat.update with text alone leaves blocks and metadata; an empty list removes blocks."""
    blocks = [{"type": "divider", "block_id": "d"}]
    metadata = {"event_type": "outbox", "event_payload": {"id": "7"}}
    posted = await workspace.api(
        "chat.postMessage", channel="C0SALES", text="one", blocks=blocks, metadata=metadata
    )
    place = {"channel": "C0SALES", "ts": posted["ts"]}
    kept = await workspace.api("chat.update", **place, text="two")
    assert kept["message"]["blocks"] == blocks
    assert kept["message"]["metadata"] == metadata
    assert kept["message"]["edited"]["user"] == "U0BOT"
    bare = await workspace.api("chat.update", **place, text="three", blocks=[])
    assert "blocks" not in bare["message"]


async def test_update_longer_than_four_thousand_is_refused(workspace: Running) -> None:
    """chat.update refuses what chat.postMessage would have taken."""
    ts = await _post(workspace)
    place = {"channel": "C0SALES", "ts": ts}
    assert (await workspace.api("chat.update", **place, text="x" * 4000))["ok"]
    answer = await workspace.api("chat.update", **place, text="x" * 4001)
    assert answer["error"] == "msg_too_long"


@pytest.mark.parametrize(
    ("method", "error"),
    [("chat.update", "cant_update_message"), ("chat.delete", "cant_delete_message")],
)
async def test_others_messages_cannot_be_changed(
    workspace: Running, method: str, error: str
) -> None:
    """The bot may change only what it posted."""
    posted = await workspace.do("message", **{"as": "U0DANA"}, channel="C0SALES", text="mine")
    answer = await workspace.api(method, channel="C0SALES", ts=posted["ts"], text="x")
    assert answer["error"] == error


async def test_deleted_message_is_gone(workspace: Running) -> None:
    """A deleted message is in no history and cannot be updated."""
    ts = await _post(workspace)
    await workspace.slack.chat_delete(channel="C0SALES", ts=ts)
    assert (await workspace.api("conversations.history", channel="C0SALES"))["messages"] == []
    answer = await workspace.api("chat.update", channel="C0SALES", ts=ts, text="x")
    assert answer["error"] == "message_not_found"


async def test_ephemeral_is_seen_by_one_and_never_updated(workspace: Running) -> None:
    """An ephemeral message is shown to its person alone, in no history, and not updatable."""
    sent = await workspace.slack.chat_postEphemeral(channel="C0SALES", user="U0MO", text="psst")
    ts = sent["message_ts"]
    mine = await workspace.read("messages/C0SALES", **{"as": "U0MO"})
    theirs = await workspace.read("messages/C0SALES", **{"as": "U0DANA"})
    assert [m["ephemeral_to"] for m in mine["messages"]] == ["U0MO"]
    assert theirs["messages"] == []
    assert (await workspace.api("conversations.history", channel="C0SALES"))["messages"] == []
    answer = await workspace.api("chat.update", channel="C0SALES", ts=ts, text="x")
    assert answer["error"] == "message_not_found"


async def test_ephemeral_to_a_stranger_is_refused(
    workspace: Running,
) -> None:
    """Only a member of the channel can be shown something there."""
    answer = await workspace.api("chat.postEphemeral", channel="D0DANA", user="U0MO", text="x")
    assert answer["error"] == "channel_not_found"
    await workspace.api("conversations.open", users="U0DANA")
    answer = await workspace.api("chat.postEphemeral", channel="D0DANA", user="U0MO", text="x")
    assert answer["error"] == "user_not_in_channel"


async def test_replies_stay_out_of_history_and_count_on_the_parent(workspace: Running) -> None:
    """A thread's replies are in conversations.replies; a reply to a reply joins the thread."""
    parent = await _post(workspace)
    arguments = {"channel": "C0SALES", "text": "re"}
    reply = await workspace.api("chat.postMessage", **arguments, thread_ts=parent)
    await workspace.api("chat.postMessage", **arguments, thread_ts=reply["ts"])
    history = await workspace.api("conversations.history", channel="C0SALES")
    assert [m["ts"] for m in history["messages"]] == [parent]
    assert history["messages"][0]["reply_count"] == 2
    replies = await workspace.slack.conversations_replies(channel="C0SALES", ts=parent)
    assert [m["thread_ts"] for m in replies["messages"]] == [parent] * 3


async def test_history_is_cut_by_limit_and_time(workspace: Running) -> None:
    """limit, cursor, oldest and latest select as at Slack: bounds are excluded unless inclusive."""
    first, second, third = [await _post(workspace, str(n)) for n in range(3)]
    history = workspace.slack.conversations_history
    page = await history(channel="C0SALES", limit=2)
    assert [m["ts"] for m in page["messages"]] == [third, second]
    cursor = page["response_metadata"]["next_cursor"]
    rest = await history(channel="C0SALES", limit=2, cursor=cursor)
    assert [m["ts"] for m in rest["messages"]] == [first]
    since = await history(channel="C0SALES", oldest=second)
    assert [m["ts"] for m in since["messages"]] == [third]
    at = await history(channel="C0SALES", oldest=second, latest=second, inclusive=True)
    assert [m["ts"] for m in at["messages"]] == [second]


async def test_permalink_leads_to_the_page(workspace: Running) -> None:
    """A permalink is an address of the workspace's own page."""
    ts = await _post(workspace)
    link = await workspace.slack.chat_getPermalink(channel="C0SALES", message_ts=ts)
    assert link["permalink"] == f"{workspace.config.base_url}/#/C0SALES/{ts}"
    assert (await workspace.http.get(link["permalink"])).status_code == 200


async def test_people_and_channels_are_those_of_northwind(workspace: Running) -> None:
    """The seeded people have their roles, zones and channels."""
    users = {u["id"]: u for u in (await workspace.slack.users_list())["members"]}
    assert users["U0ADA"]["is_admin"]
    assert users["U0GUS"]["is_restricted"]
    assert users["U0DANA"]["tz"] == "Europe/Berlin"
    found = await workspace.slack.users_lookupByEmail(email="Mo@northwind.example")
    assert found["user"]["id"] == "U0MO"
    channels = await workspace.slack.conversations_list()
    assert {c["name"]: c["is_member"] for c in channels["channels"]} == {
        "general": False,
        "sales": True,
    }
    assert (await workspace.slack.team_info())["team"]["name"] == "Northwind"
    assert (await workspace.slack.bots_info(bot="B0BOT"))["bot"]["user_id"] == "U0BOT"
