"""What one goal of the scene costs: model requests, prompt characters, time, processors."""

import asyncio
import json
from dataclasses import dataclass

from benchmarks.figures import Table, median, spread
from benchmarks.play import REQUEST, play, scene_plan
from benchmarks.processor import PostgresCpu, cpu_s
from benchmarks.world import World, serve_bot
from tests.support.openai_server import ScriptedModel, serve_model

ROUNDS = 5
GOALS = 4
"""A round is so many goals: one alone is too short to measure what it costs."""

LATENCIES_S = (0.0, 0.2)
_WARM_UP = 3
_IDLE_S = 3.0

_SETTLES_S = 0.3
"""After the last card; what is still redrawn then belongs to the goal's cost."""


@dataclass(slots=True)
class Bench:
    """A bot with its model, and the processes that are measured."""

    world: World
    model: ScriptedModel
    pid: int
    postgres: PostgresCpu

    def cpu_s(self) -> tuple[float, float]:
        """Return the processor time of our process and of PostgreSQL so far."""
        return cpu_s(self.pid), self.postgres.read_s()

    async def play(self) -> float:
        """Play one goal; return how long people waited, in ms."""
        self.model.answers.append(scene_plan())
        played = await play(self.world, REQUEST)
        await asyncio.sleep(_SETTLES_S)
        return played.wall_s * 1000


@dataclass(frozen=True, slots=True)
class Round:
    """The figures of one goal, as the mean (wall time: the median) of a round."""

    wall_ms: float
    ours_ms: float
    postgres_ms: float


async def measure(world: World) -> Table:
    """Play the scene's request again and again, with a model that answers after a given time."""
    async with (
        serve_model(ScriptedModel()) as model,
        serve_bot(world, role="all", model_url=model.url) as pid,
    ):
        bench = Bench(world, model, pid, PostgresCpu(world.database_url))
        for _ in range(_WARM_UP):
            await bench.play()
        rows = []
        for latency_s in LATENCIES_S:
            model.latency_s = latency_s
            model.requests.clear()
            rounds = [await _round(bench) for _ in range(ROUNDS)]
            rows.append(_row(latency_s, model, rounds))
        schema = len(json.dumps(model.requests[0]["response_format"]["json_schema"]["schema"]))
        idle = await _idle(bench)
    return Table(
        "One goal of the scene, with a scripted model",
        (
            "model answers after",
            "model requests",
            "prompt characters",
            "wall time (ms)",
            "our CPU (ms)",
            "PostgreSQL's CPU (ms)",
        ),
        tuple(rows),
        (
            (
                f"“{REQUEST}”: find the company, create the deal (Dana runs it), invite the guest "
                "(Mo countersigns it). All of it durable: event, plan, frozen calls, approval, "
                "permits, attempts, audit rows, cards."
            ),
            (
                f"{ROUNDS} rounds of {GOALS} goals, one after the other: the median round, with "
                "the least and the greatest. Wall time is how long people waited for the bot, "
                "from the message to the arrival at Slack of the card that says Done; their own "
                "part is left out."
            ),
            f"Prompt characters are those of the messages; the answer's schema has {schema:,}.",
            (
                "Ours is one process: web, worker, clock. The local Slack, the providers and the "
                "model run in another, on the same cores. What an idle bot costs is included: "
                f"{idle[0]:.0f} ms of ours and {idle[1]:.0f} ms of PostgreSQL's a second."
            ),
        ),
    )


async def _round(bench: Bench) -> Round:
    ours, theirs = bench.cpu_s()
    walls = [await bench.play() for _ in range(GOALS)]
    ours_then, theirs_then = bench.cpu_s()
    return Round(
        median(walls), (ours_then - ours) * 1000 / GOALS, (theirs_then - theirs) * 1000 / GOALS
    )


async def _idle(bench: Bench) -> tuple[float, float]:
    """Return what an idle second costs of ours and of PostgreSQL's, in ms."""
    ours, theirs = bench.cpu_s()
    await asyncio.sleep(_IDLE_S)
    ours_then, theirs_then = bench.cpu_s()
    return (ours_then - ours) * 1000 / _IDLE_S, (theirs_then - theirs) * 1000 / _IDLE_S


def _row(latency_s: float, model: ScriptedModel, rounds: list[Round]) -> tuple[str, ...]:
    goals = ROUNDS * GOALS
    characters = sum(
        len(message["content"]) for request in model.requests for message in request["messages"]
    )
    return (
        f"{latency_s * 1000:.0f} ms",
        f"{len(model.requests) / goals:g}",
        f"{characters / goals:,.0f}",
        spread([item.wall_ms for item in rounds], digits=0),
        spread([item.ours_ms for item in rounds], digits=0),
        spread([item.postgres_ms for item in rounds], digits=0),
    )
