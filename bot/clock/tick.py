"""The tick: once a minute on every replica, everything whose time has come."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog

from storage.errors import DatabaseAwayError

_log = structlog.get_logger(__name__)


class Tick:
    """Runs a fixed list of chores, each of which claims due rows by itself.

    Chores run one after the other, so a tick takes one connection. What one replica claims the
    others skip; what a tick misses the next one finds.
    """

    def __init__(self, chores: Mapping[str, Callable[[], Awaitable[Any]]]) -> None:
        self._chores = dict(chores)

    async def run(self) -> None:
        """Run every chore once; one that fails is logged and stops none of the others."""
        for name, chore in self._chores.items():
            try:
                await chore()
            except DatabaseAwayError as error:
                _log.warning("chore_without_database", chore=name, sqlstate=error.sqlstate)
            except Exception:  # noqa: BLE001 -- an edge: the clock must go on
                _log.exception("chore_failed", chore=name)
