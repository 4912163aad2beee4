"""The queue: Procrastinate behind one small module."""

from enum import IntEnum
from typing import Any

import procrastinate
import psycopg
import psycopg_pool
from procrastinate.exceptions import AlreadyEnqueued
from sqlalchemy import text
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


class Priority(IntEnum):
    """Which waiting job a worker takes next: the highest, and of equals the oldest.

    Source: https://procrastinate.readthedocs.io/en/stable/howto/advanced/priorities.html
    """

    BACKGROUND = -10
    """Nobody waits for it at this moment: sweeps, waits that come due, polls, digests."""
    NORMAL = 0
    INTERACTIVE = 10
    """A person looks on: a message, a click, the plan and the first drive that follow from it."""


_RAISE = text(
    "UPDATE procrastinate_jobs SET priority = :priority "
    "WHERE queueing_lock = :once AND status = 'todo' AND priority < :priority"
)


class Queue:
    """Defers jobs inside a caller's transaction; `bot.worker` runs them."""

    def __init__(self, conninfo: str) -> None:
        self._app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=conninfo))

    async def defer(
        self,
        session: AsyncSession,
        job: str,
        *,
        once: str | None,
        priority: Priority,
        **arguments: Any,
    ) -> None:
        """Add a job to the caller's transaction; with `once`, unless one like it waits.

        One that waits already is moved forward if it is more urgent now.
        """
        if once is None:
            await self._defer(session, job, None, priority, arguments)
            return
        try:
            async with session.begin_nested():
                await self._defer(session, job, once, priority, arguments)
        except AlreadyEnqueued:
            if priority > Priority.BACKGROUND:
                await session.execute(_RAISE, {"priority": int(priority), "once": once})

    async def _defer(
        self,
        session: AsyncSession,
        job: str,
        once: str | None,
        priority: Priority,
        arguments: dict[str, Any],
    ) -> None:
        # Asking the session for its connection is what sets the savepoint of a nested transaction.
        connection = await session.connection()
        raw = (await connection.get_raw_connection()).driver_connection
        deferrer = self._app.configure_task(
            job,
            allow_unknown=True,
            # A queue for each kind of job: a worker takes only the kinds that it knows, so one of
            # a newer version waits for a newer worker instead of failing for good in an older one.
            queue=job,
            connection=raw,
            queueing_lock=once,
            priority=int(priority),
        )
        await deferrer.defer_async(**arguments)
