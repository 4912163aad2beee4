"""A circuit breaker per host, shared by all processes: who does not answer is left alone.

Closed, until enough requests of one process failed within a window; then open, and nothing is
sent; after a pause one request of all processes is let through: it closes the breaker, or keeps it
open for twice as long. A row exists only while a breaker is open, so all is well costs one small
read a second. Only failures of the host itself count: no connection, no answer in time, 5xx.
"""

import asyncio
import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from connectors.errors import ProviderDownError
from storage.database import Database
from storage.instants import elapsed_s
from storage.repositories.breakers import OpenBreaker

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerTiming:
    """When a breaker opens and for how long; short in tests.

    Attributes:
        failures: so many within `window_s` open it, if they are at least half of the requests.
        window_s: how far back a process remembers.
        open_s: the first pause; it doubles with every failed probe, up to `longest_s`.
        probe_s: how long a probe may take before another process may make one.
        spread_s: tasks are let go over so long a time, so that they do not all come at once.
        cache_s: how long a process believes what it read of the other processes.
    """

    failures: int = 5
    window_s: float = 30.0
    open_s: float = 15.0
    longest_s: float = 300.0
    probe_s: float = 30.0
    spread_s: float = 10.0
    cache_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Pass:
    """The leave to send one request to a host."""

    host: str
    provider: str
    is_probe: bool


@dataclass(slots=True)
class _Window:
    """The results of a process's latest requests to one host, as (when, whether it failed)."""

    results: deque[tuple[float, bool]] = field(default_factory=deque)

    def note(self, *, failed: bool, timing: BreakerTiming) -> bool:
        """Remember a result; whether there are too many failures now."""
        now_s = elapsed_s()
        self.results.append((now_s, failed))
        while self.results[0][0] < now_s - timing.window_s:
            self.results.popleft()
        failures = sum(failed for _, failed in self.results)
        return failures >= timing.failures and failures * 2 >= len(self.results)


class Breakers:
    """The breakers of one process."""

    def __init__(self, database: Database, *, timing: BreakerTiming | None = None) -> None:
        self._database = database
        self._timing = timing or BreakerTiming()
        self._windows: dict[str, _Window] = {}
        self._known: Mapping[str, OpenBreaker] = {}
        self._read_at_s: float | None = None
        self._reading = asyncio.Lock()

    async def enter(self, host: str, *, provider: str, title: str) -> Pass:
        """Return the leave to send one request; tell `leave` how it went.

        Raises:
            ProviderDownError: the host is left alone for now; nothing was sent.
        """
        found = (await self._open()).get(host)
        if found is None:
            return Pass(host, provider, is_probe=False)
        if found.retry.is_over:
            async with self._database.transaction() as tx:
                claimed = await tx.breakers.claim_probe(host, lease_s=self._timing.probe_s)
            self._read_at_s = None
            if claimed:
                return Pass(host, provider, is_probe=True)
            found = (await self._open()).get(host)
            if found is None:
                return Pass(host, provider, is_probe=False)
        raise self._down(found, title)

    async def check(self, host: str, *, title: str) -> None:
        """Refuse early while a host is left alone; unlike `enter` it claims nothing.

        Raises:
            ProviderDownError: the host is left alone for now.
        """
        found = (await self._open()).get(host)
        if found is not None and not found.retry.is_over:
            raise self._down(found, title)

    async def leave(self, used: Pass, *, failed: bool) -> None:
        """Take the result of a request that was let through."""
        timing = self._timing
        if used.is_probe:
            await self._probed(used, failed=failed)
            return
        window = self._windows.setdefault(used.host, _Window())
        if not window.note(failed=failed, timing=timing) or used.host in self._known:
            return
        async with self._database.transaction() as tx:
            opened = await tx.breakers.open(
                host=used.host, provider=used.provider, for_s=timing.open_s
            )
        self._windows.pop(used.host, None)
        self._read_at_s = None
        if opened:
            log.error("breaker_opened", host=used.host, provider=used.provider)

    async def _probed(self, used: Pass, *, failed: bool) -> None:
        probes = found.probes if (found := self._known.get(used.host)) else 0
        async with self._database.transaction() as tx:
            if failed:
                pause_s = self._timing.open_s * 2 ** min(probes + 1, 10)
                await tx.breakers.keep_open(used.host, for_s=min(pause_s, self._timing.longest_s))
            else:
                await tx.breakers.close(used.host)
        self._windows.pop(used.host, None)
        self._read_at_s = None
        log.info("breaker_probed", host=used.host, provider=used.provider, failed=failed)

    async def _open(self) -> Mapping[str, OpenBreaker]:
        """Return the hosts that are left alone, as of a moment ago; one task reads at a time."""
        async with self._reading:
            now_s = elapsed_s()
            if self._read_at_s is None or now_s - self._read_at_s > self._timing.cache_s:
                async with self._database.reading() as tx:
                    found = {item.host: item for item in await tx.breakers.list_()}
                for host in self._known.keys() - found.keys():
                    self._windows.pop(host, None)
                self._known, self._read_at_s = found, now_s
            return self._known

    def _down(self, found: OpenBreaker, title: str) -> ProviderDownError:
        left_s = max(0.0, found.retry.at_s - elapsed_s())
        spread_s = random.uniform(0, self._timing.spread_s)  # noqa: S311 -- jitter
        return ProviderDownError(
            f"{title} does not answer at the moment.",
            provider=found.provider,
            since=found.opened_at,
            retry_after_s=left_s + spread_s,
        )
