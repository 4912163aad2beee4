"""How the work spreads over one, two and four worker processes."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.figures import Table, spread
from benchmarks.model import run_model
from benchmarks.rig import CONCURRENCY, DANA, TEAM, Rig, open_rig
from benchmarks.tools import OFFICE, REQUEST
from bot import loop
from bot.cli.stage import REPOSITORY
from bot.goals.clicks import Click
from bot.goals.messages import IncomingMessage
from connectors.registry import Connector

PROCESSES = (1, 2, 4)
AT_ONCE = (1, CONCURRENCY)
ROUNDS = 3
GOALS = 40
LATENCY_S = 0.1
_POLL_S = 0.05
_READY_S = 30.0


async def measure(_folder: Path, url: str) -> Table:
    """Run the compared goal on processes whose provider takes a while."""
    rows = []
    with run_model() as model:
        async with open_rig(url, model_url=model.url, works=False) as rig:
            for count in PROCESSES:
                figures = []
                for at_once in AT_ONCE:
                    _forget_workers(url)
                    with _workers(count, url, model.url, at_once):
                        await _until_alive(url, count)
                        await _round(rig)
                        figures.append(spread([await _round(rig) for _ in range(ROUNDS)]))
                rows.append((str(count), *figures))
    return Table(
        f"Goals a second, with a provider that takes {LATENCY_S * 1000:.0f} ms a call",
        ("worker processes", *(f"goals/s, {many} jobs at once in each" for many in AT_ONCE)),
        tuple(rows),
        (
            (
                "With one job at a time a worker mostly waits for the provider, so that the cores "
                "have room for more workers; with as many as it likes, one worker fills them."
            ),
            (
                f"{ROUNDS} rounds of {GOALS} goals that begin together, the same goal as in the "
                "comparison, six calls in four steps: the median round, with the least and the "
                "greatest. PostgreSQL, the model and whoever presses Run share the same cores."
            ),
        ),
    )


def slow_office() -> Connector:
    """Return the tools with a provider that takes `LATENCY_S` for every call."""

    def slowly(run: Any) -> Any:
        async def wait_and_run(context: Any, arguments: Any) -> Any:
            await asyncio.sleep(LATENCY_S)
            return await run(context, arguments)

        return wait_and_run

    actions = tuple(replace(action, run=slowly(action.run)) for action in OFFICE.actions)
    return replace(OFFICE, actions=actions)


async def _round(rig: Rig) -> float:
    """Return goals per second from the first message to the last end."""
    began = time.perf_counter()
    tag = f"{began:.6f}"
    for number in range(GOALS):
        await rig.parts.services.goals.receive(
            IncomingMessage(
                team_id=TEAM,
                person_id=DANA,
                channel_id="D0BENCH",
                ts=f"{tag}.{number}",
                thread_ts=None,
                text=REQUEST,
                is_dm=True,
            )
        )
    open_goals = (
        "SELECT id, status, plan_version FROM goals WHERE status NOT IN "
        "('done','partly_done','failed','cancelled')"
    )
    async with await psycopg.AsyncConnection.connect(
        rig.database.url, autocommit=True
    ) as connection:
        while goals := await (await connection.execute(open_goals)).fetchall():
            for goal_id, status, version in goals:
                if status == "proposed":
                    await rig.parts.services.plans.run(Click(TEAM, DANA), goal_id, version)
            await asyncio.sleep(_POLL_S)
    return GOALS / (time.perf_counter() - began)


@contextmanager
def _workers(count: int, url: str, model_url: str, at_once: int) -> Iterator[None]:
    processes = [
        subprocess.Popen(  # noqa: S603 -- our own program
            [sys.executable, "-m", "benchmarks.workers", url, model_url, str(at_once)],
            cwd=REPOSITORY,
        )
        for _ in range(count)
    ]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def _forget_workers(url: str) -> None:
    """Forget the processes of the round before, so that the next ones can be counted."""
    with psycopg.connect(url) as connection:
        connection.execute("DELETE FROM procrastinate_workers")


async def _until_alive(url: str, count: int) -> None:
    """Wait until so many workers have begun.

    Raises:
        TimeoutError: they did not.
    """
    async with (
        asyncio.timeout(_READY_S),
        await psycopg.AsyncConnection.connect(url, autocommit=True) as connection,
    ):
        while True:
            found = await connection.execute("SELECT count(*) FROM procrastinate_workers")
            row = await found.fetchone()
            if row is not None and row[0] >= count:
                return
            await asyncio.sleep(_POLL_S)


async def _work(url: str, model_url: str, at_once: int) -> None:
    office = slow_office()
    async with open_rig(url, model_url=model_url, connector=office, concurrency=at_once):
        await asyncio.Event().wait()


if __name__ == "__main__":
    loop.run(_work(sys.argv[1], sys.argv[2], int(sys.argv[3])))
