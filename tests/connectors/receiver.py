"""Somebody who takes webhooks, over real HTTP."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.events import Delivery

_WITHIN_S = 5


@contextmanager
def serve_app(app: Starlette) -> Iterator[str]:
    """Serve an application on a free loopback port, in a thread, and give its URL."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.005)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=10)


@dataclass
class Receiver:
    """Takes webhooks at `/in`, and fails the first ones."""

    fails: int = 0
    tries: list[Delivery] = field(default_factory=list)
    _more: threading.Condition = field(default_factory=threading.Condition)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/in", self._receive, methods=["POST"])])

    async def until(self, holds: Callable[[list[Delivery]], bool]) -> None:
        """Return when what was tried is as it should be."""
        assert await asyncio.to_thread(self._wait, holds)

    def _wait(self, holds: Callable[[list[Delivery]], bool]) -> bool:
        with self._more:
            return self._more.wait_for(lambda: holds(self.tries), _WITHIN_S)

    async def _receive(self, request: Request) -> Response:
        delivery = Delivery(
            method=request.method,
            url=str(request.url),
            headers=dict(request.headers),
            body=await request.body(),
            now_s=time.time(),
        )
        with self._more:
            self.tries.append(delivery)
            self._more.notify_all()
            return Response(status_code=500 if len(self.tries) <= self.fails else 202)
