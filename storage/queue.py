"""The queue: Procrastinate behind one small module."""

from typing import Any

import procrastinate
from procrastinate.exceptions import AlreadyEnqueued
from sqlalchemy.ext.asyncio import AsyncSession


class Queue:
    """Defers jobs inside a caller's transaction; the worker runs them."""

    def __init__(self, conninfo: str) -> None:
        self.app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=conninfo))

    async def defer(
        self, session: AsyncSession, job: str, *, once: str | None, **arguments: Any
    ) -> None:
        """Add a job to the caller's transaction; with `once`, unless one like it waits."""
        connection = await session.connection()
        raw = (await connection.get_raw_connection()).driver_connection
        deferrer = self.app.configure_task(
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
