"""Serving an application in a test's own event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette


def listen() -> socket.socket:
    """Return a socket on a free loopback port.

    The protocol is named because asyncio turns Nagle's delay (40 ms an answer) off only then.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.bind(("127.0.0.1", 0))
    return sock


@asynccontextmanager
async def serving(app: Starlette, sock: socket.socket) -> AsyncIterator[None]:
    """Serve `app` on `sock` until the block ends, without uvicorn's signals and its slow stop."""
    config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=2)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[sock])
    try:
        yield
    finally:
        for listener in server.servers:
            listener.close()
        while server.server_state.connections:
            for connection in list(server.server_state.connections):
                connection.shutdown()
            await asyncio.sleep(0.001)
        await server.lifespan.shutdown()
