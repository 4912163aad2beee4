"""The calls that show cards, with Slack's answers told apart."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.notifier.errors import ChannelParkedError, Refusal, RefusedError, TryLaterError
from bot.notifier.renderers import Rendered
from storage.tables.slack import OutboxCard

EVENT_TYPE = "countersign_card"

_UNREACHABLE = frozenset(
    {
        "channel_not_found",
        "is_archived",
        "not_in_channel",
        "user_not_in_channel",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "user_not_found",
        "user_disabled",
        "users_not_found",
        "cannot_dm_bot",
        "messages_tab_disabled",
        "thread_not_found",
        "cannot_reply_to_message",
    }
)
_MESSAGE_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
_INVALID = frozenset(
    {
        "invalid_arguments",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "metadata_too_large",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
        "view_too_large",
    }
)
_DEFAULT_RETRY_AFTER_S = 1.0
_CALL_TIMEOUT_S = 10.0
_HISTORY_PAGES = 3
_CLOCK_SKEW_S = 60


class SlackCards:
    """Posts, updates and finds cards. Every error is one of `bot.notifier.errors`."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def open_dm(self, person_id: str) -> str:
        """Return the id of the direct messages with a person."""
        reply = await _called(lambda: self._client.conversations_open(users=person_id))
        return str(reply["channel"]["id"])

    async def post(self, card: OutboxCard, rendered: Rendered) -> str:
        """Post a card and return its ts. Nothing unfurls, nothing is parsed (S20, S21)."""
        reply = await _called(
            lambda: self._client.chat_postMessage(
                channel=card.channel_id,
                thread_ts=card.thread_ts,
                text=rendered.text,
                blocks=rendered.blocks,
                metadata={"event_type": EVENT_TYPE, "event_payload": {"outbox_id": str(card.id)}},
                unfurl_links=False,
                unfurl_media=False,
                parse="none",
                link_names=False,
            )
        )
        return str(reply["ts"])

    async def post_ephemeral(self, card: OutboxCard, rendered: Rendered) -> str:
        """Show a card to its recipient alone. It is in no history and cannot change later."""
        reply = await _called(
            lambda: self._client.chat_postEphemeral(
                channel=card.channel_id,
                user=str(card.recipient_id),
                thread_ts=card.thread_ts,
                text=rendered.text,
                blocks=rendered.blocks,
                parse="none",
                link_names=False,
            )
        )
        return str(reply["message_ts"])

    async def update(self, card: OutboxCard, rendered: Rendered, *, message_ts: str) -> None:
        """Draw a posted card anew."""
        await _called(
            lambda: self._client.chat_update(
                channel=card.channel_id,
                ts=message_ts,
                text=rendered.text,
                blocks=rendered.blocks,
                parse="none",
                link_names=False,
            )
        )

    async def publish(self, card: OutboxCard, rendered: Rendered) -> None:
        """Publish a person's Home."""
        await _called(
            lambda: self._client.views_publish(user_id=card.channel_id, view=rendered.view or {})
        )

    async def find_posted(self, card: OutboxCard) -> str | None:
        """Return the ts of the message that an earlier try posted, None when there is none.

        Looked up by the outbox id in the metadata of our own messages.
        """
        cursor: str | None = None
        for _ in range(_HISTORY_PAGES):
            page = await _called(partial(self._page, card, cursor))
            for message in page["messages"]:
                if _is_card(message, card.id):
                    return str(message["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                break
        return None

    async def permalink(self, card: OutboxCard, *, message_ts: str) -> str:
        """Return the link that opens a posted card."""
        reply = await _called(
            lambda: self._client.chat_getPermalink(channel=card.channel_id, message_ts=message_ts)
        )
        return str(reply["permalink"])

    async def _page(self, card: OutboxCard, cursor: str | None) -> AsyncSlackResponse:
        since = str(card.created_at.timestamp() - _CLOCK_SKEW_S)
        if card.thread_ts is None:
            return await self._client.conversations_history(
                channel=card.channel_id,
                oldest=since,
                limit=200,
                cursor=cursor,
                include_all_metadata=True,
            )
        return await self._client.conversations_replies(
            channel=card.channel_id,
            ts=card.thread_ts,
            oldest=since,
            limit=200,
            cursor=cursor,
            include_all_metadata=True,
        )


def _is_card(message: Mapping[str, Any], card_id: int) -> bool:
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") or {}
    return metadata.get("event_type") == EVENT_TYPE and payload.get("outbox_id") == str(card_id)


async def _called(call: Callable[[], Awaitable[AsyncSlackResponse]]) -> AsyncSlackResponse:
    """Return Slack's answer.

    Raises:
        ChannelParkedError: HTTP 429.
        TryLaterError: no answer, a failure of Slack's, or a token that must be mended first.
        RefusedError: the call can never succeed as it is.
    """
    try:
        async with asyncio.timeout(_CALL_TIMEOUT_S):
            return await call()
    except SlackApiError as err:
        raise _told_apart(err) from err
    except (aiohttp.ClientError, TimeoutError, OSError) as err:
        raise TryLaterError(f"No answer: {type(err).__name__}.") from err


def _told_apart(err: SlackApiError) -> Exception:
    response = err.response
    code = str(response.get("error", "")) if isinstance(response.data, dict) else ""
    if response.status_code == 429 or code == "ratelimited":  # noqa: PLR2004 -- HTTP's own number
        return ChannelParkedError(_retry_after_s(response.headers))
    if code in _UNREACHABLE:
        return RefusedError(Refusal.UNREACHABLE, code)
    if code in _MESSAGE_GONE:
        return RefusedError(Refusal.MESSAGE_GONE, code)
    if code in _INVALID:
        return RefusedError(Refusal.INVALID, code)
    return TryLaterError(f"Slack says {code or response.status_code}.")


def _retry_after_s(headers: Mapping[str, Any]) -> float:
    given = {name.lower(): value for name, value in headers.items()}.get("retry-after")
    value = str(given[0] if isinstance(given, list) else given)
    return float(value) if value.isdecimal() else _DEFAULT_RETRY_AFTER_S
