"""Pages: templates, the headers that every answer carries, and calm error pages."""

import secrets
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HERE = Path(__file__).parent
STATIC = _HERE / "static"

HEADERS = {
    # A page loads nothing but our own style sheet and icon, runs no script, is framed by nobody.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # The address of a page is a key to it, so no other site may learn it.
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
}

_environment = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render_page(template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page made from a template of `bot/web/templates`; every value is escaped."""
    return HTMLResponse(_environment.get_template(template).render(**values), status_code=status)


def render_message(
    title: str, text: str, *, remedy: str = "", reference: str = "", status: int = 200
) -> HTMLResponse:
    """Return a page of one calm sentence, and what the person can do."""
    return render_page(
        "message.html", status=status, title=title, text=text, remedy=remedy, reference=reference
    )


def new_reference() -> str:
    """Return a short id that ties a page a person reads to a line in the log."""
    return secrets.token_hex(4)


class SecurityHeaders:
    """Adds `HEADERS` to every answer; what an answer sets itself stays.

    A page that must lead a form on to another site (the OAuth start) sets its own
    Content-Security-Policy with that site in `form-action`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(
                        (name.lower().encode(), value.encode())
                        for name, value in HEADERS.items()
                        if name.lower().encode() not in present
                    ),
                ]
            await send(message)

        await self._app(scope, receive, send_with_headers)
