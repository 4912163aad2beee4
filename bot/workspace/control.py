"""The control API's deeds: what a person does in Slack's client, for the page and for tests.

It has no login. `guard.LoopbackOnly` keeps other sites' pages away from it.
"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.workspace import deeds_messages, deeds_use
from bot.workspace.core import Workspace
from bot.workspace.deed import Deed
from bot.workspace.errors import RefusedError
from bot.workspace.jsonbody import parse_object
from bot.workspace.shapes import JsonObject

_DEEDS: dict[str, Callable[[Deed], Awaitable[JsonObject]]] = {
    "message": deeds_messages.post,
    "edit-message": deeds_messages.edit_message,
    "delete-message": deeds_messages.delete_message,
    "command": deeds_use.run_command,
    "interact": deeds_use.interact,
    "submit-view": deeds_use.submit,
    "close-view": deeds_use.close,
    "open-home": deeds_use.home,
    "reset": deeds_use.reset,
    "deliver": deeds_use.deliver,
    "faults": deeds_use.faults,
}


class Control:
    """Answers `POST /_control/<deed>`: 200 with `ok`, or 400 with `error`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def routes(self) -> list[Route]:
        """Return the routes to mount."""
        return [Route("/_control/{deed}", self.answer, methods=["POST"])]

    async def answer(self, request: Request) -> Response:
        """Do one deed."""
        try:
            body = parse_object(await request.body())
            act = _find_deed(request.path_params["deed"])
            return JSONResponse({"ok": True, **await act(Deed(self._workspace, body))})
        except RefusedError as refusal:
            return JSONResponse(refusal.body(), status_code=400)


def _find_deed(name: str) -> Callable[[Deed], Awaitable[JsonObject]]:
    act = _DEEDS.get(name)
    if act is None:
        raise RefusedError("unknown_deed", extra={"known": sorted(_DEEDS)})
    return act
