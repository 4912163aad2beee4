"""Whatever no other listener takes: acknowledged, so that Slack neither retries nor complains."""

import re
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.goals.clicks import Answer
from bot.listeners.presses import read_press
from bot.listeners.replies import tell
from bot.views import ids
from bot.views.blocks import Block

_ANYTHING = re.compile(r"[\s\S]*")

_log = structlog.get_logger(__name__)


async def handle_link_opened(ack: AsyncAck) -> None:
    """Take the click on a button that opens a page: the browser has done the rest."""
    await ack()


async def handle_unknown_event(event: dict[str, Any]) -> None:
    """Take an event that nobody asked for."""
    _log.info("event_unused", kind=event.get("type"))


async def handle_unknown_action(
    ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
) -> None:
    """Answer a button of an older version."""
    await ack()
    press = read_press(body)
    if not press.has_url:
        answer = Answer("This button is out of use. The newest card has the right ones.", ok=False)
        await tell(client, press, answer)


async def handle_unknown_view(ack: AsyncAck) -> None:
    """Close a modal that nobody knows any more."""
    await ack()


async def handle_unknown_options(ack: AsyncAck) -> None:
    """Offer nothing in a menu that nobody knows any more."""
    empty: list[Block] = []
    await ack(options=empty)


def register(app: AsyncApp) -> None:
    """Register last: Bolt takes the first listener that matches."""
    app.action(re.compile(rf"{ids.LINK}:\d+"))(handle_link_opened)
    app.event(_ANYTHING)(handle_unknown_event)
    app.action(_ANYTHING)(handle_unknown_action)
    app.view(_ANYTHING)(handle_unknown_view)
    app.view_closed(_ANYTHING)(handle_unknown_view)
    app.command(_ANYTHING)(handle_unknown_view)
    app.shortcut(_ANYTHING)(handle_unknown_view)
    app.options(_ANYTHING)(handle_unknown_options)
