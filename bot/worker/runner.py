"""The worker: runs jobs until it is cancelled, and comes back after the database went away."""

import asyncio

import procrastinate
import psycopg
import structlog
from procrastinate.exceptions import ConnectorException
from procrastinate.worker import Worker as QueueWorker

from bot.loop import heed_cancellation
from bot.worker.jobs import Job, register
from storage.queue import new_app

log = structlog.get_logger(__name__)

RESTART_PAUSE_S = 1.0
POLL_S = 0.5
"""How often a worker looks for jobs that nothing told it of.

A notification that arrives while Procrastinate 3.10 fetches a job is forgotten when the fetch
returns (`Worker._fetch_and_process_jobs` clears the event afterwards); by its default the job then
waits five seconds for somebody who watches a card. A look that finds nothing costs a millisecond.
"""
GRACE_S = 25
"""How long a stop waits for running jobs before it cuts them off; their leases then lapse.

Longer than a call may take, and with what else a stop takes shorter than the 30 s after which
Kubernetes kills. Source:
https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination"""


class Worker:
    """Runs the jobs of one process."""

    def __init__(
        self,
        *,
        conninfo: str,
        jobs: tuple[Job, ...],
        concurrency: int,
        name: str,
        heartbeat_s: float = 10.0,
        grace_s: float = GRACE_S,
    ) -> None:
        self._conninfo = conninfo
        self._jobs = jobs
        self._concurrency = concurrency
        self._name = name
        self._heartbeat_s = heartbeat_s
        self._grace_s = grace_s
        self.is_running = False

    async def run(self) -> None:
        """Run jobs until cancelled; each turn has a fresh connector.

        A connector that lived through a database restart is deaf to NOTIFY, so a broken one is
        replaced (reference: PostgreSQL LISTEN is per session).
        """
        while True:
            try:
                await self._turn()
            except (psycopg.Error, ConnectorException, OSError) as error:
                log.warning("worker_lost_database", error=type(error).__name__)
            self.is_running = False
            heed_cancellation()
            await asyncio.sleep(RESTART_PAUSE_S)

    async def _turn(self) -> None:
        app = new_app(self._conninfo)
        register(app, self._jobs)
        try:
            await app.open_async()
            heed_cancellation()
            self.is_running = True
            await self._work(self._new_worker(app))
        finally:
            await app.close_async()  # Also what was only half open when it was cancelled.

    async def _work(self, worker: QueueWorker) -> None:
        """Run it until cancelled, then until its jobs are done.

        It is told to stop and never cancelled: a cancellation that meets it while it starts can
        be lost in the pool (see `heed_cancellation`), and one that meets it while it stops cuts
        its jobs off.
        """
        await asyncio.sleep(0)
        working = asyncio.ensure_future(worker.run())  # type: ignore[no-untyped-call]  # not annotated there
        try:
            await asyncio.shield(working)
        except asyncio.CancelledError:
            # By now it has taken its first step, which forgets earlier wishes to stop.
            worker.stop()  # type: ignore[no-untyped-call]  # not annotated there
            await working
            raise

    def _new_worker(self, app: procrastinate.App) -> QueueWorker:
        return QueueWorker(
            app,
            queues=[job.name for job in self._jobs],
            name=self._name,
            concurrency=self._concurrency,
            install_signal_handlers=False,
            listen_notify=True,
            fetch_job_polling_interval=POLL_S,
            delete_jobs="successful",
            shutdown_graceful_timeout=self._grace_s,
            update_heartbeat_interval=self._heartbeat_s,
        )
