"""The clock: APScheduler's minute tick, and chores that run more often."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bot.clock.tick import Tick
from bot.loop import heed_cancellation
from storage.errors import DatabaseAwayError

MISFIRE_GRACE_S = 300
"""A tick that comes late (a laptop woke up, the loop was busy) still counts for so long."""

_log = structlog.get_logger(__name__)


class Clock:
    """Owns this process's scheduler: a memory job store with one job, the tick.

    Schedules of people are rows, never jobs here, so replicas share nothing but the database.
    """

    def __init__(self, tick: Tick, *, interval_s: float = 60.0) -> None:
        self._tick = tick
        self._interval_s = interval_s

    async def run(self) -> None:
        """Tick at once, to catch up, and then at every interval until cancelled."""
        scheduler = AsyncIOScheduler(timezone="UTC")
        scheduler.add_job(
            self._tick.run,
            IntervalTrigger(seconds=self._interval_s, timezone="UTC"),
            id="tick",
            coalesce=True,
            max_instances=1,
            misfire_grace_time=MISFIRE_GRACE_S,
        )
        await self._tick.run()
        heed_cancellation()
        scheduler.start()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            scheduler.shutdown(wait=False)


async def run_every(interval_s: float, chore: Callable[[], Awaitable[Any]], *, name: str) -> None:
    """Run a chore again and again until cancelled; a failure is logged and does not end it.

    For what a minute is too long: the audit sealer, the outbox's sweep.
    """
    while True:
        try:
            await chore()
        except DatabaseAwayError as error:
            _log.warning("chore_without_database", chore=name, sqlstate=error.sqlstate)
        except Exception:  # noqa: BLE001 -- an edge: the clock must go on
            _log.exception("chore_failed", chore=name)
        heed_cancellation()
        await asyncio.sleep(interval_s)
