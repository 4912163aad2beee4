"""Slack's rate limits as token buckets."""

import math
import time
from dataclasses import dataclass

from bot.workspace.errors import RateLimitedError


@dataclass(slots=True)
class _Bucket:
    tokens: float
    refilled_at: float


class RateLimiter:
    """Counts calls per key; each key has a burst and a refill rate.

    It does not sleep and does not queue: a call over the limit is refused, as at Slack.
    """

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}

    def take(self, key: str, *, burst: float, per_s: float) -> None:
        """Take one token from the bucket of `key`.

        Raises:
            RateLimitedError: The bucket is empty; says after how many whole seconds it is not.
        """
        now = time.monotonic()
        bucket = self._buckets.setdefault(key, _Bucket(tokens=burst, refilled_at=now))
        bucket.tokens = min(burst, bucket.tokens + (now - bucket.refilled_at) * per_s)
        bucket.refilled_at = now
        if bucket.tokens < 1:
            raise RateLimitedError(retry_after_s=max(1, math.ceil((1 - bucket.tokens) / per_s)))
        bucket.tokens -= 1

    def reset(self) -> None:
        """Forget every count."""
        self._buckets.clear()
