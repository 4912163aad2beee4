"""The queue: Procrastinate behind one small module."""

from typing import Any

import procrastinate
import psycopg
import psycopg_pool

from storage.pending import Priority

__all__ = ["Priority", "new_app"]

POOL_TIMEOUT_S = 5.0
"""How long a worker waits for a connection before it starts anew with a fresh pool."""


def new_app(conninfo: str) -> procrastinate.App:
    """Return an app with a pool of its own, for one turn of a worker."""
    return procrastinate.App(
        connector=procrastinate.PsycopgConnector(
            conninfo=conninfo,
            timeout=POOL_TIMEOUT_S,
            reconnect_timeout=POOL_TIMEOUT_S,
            configure=_commit_each,
            pool_factory=_new_pool,
        )
    )


async def _commit_each(connection: psycopg.AsyncConnection) -> None:
    """Spare each statement of Procrastinate its BEGIN and COMMIT: it needs none of both."""
    await connection.set_autocommit(True)


def _new_pool(**options: Any) -> psycopg_pool.AsyncConnectionPool:
    """Return a pool that hands out connections unchecked, which saves a query a statement.

    A connection that died is noticed by its next statement; the worker then starts anew.
    """
    return psycopg_pool.AsyncConnectionPool(**(options | {"check": None}))
