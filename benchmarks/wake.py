"""How long after a commit the job that was deferred in it starts."""

import asyncio
import time
from pathlib import Path

from benchmarks.figures import Table, percentile
from bot.worker.jobs import Job
from bot.worker.runner import Worker
from storage.database import Database, conninfo

JOBS = 200
_PAUSE_S = 0.02
_READY_S = 1.0


async def measure(_folder: Path, url: str) -> Table:
    """Defer jobs one at a time to an idle worker in another transaction's wake."""
    started: asyncio.Queue[float] = asyncio.Queue()

    async def body(number: int) -> None:
        del number
        started.put_nowait(time.perf_counter())

    worker = Worker(conninfo=conninfo(url), jobs=(Job("noop", body),), concurrency=20, name="bench")
    database = Database(url)
    took = []
    async with asyncio.TaskGroup() as group:
        working = group.create_task(worker.run())
        await asyncio.sleep(_READY_S)
        for number in range(JOBS):
            async with database.transaction() as tx:
                await tx.defer("noop", number=number)
                began = time.perf_counter()
            took.append((await started.get() - began) * 1000)
            await asyncio.sleep(_PAUSE_S)
        working.cancel()
    await database.close()
    return Table(
        "Commit to the start of its job (ms)",
        ("", "median", "p99", "worst"),
        (
            (
                "job deferred in a transaction",
                f"{percentile(took, 0.5):.1f}",
                f"{percentile(took, 0.99):.1f}",
                f"{max(took):.1f}",
            ),
        ),
        (
            (
                f"{JOBS} jobs, one at a time, for a worker in the same process. Counted from just "
                "before the commit, so that it is included."
            ),
        ),
    )
