"""The queue: Procrastinate behind one small module."""

from typing import Any

import procrastinate
from procrastinate.exceptions import AlreadyEnqueued
from sqlalchemy.ext.asyncio import AsyncSession

POOL_TIMEOUT_S = 5.0
"""How long a worker waits for a connection before it starts anew with a fresh pool."""


def new_app(conninfo: str) -> procrastinate.App:
    """Return an app with a pool of its own, for one turn of a worker."""
    return procrastinate.App(
        connector=procrastinate.PsycopgConnector(
            conninfo=conninfo, timeout=POOL_TIMEOUT_S, reconnect_timeout=POOL_TIMEOUT_S
        )
    )


class Queue:
    """Defers jobs inside a caller's transaction; `bot.worker` runs them."""

    def __init__(self, conninfo: str) -> None:
        self._app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=conninfo))

    async def defer(
        self, session: AsyncSession, job: str, *, once: str | None, **arguments: Any
    ) -> None:
        """Add a job to the caller's transaction; with `once`, unless one like it waits."""
        connection = await session.connection()
        raw = (await connection.get_raw_connection()).driver_connection
        deferrer = self._app.configure_task(
            job, allow_unknown=True, connection=raw, queueing_lock=once
        )
        if once is None:
            await deferrer.defer_async(**arguments)
            return
        try:
            async with session.begin_nested():
                await deferrer.defer_async(**arguments)
        except AlreadyEnqueued:
            return
