"""The worker: runs what transactions deferred, again where it failed, until it is stopped."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import psycopg
import pytest

from bot.config import Settings
from bot.serve import STOP_S
from bot.worker.jobs import Job
from bot.worker.runner import GRACE_S, Worker
from storage.database import Database, conninfo
from storage.queue import Priority
from tests.bot.jobs import deferred_jobs


@asynccontextmanager
async def working(database: Database, *jobs: Job, concurrency: int = 4) -> AsyncIterator[Worker]:
    worker = Worker(
        conninfo=conninfo(database.url), jobs=jobs, concurrency=concurrency, name="test"
    )
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 -- what is waited for happens in the database
            await asyncio.sleep(0.02)


async def defer(database: Database, job: str, *, number: int) -> None:
    async with database.transaction() as tx:
        await tx.defer(job, number=number)


async def test_deferred_job_runs_with_its_arguments_and_is_gone(database: Database) -> None:
    """A job is a nudge: done, it leaves nothing behind."""
    seen: list[int] = []

    async def note(*, number: int) -> None:
        seen.append(number)

    await defer(database, "note", number=1)
    async with working(database, Job("note", note)) as worker:
        await until(lambda: seen == [1])
        await defer(database, "note", number=2)
        await until(lambda: seen == [1, 2])
        assert worker.is_running
        await until(lambda: _count(database) == 0)


async def test_job_whose_notification_was_lost_starts_within_two_seconds(
    database: Database,
) -> None:
    """Nobody waits five seconds because a message between two processes was lost."""
    seen: list[int] = []

    async def note(*, number: int) -> None:
        seen.append(number)

    async with working(database, Job("note", note)) as worker:
        await until(lambda: worker.is_running)
        await defer(database, "note", number=1)
        await until(lambda: seen == [1])
        with psycopg.connect(conninfo(database.url)) as connection:
            connection.execute("ALTER TABLE procrastinate_jobs DISABLE TRIGGER USER")
        await defer(database, "note", number=2)
        async with asyncio.timeout(2):
            await until(lambda: seen == [1, 2])


async def test_job_that_a_person_waits_for_overtakes_the_background(database: Database) -> None:
    """With one worker and 200 jobs of the background queued, a click's job is next."""
    seen: list[int] = []
    clicked = asyncio.Event()

    async def note(*, number: int) -> None:
        seen.append(number)
        if number == 0:
            await clicked.wait()

    async with database.transaction() as tx:
        for number in range(200):
            await tx.defer("note", priority=Priority.BACKGROUND, number=number)
    async with working(database, Job("note", note), concurrency=1):
        await until(lambda: seen == [0])
        async with database.transaction() as tx:
            await tx.defer("note", priority=Priority.INTERACTIVE, number=999)
        clicked.set()
        await until(lambda: len(seen) > 2)
    assert seen[:3] == [0, 999, 1]


async def test_failing_job_is_run_again(database: Database) -> None:
    """A job that fails is retried after a pause; the tables are the truth, so that is safe."""
    tries: list[int] = []

    async def fail_once(*, number: int) -> None:
        tries.append(number)
        if len(tries) == 1:
            message = "the first time fails"
            raise RuntimeError(message)

    await defer(database, "fail_once", number=7)
    async with working(database, Job("fail_once", fail_once, wait_s=0)):
        await until(lambda: tries == [7, 7])


async def test_job_that_fails_for_good_tells_somebody_once(database: Database) -> None:
    """Its last try ends with a word and a reference; it is not left to loop."""
    tries: list[int] = []
    told: list[tuple[int, str]] = []

    async def fail(*, number: int) -> None:
        tries.append(number)
        message = "it always fails"
        raise RuntimeError(message)

    async def tell(*, reference: str, number: int) -> None:
        told.append((number, reference))

    await defer(database, "fail", number=7)
    job = Job("fail", fail, max_attempts=1, wait_s=0, gave_up=tell)
    async with working(database, job):
        await until(lambda: bool(told) and _count(database) == 0)
    assert tries == [7, 7]
    assert [(number, len(reference)) for number, reference in told] == [(7, 8)]


async def test_worker_comes_back_after_its_sessions_were_cut(database: Database) -> None:
    """A restart of the database costs a pause, not the worker."""
    seen: list[int] = []

    async def note(*, number: int) -> None:
        seen.append(number)

    async with working(database, Job("note", note)) as worker:
        await until(lambda: worker.is_running)
        await defer(database, "note", number=1)
        await until(lambda: seen == [1])
        await database.close()
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        await defer(database, "note", number=2)
        await until(lambda: seen == [1, 2])


async def test_stopped_worker_leaves_the_rest_in_the_queue(database: Database) -> None:
    """What nobody ran waits for the next worker."""

    async def note(*, number: int) -> None:
        raise AssertionError(number)

    async with working(database, Job("note", note)) as worker:
        await until(lambda: worker.is_running)
    await defer(database, "note", number=1)
    assert deferred_jobs(database.url) == [("note", {"number": 1})]


async def test_stop_cuts_off_what_hangs_and_leaves_it_to_another(database: Database) -> None:
    """Whatever hangs, a stop ends when its grace is over, and the job is there for others."""
    began = asyncio.Event()

    async def hang(*, number: int) -> None:
        del number
        began.set()
        await asyncio.Event().wait()

    jobs = (Job("hang", hang),)
    worker = Worker(
        conninfo=conninfo(database.url), jobs=jobs, concurrency=4, name="test", grace_s=0.1
    )
    await defer(database, "hang", number=1)
    task = asyncio.create_task(worker.run())
    await asyncio.wait_for(began.wait(), 20)
    task.cancel()
    async with asyncio.timeout(10):
        await asyncio.gather(task, return_exceptions=True)
    assert deferred_jobs(database.url) == [("hang", {"number": 1})]


async def test_stop_is_over_before_a_supervisor_kills() -> None:
    """A call that was sent ends within the grace, and the grace within 30 s."""
    call_s = Settings.model_fields["countersign_call_timeout_s"].default
    assert call_s < GRACE_S
    assert GRACE_S + STOP_S <= 30


def _count(database: Database) -> int:
    with psycopg.connect(database.url) as connection:
        row = connection.execute("SELECT count(*) FROM procrastinate_jobs").fetchone()
    return int(row[0]) if row else 0


@pytest.mark.parametrize("delay_s", [0.0, 0.005, 0.01, 0.02, 0.03, 0.04])
async def test_worker_that_is_cancelled_while_it_starts_ends(
    database: Database, delay_s: float
) -> None:
    """A stop may come at any moment of the start; it is never lost."""
    worker = Worker(conninfo=conninfo(database.url), jobs=(), concurrency=1, name="test")
    task = asyncio.create_task(worker.run())
    await asyncio.sleep(delay_s)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=5)
    assert done
    assert task.cancelled()


async def test_worker_whose_cancellation_was_lost_in_the_pool_ends(database: Database) -> None:
    """It looks whether it was told to end, since what it waits with may forget that."""
    worker = Worker(conninfo=conninfo(database.url), jobs=(), concurrency=1, name="test")

    async def lose_and_run() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        await worker.run()

    task = asyncio.create_task(lose_and_run())
    done, _ = await asyncio.wait([task], timeout=5)
    assert done
    assert task.cancelled()
