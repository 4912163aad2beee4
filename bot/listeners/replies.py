"""Answering a click: to the clicker alone, by whatever way the payload offers."""

from http import HTTPStatus

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.goals.clicks import Answer
from bot.listeners.presses import Press
from bot.views.blocks import Block
from bot.views.notes import build_note_blocks, build_notice_modal, note_fallback

_TIMEOUT_S = 2
"""A click is to be acknowledged within 3 s, and the answer goes out before."""

_NETWORK = (SlackApiError, aiohttp.ClientError, TimeoutError)

_log = structlog.get_logger(__name__)


async def tell(client: AsyncWebClient, press: Press, answer: Answer) -> None:
    """Show an answer to the clicker alone; on Home, where nothing can be posted, in a modal.

    The click has been handled by then: an answer that does not get through is logged, no more.
    """
    try:
        if press.response_url is not None:
            await _respond(client, press, answer)
        else:
            modal = build_notice_modal(answer.text, url=answer.url)
            await client.views_open(trigger_id=press.trigger_id, view=modal)
    except _NETWORK as err:
        _log.warning("answer_not_shown", error=type(err).__name__)


async def settle(client: AsyncWebClient, press: Press, answer: Answer) -> None:
    """Answer a click whose card shows what it did: only what went wrong is said besides."""
    if not answer.ok or answer.url is not None:
        await tell(client, press, answer)


async def open_modal(client: AsyncWebClient, press: Press, view: Block) -> None:
    """Open a modal for the clicker; if the click has become too old, say so."""
    try:
        await client.views_open(trigger_id=press.trigger_id, view=view)
    except SlackApiError as err:
        if err.response.get("error") not in {"expired_trigger_id", "exchanged_trigger_id"}:
            raise
        await tell(client, press, Answer("That took too long. Please click again.", ok=False))


async def _respond(client: AsyncWebClient, press: Press, answer: Answer) -> None:
    assert press.response_url is not None
    webhook = AsyncWebhookClient(
        press.response_url, timeout=_TIMEOUT_S, session=client.session, logger=client.logger
    )
    reply = await webhook.send_dict(
        {
            "response_type": "ephemeral",
            "replace_original": False,
            "text": note_fallback(answer.text),
            "blocks": build_note_blocks(answer.text, url=answer.url),
            **({"thread_ts": press.thread_ts} if press.thread_ts else {}),
        }
    )
    if reply.status_code != HTTPStatus.OK:
        _log.warning("answer_not_shown", status=reply.status_code)
