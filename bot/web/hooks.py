"""Webhooks in: verified over raw bytes, taken once, and only ever a hint (S32). Never a 5xx (S33).

A delivery moves nothing. It has those waits looked at that are about the ids which it names, each
through its own requester's connection.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.engine.awaits import defer_check
from connectors.errors import UnknownActionError
from connectors.events import Delivery, Hint, HookRefusedError
from connectors.registry import Connector, Registry
from connectors.settings import ProviderSettings
from storage.database import Database, Transaction
from storage.tables.hooks import Hook

MAX_BODY_BYTES = 256 * 1024
"""HubSpot's largest bodies, a hundred notifications, stay below 50 kB."""

_ID = re.compile(r"[A-Za-z0-9_-]{20,64}")
_ID_BYTES = 24
_TAKEN = 202

_log = structlog.get_logger(__name__)


class Hooks:
    """Takes what providers post to `/hooks/<connector>/<id>`."""

    def __init__(
        self,
        *,
        database: Database,
        registry: Registry,
        providers: Mapping[str, ProviderSettings],
        public_url: str,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._registry = registry
        self._providers = providers
        self._public_url = public_url
        self._now = now

    def routes(self) -> list[Route]:
        """Return the routes to mount."""
        return [Route("/hooks/{connector}/{hook_id}", self.receive, methods=["POST"])]

    async def receive(self, request: Request) -> Response:
        """Verify, take and answer one delivery."""
        name, hook_id = request.path_params["connector"], request.path_params["hook_id"]
        try:
            connector, hook = await self._address(name, hook_id)
            assert connector.webhook is not None  # _address made sure
            delivery = Delivery(
                method=request.method,
                url=f"{self._public_url}{request.url.path}",
                headers=dict(request.headers),
                body=await _body(request),
                now_s=self._now().timestamp(),
            )
            hints = connector.webhook(delivery, self._providers[name].client_secret)
        except HookRefusedError as refusal:
            _log.info("hook_refused", connector=name[:40], status=refusal.status)
            return PlainTextResponse(refusal.reason, status_code=refusal.status)
        await self._take(connector, hook, hints)
        return Response(status_code=_TAKEN)

    async def _address(self, name: str, hook_id: str) -> tuple[Connector, Hook]:
        """Return whose webhook this is.

        Raises:
            HookRefusedError: nobody gave out this address; which part is wrong is not told.
        """
        try:
            connector = self._registry.connector(name)
        except UnknownActionError as error:
            raise _not_found() from error
        if connector.webhook is None or not _ID.fullmatch(hook_id):
            raise _not_found()
        async with self._database.reading() as tx:
            hook = await tx.hooks.find(name, hook_id)
        if hook is None:
            raise _not_found()
        return connector, hook

    async def _take(self, connector: Connector, hook: Hook, hints: tuple[Hint, ...]) -> None:
        """Record what is new and have it looked at or polled, in one transaction."""
        async with self._database.transaction() as tx:
            new = await tx.hooks.take(hook.id, [hint.delivery for hint in hints])
            subjects: dict[str, set[str]] = {}
            for hint in hints:
                if hint.delivery in new and hint.stream is not None:
                    subjects.setdefault(hint.stream, set()).update(hint.subjects)
                    if hint.channel is not None:
                        await tx.hooks.hint_channel(hook.team_id, connector.name, hint.channel)
            for stream, ids in subjects.items():
                if not ids:
                    continue
                events = [event.name for event in connector.events if event.stream == stream]
                for wait in await tx.waits.list_awaiting(
                    hook.team_id, connector.name, subjects=ids, events=events
                ):
                    await defer_check(tx, wait)


def _not_found() -> HookRefusedError:
    return HookRefusedError(404, "There is nothing here.")


async def ensure_hooks(tx: Transaction, registry: Registry, team_id: str) -> dict[str, str]:
    """Return the path at which each provider's webhooks for a team arrive, made if missing."""
    return {
        connector.name: "/hooks/{}/{}".format(
            connector.name,
            await tx.hooks.ensure(
                team_id=team_id,
                connector=connector.name,
                hook_id=secrets.token_urlsafe(_ID_BYTES),
            ),
        )
        for connector in registry.providers()
        if connector.webhook is not None
    }


async def _body(request: Request) -> bytes:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and len(announced) < 20 and int(announced) > MAX_BODY_BYTES:  # noqa: PLR2004 -- digits of any real length
        raise HookRefusedError(413, "The body is too large.")
    raw = bytearray()
    try:
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > MAX_BODY_BYTES:
                raise HookRefusedError(413, "The body is too large.")
    except ClientDisconnect as error:
        raise HookRefusedError(400, "The body is incomplete.") from error
    return bytes(raw)
