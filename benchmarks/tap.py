"""A tap: forwards bytes between the bot and a server, and notes when each request began."""

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

from bot.serve import bind

_BEGINS = re.compile(rb"(?:GET|POST|PUT|PATCH|DELETE|HEAD) /")
_CHUNK = 1 << 16


@dataclass(slots=True)
class Heard:
    """One request: when its first byte came, and its bytes so far."""

    at: float
    raw: bytes

    @property
    def method(self) -> str:
        return self.raw.partition(b" ")[0].decode()


@dataclass(slots=True)
class Tap:
    """What went through, oldest first. Clients here never send two requests at once."""

    url: str
    heard: list[Heard] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait_for(self, *patterns: str, after: int = 0) -> tuple[Heard, re.Match[str]]:
        """Return the first request since number `after` that one of the patterns fits.

        Raises:
            TimeoutError: none came within 20 s.
        """
        compiled = [re.compile(pattern) for pattern in patterns]
        async with asyncio.timeout(20):
            while True:
                self._changed.clear()
                for heard in self.heard[after:]:
                    text = heard.raw.decode(errors="replace")
                    for pattern in compiled:
                        if found := pattern.search(text):
                            return heard, found
                await self._changed.wait()

    def note(self, chunk: bytes, request: Heard | None) -> Heard:
        """Add a chunk to the request it belongs to, and return that."""
        if request is None or _BEGINS.match(chunk):
            request = Heard(time.perf_counter(), chunk)
            self.heard.append(request)
        else:
            request.raw += chunk
        self._changed.set()
        return request


@asynccontextmanager
async def open_tap(target: str) -> AsyncIterator[Tap]:
    """Forward an ephemeral port to the origin `target` until the end of the block."""
    host, _, port = target.removeprefix("http://").partition(":")
    listening = bind("127.0.0.1", 0)
    tap = Tap(f"http://127.0.0.1:{listening.getsockname()[1]}")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, int(port))
        with _closing(writer), _closing(back), suppress(ConnectionError):
            onward = asyncio.ensure_future(_carry(reader, back, tap))
            await _carry(there, writer, None)
            onward.cancel()

    server = await asyncio.start_server(serve, sock=listening)
    try:
        yield tap
    finally:
        server.close()


async def _carry(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tap: Tap | None
) -> None:
    request: Heard | None = None
    while chunk := await reader.read(_CHUNK):
        if tap is not None:
            request = tap.note(chunk, request)
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof():
        with suppress(OSError):
            writer.write_eof()


@contextmanager
def _closing(writer: asyncio.StreamWriter) -> Iterator[None]:
    peer: socket.socket | None = writer.get_extra_info("socket")
    try:
        yield
    finally:
        if peer is not None:
            writer.close()
