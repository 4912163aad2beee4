"""A PostgreSQL server of the run's own, which loses no commit and is restarted on the way."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from storage.embedded import EmbeddedPostgres
from storage.embedded_pidfile import find_postmaster
from storage.migrate import upgrade
from tests.storage.pg import folder_for_server

FAST = signal.SIGINT
"""Sessions are cut off, everything is written. Source:
https://www.postgresql.org/docs/18/server-shutdown.html"""
IMMEDIATE = signal.SIGQUIT
"""Nothing is written; the next start recovers from the log, as after a crash. Source: as above."""

_POLL_S = 0.02
_DOWN_S = 0.5
_MAX_CONNECTIONS = 300


class RestartableServer:
    """Durable, unlike the server of other tests: a commit must outlive the server."""

    def __init__(self, postgres: EmbeddedPostgres) -> None:
        self._postgres = postgres
        self.url = postgres.start()
        self.restarts = 0

    async def restart(self, how: signal.Signals) -> None:
        """Stop the server with a signal and start it half a second after it is gone."""
        data = self._postgres._folders.data
        running = find_postmaster(data)
        assert running is not None
        os.kill(running.pid, how)
        while find_postmaster(data) is not None:  # noqa: ASYNC110 -- the system tells nobody
            await asyncio.sleep(_POLL_S)
        await asyncio.sleep(_DOWN_S)
        await asyncio.to_thread(self._postgres.start)
        self.restarts += 1


@contextmanager
def run_restartable() -> Iterator[RestartableServer]:
    """Run a server with a database that is up to date."""
    with folder_for_server() as folder:
        postgres = EmbeddedPostgres(data_dir=folder, max_connections=_MAX_CONNECTIONS)
        try:
            server = RestartableServer(postgres)
            upgrade(server.url)
            yield server
        finally:
            postgres.stop()
