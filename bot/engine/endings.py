"""Endings: outcomes of one drive that come in together are stored together.

Every store holds the goal's row, so those of one goal would follow each other anyway; whatever
comes in while one is being stored goes into the next, in one transaction.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from bot.engine.gate import Cleared
from bot.engine.outcomes import Ending
from storage.tables.goals import Task


@dataclass(frozen=True, slots=True)
class Begun:
    """What a drive goes on with: tasks that it claimed, and calls that may run already."""

    claimed: Sequence[Task] = ()
    cleared: Sequence[Cleared] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """What endings led to, and what kept one of them from being stored."""

    begun: Begun = Begun()
    error: BaseException | None = None


Store = Callable[[Sequence[Ending]], Awaitable[Stored]]


@dataclass(slots=True)
class _Batch:
    endings: list[Ending]
    is_stored: asyncio.Event = field(default_factory=asyncio.Event)


class Endings:
    """Collects the endings of one drive."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: _Batch | None = None
        self._turn = asyncio.Lock()

    async def add(self, ending: Ending) -> Stored:
        """Return once an ending is stored, with what followed from it.

        Only the first ending of a batch is told, so that each task is begun once.
        """
        if self._open is not None:
            batch = self._open
            batch.endings.append(ending)
            await batch.is_stored.wait()
            return Stored()
        batch = self._open = _Batch([ending])
        try:
            async with self._turn:
                # What ended in the same moment joins in.
                await asyncio.sleep(0)
                self._open = None
                return await self._store(batch.endings)
        finally:
            batch.is_stored.set()
