"""Around every listener: who may reach it at all, and what a person reads when it fails."""

import contextlib
import secrets
import traceback
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp, AsyncBoltContext
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.goals.clicks import Answer
from bot.listeners.errors import BadPayloadError
from bot.listeners.presses import read_press
from bot.listeners.replies import tell
from bot.listeners.services import Services
from bot.views.notes import build_notice_modal
from storage import outbox
from storage.errors import DatabaseAwayError, NotFoundError
from storage.tables.people import Person

GUESTS = (
    "I work only for full members of this workspace, so I cannot do that for a guest. "
    "Please ask a colleague there."
)
GONE = "I cannot find that any more."
AWAY = (
    "I cannot get at my notes right now, so that was probably not done. "
    "Look at the card in a minute before you try again."
)

_BY_A_PERSON = frozenset({"message", "app_mention", "app_home_opened"})

_DELETED = "message_deleted"
"""Slack does not say who deleted a message; a deletion can only end what it had begun."""

_log = structlog.get_logger(__name__)


class Gate:
    """Lets active full members of the workspace through, and nobody else (S13, S22).

    Bots and people whom Slack does not show are ignored; guests and external people are told.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(
        self,
        body: dict[str, Any],
        context: AsyncBoltContext,
        client: AsyncWebClient,
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002 -- Bolt passes it by this name
    ) -> BoltResponse:
        """Continue with the listener, or answer in its place."""
        event = body.get("event") or {}
        if event and (event["type"] not in _BY_A_PERSON or event.get("subtype") == _DELETED):
            return await next()
        person = None if _is_echo(event) else await self._person(context)
        if person is None or person.is_bot or not person.is_active:
            return BoltResponse(status=200)
        if person.is_guest:
            return await self._refuse(body, client)
        return await next()

    async def _person(self, context: AsyncBoltContext) -> Person | None:
        """Return who acts; None where Slack does not say or does not show them."""
        if context.team_id is None or context.user_id is None:
            return None
        try:
            return await self._services.people.get(context.team_id, context.user_id)
        except SlackApiError as err:
            if err.response.get("error") in {"user_not_found", "user_not_visible"}:
                return None
            raise

    async def _refuse(self, body: dict[str, Any], client: AsyncWebClient) -> BoltResponse:
        event = body.get("event")
        if event is None:
            return await answer_in_place(body, client, GUESTS)
        if event["type"] != "app_home_opened" and "subtype" not in event:
            async with self._services.database.transaction() as tx:
                await outbox.show(
                    tx,
                    team_id=body["team_id"],
                    noun="note",
                    subject=f"refused:{event['channel']}:{event['ts']}",
                    channel_id=event["channel"],
                    thread_ts=event.get("thread_ts") or event["ts"],
                    data={"text": GUESTS},
                )
        return BoltResponse(status=200)


def _is_echo(event: Mapping[str, Any]) -> bool:
    """Whether a message was written by an app, us among them, or is a deletion."""
    message = event.get("message") or event
    return bool(message.get("bot_id")) or event.get("subtype") in {
        "bot_message",
        "message_deleted",
    }


async def on_error(
    error: Exception, body: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient
) -> BoltResponse:
    """Log a failure and tell the person its reference; never what it says (S35).

    A stored event is answered with 500: its job runs it again, and tells the person in the end.
    """
    if isinstance(error, BadPayloadError | NotFoundError):
        _log.info("click_refused", error=type(error).__name__)
        text = GONE if isinstance(error, NotFoundError) else str(BadPayloadError.__doc__)
        return await answer_in_place(body, client, text)
    if isinstance(error, DatabaseAwayError) and "event" not in body:
        _log.warning("click_without_database", sqlstate=error.sqlstate)
        return await answer_in_place(body, client, AWAY)
    reference = secrets.token_hex(4)
    context["failure_reference"] = reference
    _log.error(
        "listener_failed",
        reference=reference,
        error=type(error).__name__,
        frames=[
            f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)[-6:]
        ],
    )
    if "event" in body:
        return BoltResponse(status=500)
    text = (
        "Something went wrong on my side, and that may not have been done. Look at the card "
        f"before you try again; the reference is {reference}."
    )
    return await answer_in_place(body, client, text)


async def answer_in_place(
    body: Mapping[str, Any], client: AsyncWebClient, text: str
) -> BoltResponse:
    """Answer an interaction instead of its listener, so that nobody sees Slack's warning sign."""
    if "event" in body:
        return BoltResponse(status=200)
    if "command" in body:
        return BoltResponse(status=200, body={"response_type": "ephemeral", "text": text})
    if body.get("type") == "view_submission":
        view = build_notice_modal(text)
        return BoltResponse(status=200, body={"response_action": "update", "view": view})
    if body.get("type") == "block_actions":
        # A click without a place has nobody who could be told.
        with contextlib.suppress(BadPayloadError):
            await tell(client, read_press(body), Answer(text, ok=False))
    return BoltResponse(status=200)


def register(app: AsyncApp, services: Services) -> None:
    """Put the gate before every listener and the boundary around all."""
    gate = Gate(services)

    # Bolt names a middleware after its function, which an instance does not have.
    async def check_person(
        body: dict[str, Any],
        context: AsyncBoltContext,
        client: AsyncWebClient,
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002 -- Bolt passes it by this name
    ) -> BoltResponse:
        return await gate(body, context, client, next)

    app.middleware(check_person)
    app.error(on_error)
