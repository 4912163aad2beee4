"""How fast one connection may send: the manifest's limit, and what its provider last said."""

import asyncio
from collections.abc import Mapping

from aiolimiter import AsyncLimiter

from connectors.errors import RestingError
from connectors.manifest import RateLimit
from storage.instants import elapsed_s

PAUSE_S = 1.0
"""How long a connection rests after a 429 that does not say how long."""

RESERVE = 0.1
"""The share of a provider's limit that is left unused: other apps of the account need some."""

LONGEST_SLOWDOWN_S = 10.0
"""Headers slow a connection down by no more than this; a 429 alone can park it for longer."""

# Source: https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
_MAX = "x-hubspot-ratelimit-max"
_REMAINING = "x-hubspot-ratelimit-remaining"
_INTERVAL_MS = "x-hubspot-ratelimit-interval-milliseconds"


class Pace:
    """The pace of one connection in one process; a 429 is also told to the other processes."""

    def __init__(self, limit: RateLimit) -> None:
        self._limiter = AsyncLimiter(limit.requests, limit.per_s)
        self._resting_until_s = 0.0
        self._slow_until_s = 0.0

    async def wait(self, title: str) -> None:
        """Wait for a turn; longer while the provider's headers say that little is left.

        Raises:
            RestingError: the provider asked for a pause that is not over.
        """
        left_s = self._resting_until_s - elapsed_s()
        if left_s > 0:
            raise RestingError(f"{title} asks us to slow down.", retry_after_s=left_s)
        await self._limiter.acquire()
        if self.slow_s > 0:
            await asyncio.sleep(self.slow_s)

    @property
    def slow_s(self) -> float:
        """How long the next request waits because little of the provider's limit is left."""
        return max(0.0, self._slow_until_s - elapsed_s())

    def rest(self, pause_s: float) -> None:
        """Let nothing leave for so long."""
        self._resting_until_s = max(self._resting_until_s, elapsed_s() + pause_s)

    def heed(self, headers: Mapping[str, str]) -> None:
        """Spread what is left of the provider's limit over its interval, before it is used up.

        Headers that are missing or no numbers change nothing.
        """
        most, left = _number(headers, _MAX), _number(headers, _REMAINING)
        interval_ms = _number(headers, _INTERVAL_MS)
        if not most or left is None or not interval_ms or left > most * RESERVE:
            return
        share_s = interval_ms / 1000 / (left + 1)
        pause_s = min(share_s, LONGEST_SLOWDOWN_S)
        self._slow_until_s = max(self._slow_until_s, elapsed_s() + pause_s)


def _number(headers: Mapping[str, str], name: str) -> float | None:
    value = headers.get(name, "").strip()
    return float(value) if value.isascii() and value.isdigit() else None
