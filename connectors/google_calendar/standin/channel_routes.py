from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from connectors.google_calendar.standin import errors
from connectors.google_calendar.standin.api import READ
from connectors.google_calendar.standin.channels import ChannelBody, Channels, StopBody
from connectors.standin.app import Base


class ChannelRoutes:
    """`events.watch` on the own calendar, and `channels.stop`.

    Both take the scopes that reading events takes, of those that the stand-in offers.
    Source: the discovery document (revision 20261030), the methods' scopes.
    """

    def __init__(self, base: Base, channels: Channels) -> None:
        self._base = base
        self._channels = channels

    def routes(self) -> list[BaseRoute]:
        watch = "/calendar/v3/calendars/{calendar}/events/watch"
        return [
            Route(watch, self.handle_watched, methods=["POST"]),
            Route("/calendar/v3/channels/stop", self.handle_stopped, methods=["POST"]),
        ]

    async def handle_watched(self, request: Request) -> Response:
        caller = self._base.gate.admit(request, *READ)
        if request.path_params["calendar"] not in ("primary", caller.account.email):
            raise errors.not_found()
        body = await self._base.gate.read_json(request, ChannelBody)
        return JSONResponse(self._channels.open(caller.account, body).shown())

    async def handle_stopped(self, request: Request) -> Response:
        caller = self._base.gate.admit(request, *READ)
        self._channels.stop(caller.account, await self._base.gate.read_json(request, StopBody))
        return Response(status_code=204)
