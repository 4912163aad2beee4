"""The control API's views of the workspace: state, messages, modals, the log, live changes."""

from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.workspace.config import Person
from bot.workspace.core import Workspace
from bot.workspace.errors import RefusedError
from bot.workspace.payloads import message_object
from bot.workspace.shapes import JsonObject, encode
from bot.workspace.store import Conversation, StoredMessage

_KEEPALIVE_S = 15.0


class ControlReads:
    """Answers the `GET /_control/…` requests."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def routes(self) -> list[Route]:
        """Return the routes to mount."""
        return [
            Route("/_control/state", self.state),
            Route("/_control/log", self.log),
            Route("/_control/views", self.views),
            Route("/_control/events", self.events),
            Route("/_control/messages/{reference}", self.messages),
        ]

    async def state(self, _request: Request) -> Response:
        """Return people, conversations and commands."""
        config = self._workspace.config
        channels = [
            {
                "id": c.id,
                "name": c.name,
                "im_user": c.im_user,
                "members": list(c.members),
            }
            for c in self._workspace.store.list_conversations()
        ]
        return JSONResponse(
            {
                "ok": True,
                "team": {"id": config.team.id, "name": config.team.name},
                "bot": _person(config.bot),
                "people": [_person(p) for p in config.people if not p.is_bot],
                "channels": channels,
                "commands": list(config.commands),
            }
        )

    async def log(self, request: Request) -> Response:
        """Return deliveries and API calls, oldest first; `after` skips to a number."""
        after = request.query_params.get("after", "0")
        entries = self._workspace.journal.entries(after=int(after) if after.isdecimal() else 0)
        return JSONResponse({"ok": True, "entries": entries})

    async def views(self, request: Request) -> Response:
        """Return the open modals, bottom first, and the Home of the person `as`."""
        user_id = request.query_params.get("as", "")
        views = self._workspace.views
        body = {"ok": True, "modals": views.stack(user_id), "home": views.home(user_id)}
        return JSONResponse(body)

    async def messages(self, request: Request) -> Response:
        """Return a conversation, oldest first, replies included.

        With `as` it is what that person sees; without, ephemerals of all are included. Ephemeral
        messages carry `ephemeral_to`.
        """
        reference = request.path_params["reference"]
        viewer = request.query_params.get("as")
        try:
            conversation = self._visible(reference.removeprefix("dm:"), viewer)
        except RefusedError as refusal:
            return JSONResponse(refusal.body(), status_code=400)
        everything = self._workspace.store.list_messages(conversation.id)
        shown = [m for m in everything if viewer is None or m.ephemeral_to in {None, viewer}]
        body = [_shown(message, everything) for message in shown]
        return JSONResponse({"ok": True, "channel": conversation.id, "messages": body})

    def _visible(self, reference: str, viewer: str | None) -> Conversation:
        conversation = self._workspace.conversation(reference)
        if viewer and viewer not in conversation.members:
            raise RefusedError("not_in_channel", extra={"im_user": conversation.im_user})
        return conversation

    async def events(self, _request: Request) -> Response:
        """Stream what changed as server-sent events."""
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._stream(), media_type="text/event-stream", headers=headers)

    async def _stream(self) -> AsyncIterator[str]:
        yield "retry: 1000\n\n"
        async for notice in self._workspace.bus.listen(idle_s=_KEEPALIVE_S):
            yield ": still here\n\n" if notice is None else f"data: {encode(notice)}\n\n"


def _shown(message: StoredMessage, everything: list[StoredMessage]) -> JsonObject:
    body = message_object(message, everything)
    return body | {"ephemeral_to": message.ephemeral_to} if message.ephemeral_to else body


def _person(person: Person) -> JsonObject:
    return {
        "id": person.id,
        "name": person.name,
        "real_name": person.real_name,
        "title": person.title,
        "tz": person.tz,
        "is_admin": person.is_admin,
        "is_restricted": person.is_restricted,
        "deleted": person.deleted,
    }
