"""The intake: what Slack posts, verified, stored or dispatched, answered. Never a 5xx (S33)."""

from collections.abc import Callable

import structlog
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.intake.deliveries import Event, Handshake, Interaction, Notice, read_delivery
from bot.intake.errors import MalformedError, RefusedError
from bot.intake.installation import Installation
from bot.intake.signature import is_genuine
from storage.database import Database
from storage.errors import DatabaseAwayError
from storage.queue import Priority

PATHS = ("/slack/events", "/slack/interactivity", "/slack/commands")

MAX_BODY_BYTES = 1024 * 1024
"""Slack's largest bodies, view submissions, stay below 250 kB plus their message."""

HANDLE_EVENT = "handle_event"
"""The job that dispatches one stored event."""

_log = structlog.get_logger(__name__)


class Intake:
    """Takes what Slack posts. Events are stored, everything else is answered in the request."""

    def __init__(
        self,
        *,
        database: Database,
        bolt: AsyncApp,
        installation: Installation,
        signing_secret: str,
        clock: Callable[[], float],
    ) -> None:
        self._database = database
        self._bolt = bolt
        self._installation = installation
        self._secret = signing_secret
        self._clock = clock

    def routes(self) -> list[Route]:
        """Return the routes to mount; each takes every kind of delivery."""
        return [Route(path, self.receive, methods=["POST"]) for path in PATHS]

    async def receive(self, request: Request) -> Response:
        """Verify, read and handle one request."""
        try:
            raw = await self._verified_body(request)
            content_type = request.headers.get("content-type", "")
            delivery = read_delivery(raw, content_type=content_type)
        except RefusedError as refusal:
            _log.info("slack_request_refused", status=refusal.status, reason=refusal.reason)
            return PlainTextResponse(refusal.reason, status_code=refusal.status)
        except MalformedError as err:
            _log.info("slack_request_malformed", reason=str(err))
            return PlainTextResponse(str(err), status_code=400)
        match delivery:
            case Handshake(challenge):
                return JSONResponse({"challenge": challenge})
            case Notice():
                return Response()
            case Event():
                return await self._store(delivery)
            case Interaction():
                return await self._dispatch(delivery)

    async def _verified_body(self, request: Request) -> bytes:
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and len(announced) < 20 and int(announced) > MAX_BODY_BYTES:  # noqa: PLR2004 -- digits of any real length
            raise RefusedError(413, "The body is too large.")
        raw = bytearray()
        try:
            async for chunk in request.stream():
                raw += chunk
                if len(raw) > MAX_BODY_BYTES:
                    raise RefusedError(413, "The body is too large.")
        except ClientDisconnect as err:
            raise RefusedError(400, "The body is incomplete.") from err
        body = bytes(raw)
        if not is_genuine(
            self._secret,
            timestamp=request.headers.get("x-slack-request-timestamp", ""),
            signature=request.headers.get("x-slack-signature", ""),
            body=body,
            now=self._clock(),
        ):
            raise RefusedError(401, "The signature is missing, wrong or too old.")
        return body

    async def _store(self, event: Event) -> Response:
        """Store an event and its job, then acknowledge it; a repeated one changes nothing (S19).

        An event for another workspace is acknowledged too: to refuse it would only have Slack
        send it again.
        """
        team_id = self._installation.team_id
        if team_id not in event.team_ids:
            _log.info("slack_event_of_other_team")
            return Response()
        async with self._database.transaction() as tx:
            inbox_id = await tx.inbox.add(
                team_id=team_id,
                event_id=event.event_id,
                thread_key=event.thread_key,
                body=event.body,
            )
            if inbox_id is not None:
                await tx.defer(HANDLE_EVENT, priority=Priority.INTERACTIVE, inbox_id=inbox_id)
        return Response()

    async def _dispatch(self, interaction: Interaction) -> Response:
        """Run the listener of an interaction, once per trigger, and return its answer."""
        team_id = self._installation.team_id
        if interaction.team_id != team_id:
            return PlainTextResponse("This app is not installed there.", status_code=403)
        if interaction.trigger_id is not None:
            is_new = await self._note_trigger(team_id, interaction.trigger_id)
            if not is_new:
                return Response()
        # The mode says that the body is parsed already; nothing else differs for our set-up.
        bolt_request = AsyncBoltRequest(body=interaction.body, mode="socket_mode")
        answer = await self._bolt.async_dispatch(bolt_request)
        return Response(
            answer.body,
            status_code=answer.status,
            headers={name: values[0] for name, values in answer.headers.items()},
        )

    async def _note_trigger(self, team_id: str, trigger_id: str) -> bool:
        """Remember an interaction; False when it was seen before.

        Without a database it goes on to the listeners, whose boundary tells the person: Slack does
        not repeat a click, and shows nothing of an answer of 500.
        """
        try:
            async with self._database.transaction() as tx:
                return await tx.inbox.add_trigger(team_id=team_id, trigger_id=trigger_id)
        except DatabaseAwayError:
            return True
