"""Time as the database tells it: every lease and deadline is judged by its clock alone.

Machines' wall clocks may be minutes apart. What a process must know without asking the database
again (may I still send?) it measures from the database's own answer, by a clock that nobody sets.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, text
from sqlalchemy.ext.asyncio import AsyncSession

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""On Linux CLOCK_MONOTONIC stands still while the machine sleeps, CLOCK_BOOTTIME does not; a lease
goes on meanwhile. Source: https://man7.org/linux/man-pages/man2/clock_gettime.2.html"""

_NOW = text("SELECT clock_timestamp()")


def elapsed_s() -> float:
    """Return seconds since some fixed instant of this machine; setting its clock moves nothing."""
    return time.clock_gettime(_CLOCK)


def from_now(pause_s: float) -> Any:
    """Return the instant so many seconds from now, for a column: the database computes it."""
    return func.now() + func.make_interval(0, 0, 0, 0, 0, 0, pause_s)


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant of the database, seen from this process: it never comes later than the real one.

    Attributes:
        at_s: as `elapsed_s` counts.
    """

    at_s: float

    @classmethod
    def after(cls, left: timedelta, *, since_s: float) -> "Deadline":
        """Return the deadline that had `left` to go when the database looked.

        Args:
            left: by the database's clock.
            since_s: `elapsed_s` from before the statement was sent: the way there and back
                shortens the deadline and never lengthens it.
        """
        return cls(since_s + left.total_seconds())

    @property
    def is_over(self) -> bool:
        return elapsed_s() >= self.at_s


class DatabaseClock:
    """Tells the database's time without asking each time; `read` sets it.

    For what people see and what a minute's drift does not hurt: digests, "tomorrow", Home. Leases
    and the deadlines of approvals are compared inside the database instead.
    """

    def __init__(self) -> None:
        self._at = datetime.now(UTC)
        self._since_s = elapsed_s()

    async def read(self, session: AsyncSession) -> None:
        """Set the clock by the database's; off by no more than the way back."""
        at = await session.scalar(_NOW)
        if isinstance(at, datetime):
            self._at, self._since_s = at.astimezone(UTC), elapsed_s()

    def now(self) -> datetime:
        """Return the database's present instant, as far as is known."""
        return self._at + timedelta(seconds=elapsed_s() - self._since_s)
