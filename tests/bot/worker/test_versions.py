"""Rolling deploys: a job of a newer version waits for a newer worker."""

import asyncio

from bot.worker.jobs import Job
from storage.database import Database
from tests.bot.jobs import deferred_jobs
from tests.bot.worker.test_runner import defer, until, working


async def test_job_that_a_worker_does_not_know_waits_for_one_that_does(
    database: Database,
) -> None:
    """An older worker leaves it alone: it neither fails it for good nor holds it."""
    seen: list[int] = []

    async def note(*, number: int) -> None:
        seen.append(number)

    await defer(database, "newer", number=1)
    await defer(database, "older", number=2)
    async with working(database, Job("older", note)):
        await until(lambda: seen == [2])
        await asyncio.sleep(0.1)
        assert deferred_jobs(database.url) == [("newer", {"number": 1})]
        async with working(database, Job("older", note), Job("newer", note)):
            await until(lambda: seen == [2, 1])
