"""Running a process of one role until it is told to stop."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Coroutine, Iterator
from typing import Any, Literal, TypeAlias

import structlog
import uvicorn
from starlette.applications import Starlette

from bot.app import open_parts
from bot.clock.clock import Clock, run_every
from bot.clock.tick import Tick
from bot.config import Settings
from bot.engine.estimates import Durations
from bot.notifier.pump import CALM_S
from bot.parts import Parts
from bot.worker.runner import Worker
from storage.database import Database, conninfo
from storage.sealer import seal

log = structlog.get_logger(__name__)

Role: TypeAlias = Literal["all", "web", "worker"]

OUTBOX_SWEEP_S = 1.0
"""A channel that Slack asked us to leave alone for a second goes on about a second later."""

WAKE_S = 1.0
"""How often waits are looked for that are due: one look into an index, whoever waits."""

POLL_S = 5.0
"""How often streams are looked for whose turn it is to be polled."""

CLOCK_READ_S = 60.0
"""How often the database is asked for the time; between, a clock that nobody sets goes on."""

TIDY_S = 600.0
"""How often what is over is removed; a run that finds nothing is seven short queries."""

STOP_S = 5
"""How long open requests may take when the web server stops."""


class _Server(uvicorn.Server):
    """Leaves signals to us: one handler stops everything that a process runs."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    The protocol is named because asyncio sets TCP_NODELAY only then; without it every small
    answer waits some 40 ms for a delayed acknowledgement.

    Raises:
        OSError: the port is taken.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)  # noqa: FBT003 -- the standard library's signature
    return listening


async def serve_web(web: Starlette, listening: socket.socket) -> None:
    """Serve until cancelled."""
    config = uvicorn.Config(
        web, log_config=None, access_log=False, timeout_graceful_shutdown=STOP_S, lifespan="auto"
    )
    server = _Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[listening]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
        raise


async def serve(
    settings: Settings,
    *,
    database_url: str,
    role: Role,
    listening: socket.socket | None = None,
) -> None:
    """Run a role until SIGTERM or SIGINT, then let running work finish.

    Raises:
        SlackApiError: Slack does not accept the bot token.
        PolicyError: the policy file is wrong.
        OSError: the port is taken.
    """
    database = Database(database_url)
    try:
        async with open_parts(settings, database) as parts:
            await _run(parts, database_url=database_url, role=role, listening=listening)
    finally:
        await database.close()


async def _run(
    parts: Parts, *, database_url: str, role: Role, listening: socket.socket | None
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as group:
        running = [
            group.create_task(run_every(CLOCK_READ_S, parts.read_clock, name="database_clock"))
        ]
        if role != "web":
            await parts.people.prepare(parts.installation.team_id)
            loops = [run_jobs(parts, database_url=database_url), *run_clock(parts)]
            running += [group.create_task(loop) for loop in loops]
        if role != "worker":
            settings = parts.settings
            place = listening or bind(settings.countersign_host, settings.countersign_port)
            running.append(group.create_task(serve_web(parts.web, place)))
        log.info("serving", role=role, process=os.getpid())
        await stop.wait()
        log.info("stopping", role=role)
        if role != "web":
            parts.engine.stop()
        for task in running:
            task.cancel()


def run_jobs(parts: Parts, *, database_url: str) -> Coroutine[Any, Any, None]:
    """Return what runs this process's jobs until it is cancelled."""
    worker = Worker(
        conninfo=conninfo(database_url),
        jobs=parts.jobs,
        concurrency=parts.settings.countersign_worker_jobs,
        name=f"{socket.gethostname()}:{os.getpid()}",
        heartbeat_s=parts.settings.countersign_heartbeat_s,
    )
    return worker.run()


def run_clock(parts: Parts) -> list[Coroutine[Any, Any, None]]:
    """Return the clock and what a minute is too long for, each until it is cancelled."""
    parts.database.calm_redraws = parts.pump.hint
    tick = Tick(
        {
            "digest_subscriptions": parts.delivery.keep_up,
            "digests": parts.delivery.send_due,
            "approval_deadlines": parts.desk.expire_due,
            "overdue_goals": parts.overdue.stop,
            "goals_nearly_overdue": parts.overdue.warn,
            "connections": parts.connection_desk.sweep,
            "durations": Durations(database=parts.database).keep_up,
        }
    )
    settings = parts.settings

    async def seal_all() -> None:
        await seal(parts.database)

    return [
        Clock(tick).run(),
        run_every(settings.countersign_sweep_s, parts.sweeper.sweep, name="sweep"),
        run_every(settings.countersign_sweep_s, parts.dispatcher.sweep, name="inbox"),
        run_every(settings.countersign_sweep_s, parts.reading.sweep, name="remarks"),
        run_every(POLL_S, parts.happenings.poll_due, name="polls"),
        run_every(WAKE_S, parts.wakes.wake_due, name="waits"),
        run_every(OUTBOX_SWEEP_S, parts.pump.sweep, name="outbox"),
        run_every(CALM_S, parts.pump.post_hinted, name="calm_redraws"),
        run_every(settings.countersign_seal_s, seal_all, name="seal"),
        run_every(TIDY_S, parts.tidier.tidy, name="tidy"),
    ]
