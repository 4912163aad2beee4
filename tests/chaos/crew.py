"""The workers: processes of two roles, forked without their imports, killed without mercy."""

import asyncio
import logging
import multiprocessing
import os
import random
import signal
import sys
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import structlog

from bot import loop
from bot.clock.clock import run_every
from bot.serve import CLOCK_READ_S, run_clock, run_jobs
from tests.chaos.scale import Role
from tests.chaos.wiring import Place, open_chaos

_PARENT_POLL_S = 0.5


def context() -> ForkServerContext:
    """Return what forks processes that have imported everything already."""
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(["tests.chaos.crew", "tests.chaos.provider"])
    return made


@dataclass
class Crew:
    """The processes of a run; whoever dies is replaced at once."""

    forks: ForkServerContext
    place: Place
    log: Path
    rng: random.Random
    kills: int = 0
    freezes: int = 0
    members: list[tuple[Role, ForkServerProcess]] = field(default_factory=list)
    _frozen: set[int] = field(default_factory=set)

    def start(self, role: Role) -> None:
        process = self.forks.Process(
            target=work, args=(role, self.place, str(self.log)), daemon=True
        )
        process.start()
        self.members.append((role, process))

    def kill_one(self) -> None:
        """Kill a process with SIGKILL, whichever, and start another of its role."""
        role, process = self.rng.choice(
            [member for member in self.members if member[1].pid not in self._frozen]
        )
        self._end(role, process)
        self.kills += 1
        self.start(role)

    async def freeze_one(self, for_s: float) -> None:
        """Stop a worker in its tracks, and let it go on when its leases are long over."""
        _, process = next(member for member in self.members if member[0] == "worker")
        assert process.pid is not None
        self._frozen.add(process.pid)
        os.kill(process.pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(for_s)
        finally:
            os.kill(process.pid, signal.SIGCONT)
            self._frozen.discard(process.pid)
        self.freezes += 1

    def died_by_themselves(self) -> int:
        """Return how many processes ended that nobody killed; there should be none."""
        return sum(not process.is_alive() for _, process in self.members)

    def end(self) -> None:
        for role, process in list(self.members):
            self._end(role, process)

    def _end(self, role: Role, process: ForkServerProcess) -> None:
        self.members.remove((role, process))
        process.kill()
        process.join()


def work(role: Role, place: Place, log: str) -> None:
    """Do a role's work until killed, or until whoever started us is gone."""
    with Path(log).open("a", encoding="utf-8", buffering=1) as out:
        sys.stderr = out
        level = structlog.make_filtering_bound_logger(logging.WARNING)
        structlog.configure(
            wrapper_class=level, logger_factory=structlog.PrintLoggerFactory(file=out)
        )
        random.seed()
        loop.run(_work(role, place))


async def _work(role: Role, place: Place) -> None:
    async with open_chaos(place) as parts, asyncio.TaskGroup() as group:
        if role == "worker":
            group.create_task(run_jobs(parts, database_url=place.database_url))
        else:
            for loop in run_clock(parts):
                group.create_task(loop)
        clock = run_every(CLOCK_READ_S, parts.read_clock, name="database_clock")
        group.create_task(clock)
        group.create_task(_end_with_parent(os.getppid()))


async def _end_with_parent(parent: int) -> None:
    while os.getppid() == parent:  # noqa: ASYNC110 -- the system tells nobody
        await asyncio.sleep(_PARENT_POLL_S)
    os._exit(1)
