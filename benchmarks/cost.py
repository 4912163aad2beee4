"""What a goal costs, compared in the same run with a plain loop that stores nothing."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import openai
from pydantic import BaseModel

from benchmarks.figures import Table, median, spread
from benchmarks.model import Model, run_model
from benchmarks.plain_loop import PlainLoop
from benchmarks.processor import PostgresCpu
from benchmarks.rig import open_rig
from benchmarks.tools import done

ROUNDS = 5
GOALS = 20
AT_ONCE = 10
LATENCIES_S = (0.0, 0.2)
_WARM_UP = 5

Play = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one contender at one latency, a value for each round."""

    requests: float
    characters: float
    schema_characters: float
    wall_ms: list[float]
    ours_ms: list[float]
    postgres_ms: list[float]
    per_s: list[float]


async def measure(_folder: Path, url: str) -> Table:
    """Play the goal one after the other and ten at once, with the engine and with the loop."""
    postgres = PostgresCpu(url)
    rows = []
    with run_model() as model:
        async with open_rig(url, model_url=model.url) as rig:
            for latency_s in LATENCIES_S:
                for name, play in (("engine", rig.play), ("plain loop", _loop(model))):
                    figures = await _figures(model, play, latency_s, postgres)
                    rows.append(_row(name, latency_s, figures))
    _check()
    return Table(
        "One goal: three reads, two that need them, one approved write, a closing sentence",
        (
            "",
            "model after",
            "requests",
            "prompt",
            "schemas",
            "wall (ms)",
            "our CPU (ms)",
            "PostgreSQL's CPU (ms)",
            f"goals/s, {AT_ONCE} at once",
        ),
        tuple(rows),
        (
            (
                f"{ROUNDS} rounds of {GOALS} goals one after the other, then {GOALS} goals "
                f"{AT_ONCE} at once: the median round, with the least and the greatest. Both "
                "contenders call the same typed functions in the same process and ask the same "
                "scripted model over HTTP; the person approves at once."
            ),
            (
                "The engine: message, plan, proposed, Run, done, with every row, job and audit "
                "entry committed. Cards are wished for and not drawn; the closing sentence comes "
                "from a template. The loop stores nothing."
            ),
            "Characters a goal: messages in “prompt”, tools or the answer's schema in “schemas”.",
        ),
    )


def _loop(model: Model) -> Play:
    client = openai.AsyncOpenAI(base_url=model.url, api_key="none", max_retries=0)

    async def approve(_arguments: BaseModel) -> bool:
        return True

    return PlainLoop(client, approve=approve).run


async def _figures(model: Model, play: Play, latency_s: float, postgres: PostgresCpu) -> Figures:
    for _ in range(_WARM_UP):
        await play()
    model.answer_after(latency_s)
    wall: list[float] = []
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(ROUNDS):
        cpu, server, walls = time.process_time(), postgres.read_s(), []
        for _ in range(GOALS):
            began = time.perf_counter()
            await play()
            walls.append((time.perf_counter() - began) * 1000)
        wall.append(median(walls))
        ours.append((time.process_time() - cpu) * 1000 / GOALS)
        theirs.append((postgres.read_s() - server) * 1000 / GOALS)
    heard = model.heard()
    goals = ROUNDS * GOALS
    return Figures(
        heard["requests"] / goals,
        heard["characters"] / goals,
        heard["schema_characters"] / goals,
        wall,
        ours,
        theirs,
        [await _at_once(play) for _ in range(ROUNDS)],
    )


async def _at_once(play: Play) -> float:
    """Return goals per second with so many under way."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with gate:
            await play()

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(GOALS):
            group.create_task(one())
    return GOALS / (time.perf_counter() - began)


def _check() -> None:
    """Make sure that every goal wrote once."""
    runs = set(done.values())
    if len(runs) != 1:
        message = f"the tools ran {dict(done)} times"
        raise AssertionError(message)


def _row(name: str, latency_s: float, figures: Figures) -> tuple[str, ...]:
    return (
        name,
        f"{latency_s * 1000:.0f} ms",
        f"{figures.requests:g}",
        f"{figures.characters:,.0f}",
        f"{figures.schema_characters:,.0f}",
        spread(figures.wall_ms, digits=0),
        spread(figures.ours_ms),
        spread(figures.postgres_ms),
        spread(figures.per_s),
    )
