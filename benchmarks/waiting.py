"""What 10,000 waiting goals cost: memory, processor, the way of a click, the next start."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.click import prepare, press
from benchmarks.figures import Table, percentile
from benchmarks.play import REQUEST, deal_plan, invitation_plan, play
from benchmarks.processor import PostgresCpu, cpu_s
from benchmarks.world import World, serve_bot
from bot.cli.scene import MO
from bot.views import ids
from storage.database import Database
from tests.support.copies import fill
from tests.support.openai_server import ScriptedModel, serve_model

WAITING = 10_000
CLICKS = 50
_IDLE_S = 15.0
_SETTLES_S = 5.0
_STARTS = 3
_POLL_S = 0.005
_PER_GOAL = (
    "plans",
    "plan_runs",
    "tasks",
    "calls",
    "approvals",
    "approval_items",
    "audit",
    "outbox",
    "inbox",
)


@dataclass(frozen=True, slots=True)
class _Idle:
    memory_mb: float
    ours_percent: float
    postgres_percent: float


async def measure(world: World) -> Table:
    """Compare a bot with nothing to do with one for which ten thousand goals wait."""
    async with serve_model(ScriptedModel()) as model:
        async with serve_bot(world, role="all", model_url=model.url) as pid:
            model.answers.append(deal_plan())
            await play(world, REQUEST)
            model.answers.append(invitation_plan())
            await play(world, REQUEST)
            few = await _idle(world, pid)
            few_clicks = await _clicks(world, model)
        model.answers.append(invitation_plan())
        async with serve_bot(world, role="all", model_url=model.url):
            asked = await play(world, REQUEST, until=ids.APPROVAL_APPROVE)
            await asyncio.sleep(_SETTLES_S)
        _leave_only_waiting(world.database_url)
        few_starts = [await _start(world, model.url) for _ in range(_STARTS)]
        fill(world.database_url, dict.fromkeys(("goals", *_PER_GOAL), WAITING))
        many_starts = [await _start(world, model.url) for _ in range(_STARTS)]
        async with serve_bot(world, role="all", model_url=model.url) as pid:
            many = await _idle(world, pid)
            many_clicks = await _clicks(world, model)
        assert asked.approve_value
    return Table(
        f"{WAITING:,} goals that wait for an approval",
        (
            "goals waiting",
            "memory (MB)",
            "our CPU (% of a core)",
            "PostgreSQL's CPU (%)",
            "click → provider, median (ms)",
            "p99 (ms)",
            "start → first job, median (s)",
        ),
        (
            _row("few", few, few_clicks, few_starts),
            _row(f"{WAITING:,}", many, many_clicks, many_starts),
        ),
        (
            (
                "The whole bot in one process: web, worker, clock. Memory is what is resident "
                f"after {_SETTLES_S:.0f} s, processor time that of {_IDLE_S:.0f} s in which nobody "
                "does anything; the goals are copies of one that waits for Mo, with all its rows."
            ),
            (
                f"{CLICKS} clicks on Approve, one at a time; of so few the p99 is the worst. A "
                f"start is measured {_STARTS} times, from the making of the process, imports "
                "included, to the end of a job that waited for it."
            ),
        ),
    )


async def _clicks(world: World, model: ScriptedModel) -> list[float]:
    asked = await prepare(world, model, invitation_plan, until=ids.APPROVAL_APPROVE, count=CLICKS)
    pressed = [
        await press(world, world.google, MO, ids.APPROVAL_APPROVE, item.approve_value)
        for item in asked
    ]
    return [write for _, _, write in pressed]


async def _idle(world: World, pid: int) -> _Idle:
    await asyncio.sleep(_SETTLES_S)
    postgres = PostgresCpu(world.database_url)
    ours, theirs = cpu_s(pid), postgres.read_s()
    await asyncio.sleep(_IDLE_S)
    return _Idle(
        _resident_mb(pid),
        (cpu_s(pid) - ours) / _IDLE_S * 100,
        (postgres.read_s() - theirs) / _IDLE_S * 100,
    )


def _resident_mb(pid: int) -> float:
    """Return the memory of a process that is in RAM. Source: proc_pid_status(5), VmRSS."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


async def _start(world: World, model_url: str) -> float:
    """Return how long after its start a bot has done a job that waited for it, in seconds."""
    job = await _defer(world.database_url)
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(_until_gone(world.database_url, job))
        async with serve_bot(world, role="all", model_url=model_url):
            ended = await waiting
    return ended - began


async def _defer(url: str) -> int:
    """Put a drive of the goal that waits into the queue, and return the job's id."""
    database = Database(url)
    try:
        async with database.transaction() as tx:
            with psycopg.connect(url) as connection:
                row = connection.execute(
                    "SELECT team_id, id FROM goals WHERE status = 'waiting' ORDER BY id LIMIT 1"
                ).fetchone()
            assert row is not None
            await tx.defer("drive", team_id=row[0], goal_id=row[1])
    finally:
        await database.close()
    with psycopg.connect(url) as connection:
        made = connection.execute("SELECT max(id) FROM procrastinate_jobs").fetchone()
    assert made is not None
    return int(made[0])


async def _until_gone(url: str, job: int) -> float:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while True:
            found = await connection.execute(
                "SELECT 1 FROM procrastinate_jobs WHERE id = %s", [job]
            )
            if await found.fetchone() is None:
                return time.perf_counter()
            await asyncio.sleep(_POLL_S)


def _leave_only_waiting(url: str) -> None:
    """Remove what ended, so that every copy is of a goal that waits."""
    with psycopg.connect(url) as connection:
        for table in _PER_GOAL:
            if table in ("inbox", "outbox"):
                continue
            connection.execute(
                f"DELETE FROM {table} WHERE goal_id IN "  # noqa: S608 -- a name of our own
                "(SELECT id FROM goals WHERE status <> 'waiting')".encode()
            )
        connection.execute("DELETE FROM goals WHERE status <> 'waiting'")


def _row(words: str, idle: _Idle, clicks: list[float], starts: list[float]) -> tuple[str, ...]:
    return (
        words,
        f"{idle.memory_mb:.0f}",
        f"{idle.ours_percent:.1f}",
        f"{idle.postgres_percent:.1f}",
        f"{percentile(clicks, 0.5):.1f}",
        f"{percentile(clicks, 0.99):.1f}",
        f"{percentile(starts, 0.5):.2f}",
    )
