"""The cable between a process and its PostgreSQL, which a test can cut or hold up."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

_CHUNK = 65536
_SOCKET = ".s.PGSQL.5432"


class Cable:
    """Carries bytes both ways between sockets of PostgreSQL.

    Attributes:
        url: the database as it is reached through the cable.
    """

    def __init__(self, url: str, folder: Path) -> None:
        parts = urlsplit(url)
        self._target = Path(parse_qs(parts.query)["host"][0]) / _SOCKET
        self.url = parts._replace(query=f"host={quote(str(folder))}&port=5432").geturl()
        self._hold_at: bytes | None = None
        self._after = False
        self._flows = asyncio.Event()
        self._flows.set()
        self.is_held = asyncio.Event()

    def hold_at(self, words: bytes, *, after: bool = False) -> None:
        """Let nothing pass any more from a statement with `words` on, or from the one after it."""
        self._hold_at = words
        self._after = after

    def mend(self) -> None:
        """Let everything that was held up pass."""
        self._hold_at = None
        self._flows.set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        theirs = await asyncio.open_unix_connection(str(self._target))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, theirs[1]))
                group.create_task(self._pump(theirs[0], writer))
        finally:
            writer.close()
            theirs[1].close()

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        is_next = False
        while chunk := await source.read(_CHUNK):
            is_it = self._hold_at is not None and self._hold_at in chunk
            if is_next or (is_it and not self._after):
                self._flows.clear()
                self.is_held.set()
            is_next = is_it and self._after
            await self._flows.wait()
            target.write(chunk)
        target.close()


@asynccontextmanager
async def lay_cable(url: str) -> AsyncIterator[Cable]:
    """Give a cable to the database at `url`, whose server listens on a Unix socket."""
    with tempfile.TemporaryDirectory(prefix="cable-") as folder:
        cable = Cable(url, Path(folder))
        server = await asyncio.start_unix_server(cable.carry, str(Path(folder) / _SOCKET))
        try:
            yield cable
        finally:
            cable.mend()
            server.close()
