"""An HTTP server that answers as a test says, byte by byte where it must."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

_REASONS = {200: "OK"}


@dataclass(frozen=True)
class RawRequest:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Handler: TypeAlias = Callable[[RawRequest, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class RawServer:
    """Where it listens, and what it was asked."""

    port: int = 0
    connections: int = 0
    requests: list[RawRequest] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def answer(
    body: Any = None, *, status: int = 200, headers: dict[str, str] | None = None
) -> Handler:
    """Return a handler that always answers with JSON, or with bytes as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def handle(_request: RawRequest, writer: asyncio.StreamWriter) -> None:
        respond(writer, content, status=status, headers=headers)

    return handle


def respond(
    writer: asyncio.StreamWriter,
    content: bytes,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> None:
    """Write a whole answer."""
    lines = {"Content-Length": str(len(content)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    reason = _REASONS.get(status, "Scripted")
    writer.write(f"HTTP/1.1 {status} {reason}\r\n{head}\r\n".encode() + content)


async def close_unanswered(_request: RawRequest, writer: asyncio.StreamWriter) -> None:
    """A handler that takes the request and closes the connection."""
    writer.close()


@asynccontextmanager
async def serve_raw(handle: Handler, *, ssl_context: Any = None) -> AsyncIterator[RawServer]:
    """Serve on a free port of 127.0.0.1 until the block ends."""
    server = RawServer()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        try:
            while (request := await _read(reader)) is not None and not writer.is_closing():
                server.requests.append(request)
                await handle(request, writer)
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=ssl_context)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()


async def _read(reader: asyncio.StreamReader) -> RawRequest | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode().strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return RawRequest(method, path, headers, body)
