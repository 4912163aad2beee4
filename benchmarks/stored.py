"""Whether a goal costs more when very many are stored."""

import time
from pathlib import Path

import psycopg

from benchmarks.figures import Table, median, spread
from benchmarks.model import run_model
from benchmarks.processor import PostgresCpu
from benchmarks.rig import Rig, open_rig
from tests.support.copies import fill

FEW, MANY = 100, 100_000
ROUNDS = 5
GOALS = 10


async def measure(_folder: Path, url: str) -> Table:
    """Play the compared goal with few goals stored, and with very many."""
    with run_model() as model:
        async with open_rig(url, model_url=model.url) as rig:
            for _ in range(FEW):
                await rig.play()
            few = await _rounds(rig, url)
            fill(url, _sizes(url))
            for _ in range(GOALS):
                await rig.play()
            many = await _rounds(rig, url)
    ratio = median(many[1]) / median(few[1])
    return Table(
        "One goal, by how many are stored",
        ("goals stored", "wall (ms)", "our CPU (ms)", "PostgreSQL's CPU (ms)"),
        (_row(f"{FEW:,}", few), _row(f"{MANY:,}", many)),
        (
            (
                f"{ROUNDS} rounds of {GOALS} goals one after the other, the same goal as in the "
                "comparison: the median round, with the least and the greatest. Stored goals are "
                "copies of played ones, with all their rows."
            ),
            (
                f"Our processor time with {MANY:,} stored is {ratio:.2f} times that with {FEW:,}; "
                f"with PostgreSQL's, {_together(many) / _together(few):.2f} times."
            ),
        ),
    )


def _sizes(url: str) -> dict[str, int]:
    """Return how many rows of each table so many goals have."""
    with psycopg.connect(url) as connection:
        goals = connection.execute("SELECT count(*) FROM goals").fetchone()
        assert goals is not None
        sizes = {}
        for table in (
            "goals",
            "plans",
            "plan_runs",
            "tasks",
            "calls",
            "attempts",
            "permits",
            "audit",
            "outbox",
            "usage",
        ):
            rows = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()  # noqa: S608 -- a name of our own
            assert rows is not None
            sizes[table] = round(rows[0] / goals[0] * MANY)
    return sizes


Rounds = tuple[list[float], list[float], list[float]]


async def _rounds(rig: Rig, url: str) -> Rounds:
    postgres = PostgresCpu(url)
    found: Rounds = ([], [], [])
    for _ in range(ROUNDS):
        cpu, server, began = time.process_time(), postgres.read_s(), time.perf_counter()
        for _ in range(GOALS):
            await rig.play()
        for values, took_s in zip(
            found,
            (
                time.perf_counter() - began,
                time.process_time() - cpu,
                postgres.read_s() - server,
            ),
            strict=True,
        ):
            values.append(took_s * 1000 / GOALS)
    return found


def _together(rounds: Rounds) -> float:
    return median([ours + theirs for ours, theirs in zip(rounds[1], rounds[2], strict=True)])


def _row(words: str, rounds: Rounds) -> tuple[str, ...]:
    return (words, *(spread(values) for values in rounds))
