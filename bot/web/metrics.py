"""/metrics: figures for a monitor that knows the token."""

import hmac

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.telemetry.metrics import CONTENT_TYPE, exposition
from storage.database import Database
from storage.metrics import read_figures

_NOT_FOUND = 404
_UNAUTHORIZED = 401


class MetricsPage:
    """Answers a bearer of the token; without one in the settings there is no such page."""

    def __init__(self, *, database: Database, token: str | None) -> None:
        self._database = database
        self._token = token

    def routes(self) -> list[Route]:
        """Return the route to mount."""
        return [Route("/metrics", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """Return the figures as Prometheus reads them."""
        if not self._token:
            return PlainTextResponse("There is no such page.", status_code=_NOT_FOUND)
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            return PlainTextResponse("This needs a token.", status_code=_UNAUTHORIZED)
        figures = await read_figures(self._database)
        return PlainTextResponse(exposition(figures), media_type=CONTENT_TYPE)
