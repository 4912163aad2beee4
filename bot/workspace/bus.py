"""Tells open pages that something changed."""

import asyncio
from collections.abc import AsyncIterator

from bot.workspace.shapes import JsonObject

_QUEUE_LENGTH = 500


class Bus:
    """Fans small change notices out to every listener; a listener that lags loses the oldest."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[JsonObject | None]] = set()

    def publish(self, notice: JsonObject) -> None:
        """Hand `notice` to every listener without waiting."""
        for queue in self._queues:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(notice)

    def close(self) -> None:
        """End every stream, so that a server with open pages can stop at once."""
        for queue in self._queues:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(None)

    async def listen(self, *, idle_s: float) -> AsyncIterator[JsonObject | None]:
        """Yield notices as they come, and None whenever `idle_s` passed without one."""
        queue: asyncio.Queue[JsonObject | None] = asyncio.Queue(_QUEUE_LENGTH)
        self._queues.add(queue)
        try:
            while True:
                try:
                    notice = await asyncio.wait_for(queue.get(), idle_s)
                except TimeoutError:
                    yield None
                    continue
                if notice is None:
                    return
                yield notice
        finally:
            self._queues.discard(queue)
