"""The queue: Procrastinate behind one small module."""

from typing import Any

import procrastinate
import psycopg
import psycopg_pool
from procrastinate.exceptions import AlreadyEnqueued
from sqlalchemy.ext.asyncio import AsyncSession

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


class Queue:
    """Defers jobs inside a caller's transaction; `bot.worker` runs them."""

    def __init__(self, conninfo: str) -> None:
        self._app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=conninfo))

    async def defer(
        self, session: AsyncSession, job: str, *, once: str | None, **arguments: Any
    ) -> None:
        """Add a job to the caller's transaction; with `once`, unless one like it waits."""
        if once is None:
            await self._defer(session, job, None, arguments)
            return
        try:
            async with session.begin_nested():
                await self._defer(session, job, once, arguments)
        except AlreadyEnqueued:
            return

    async def _defer(
        self, session: AsyncSession, job: str, once: str | None, arguments: dict[str, Any]
    ) -> None:
        # Asking the session for its connection is what sets the savepoint of a nested transaction.
        connection = await session.connection()
        raw = (await connection.get_raw_connection()).driver_connection
        deferrer = self._app.configure_task(
            job, allow_unknown=True, connection=raw, queueing_lock=once
        )
        await deferrer.defer_async(**arguments)
