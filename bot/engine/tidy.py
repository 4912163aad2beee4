"""Tidying up: what is over is removed by retention settings, a little at a time."""

from collections.abc import Mapping

import structlog

from storage.database import Database
from storage.repositories.tidy import BATCH
from storage.retention import RULES, Keep

log = structlog.get_logger(__name__)

MOST_BATCHES = 40
"""Of one rule in one run: 20,000 rows; the next run goes on."""

DEAD_S = 3600.0
"""A worker that was silent for so long does not come back; its jobs were re-derived long ago."""


class Tidier:
    """Prunes finished jobs, archives events, forgets old cards. It never touches audit rows."""

    def __init__(self, *, database: Database, keep_s: Mapping[Keep, float]) -> None:
        """Keep what the settings say, in seconds; `Keep.DEAD` is ours."""
        self._database = database
        self._keep_s = {Keep.DEAD: DEAD_S, **keep_s}

    async def tidy(self) -> dict[str, int]:
        """Remove what is over, in transactions of at most `BATCH` rows; return how many of what."""
        done = {}
        for rule in RULES:
            removed = 0
            for _ in range(MOST_BATCHES):
                async with self._database.transaction() as tx:
                    batch = await tx.tidy.remove(rule, keep_s=self._keep_s[rule.keep])
                removed += batch
                if batch < BATCH:
                    break
            done[rule.what] = removed
        if any(done.values()):
            log.info("tidied", **{name.replace(" ", "_"): count for name, count in done.items()})
        return done

    async def count(self) -> dict[str, int]:
        """Return how many rows of what `tidy` would remove now."""
        async with self._database.reading() as tx:
            return {
                rule.what: await tx.tidy.count(rule, keep_s=self._keep_s[rule.keep])
                for rule in RULES
            }
