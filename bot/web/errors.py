"""The web's edge: whatever goes wrong, the person reads a calm page, the log the rest."""

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.web.pages import new_reference, render_message
from storage.errors import DatabaseAwayError

_log = structlog.get_logger(__name__)

_SAID = {
    404: ("There is nothing here", "The address may be mistyped, or the page is gone."),
    400: ("That did not work", "What arrived here is nothing that a page of mine sends."),
    405: ("That does not work here", "This address answers another kind of request."),
    413: ("That is too much", "What arrived here is larger than anything a page of mine sends."),
}


async def show_http_error(_request: Request, error: Exception) -> Response:
    """Answer a page for 404 and its like; the headers that the error carries stay."""
    assert isinstance(error, HTTPException)
    title, text = _SAID.get(error.status_code, ("That did not work", "Please check the address."))
    page = render_message(title, text, status=error.status_code)
    page.headers.update(error.headers or {})
    return page


class ErrorBoundary:
    """Answers 500 with a reference id for whatever nobody expected, and logs the error."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_begun = False

        async def note_begin(message: Message) -> None:
            nonlocal is_begun
            is_begun = is_begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, note_begin)
        except DatabaseAwayError as error:
            _log.warning("request_without_database", route=_route(scope), sqlstate=error.sqlstate)
            if is_begun:
                raise
            # Slack delivers an event again after any 5xx.
            await _away()(scope, receive, send)
        except Exception:
            reference = new_reference()
            _log.exception("request_failed", reference=reference, route=_route(scope))
            if is_begun:
                raise
            page = render_message(
                "Something went wrong here",
                "Nothing more was done than what you have seen so far.",
                remedy="Please try again; if it stays so, give your admin this reference.",
                reference=reference,
                status=500,
            )
            await page(scope, receive, send)


def _away() -> Response:
    return render_message(
        "I cannot get at my notes right now",
        "My database does not answer, so nothing more was done.",
        remedy="Please try again in a minute; if it stays so, tell your admin.",
        status=503,
    )


def _route(scope: Scope) -> str:
    """Return the route's pattern: a path may hold a token."""
    return str(getattr(scope.get("route"), "path", ""))
