"""How fast an event is acknowledged: stored with its job, committed, answered."""

import asyncio
import json
import time

import psycopg

from benchmarks.figures import Table, median, percentile
from benchmarks.world import TEAM, World, serve_bot
from bot.workspace.shapes import JsonObject

PER_S = 100
EVENTS = 500
ROUNDS = 3
_WARM_UP = 50


async def measure(world: World) -> Table:
    """Post events at a steady pace, whatever the bot does meanwhile."""
    rows = []
    for role, words in (("web", "web process alone"), ("all", "web and worker in one process")):
        rounds = []
        async with serve_bot(world, role=role):
            await _post(world, f"warm-{role}", _WARM_UP)
            for number in range(ROUNDS):
                name = f"{role}-{number}"
                rounds.append(await _post(world, name, EVENTS))
                _check(world, name)
            await asyncio.sleep(1)
        p50s = [percentile(took, 0.5) for took in rounds]
        p99s = [percentile(took, 0.99) for took in rounds]
        worst = max(max(took) for took in rounds)
        rows.append((words, f"{median(p50s):.1f}", f"{median(p99s):.1f}", f"{worst:.1f}"))
    return Table(
        "Event acknowledged, stored before the answer (ms)",
        ("", "p50", "p99", "worst"),
        tuple(rows),
        (
            (
                f"{EVENTS} signed `message` events at {PER_S} a second over HTTP, {ROUNDS} times; "
                "medians of the rounds. Counted from the instant at which an event was due, so a "
                "stall counts for all that wait behind it."
            ),
            (
                "Afterwards every event is in the inbox exactly once, its job beside it. In the "
                "second line the same process also dispatches each of them (changed topics of a "
                "channel, which the bot looks at and ignores)."
            ),
        ),
    )


async def _post(world: World, name: str, count: int) -> list[float]:
    """Return how long each event took in ms."""
    began = time.perf_counter()

    async def one(number: int) -> float:
        due = began + number / PER_S
        await asyncio.sleep(due - time.perf_counter())
        status = await world.post(json.dumps(_event(name, number)).encode())
        assert status == 200, status
        return (time.perf_counter() - due) * 1000

    return list(await asyncio.gather(*(one(number) for number in range(count))))


def _event(name: str, number: int) -> JsonObject:
    return {
        "type": "event_callback",
        "team_id": TEAM,
        "api_app_id": "A0COUNTERSIGN",
        "event_id": f"Ev{name}-{number}",
        "event_time": int(time.time()),
        "authorizations": [{"team_id": TEAM, "user_id": "U0BOT", "is_bot": True}],
        "event": {
            "type": "message",
            "channel": "C0SALES",
            "channel_type": "channel",
            "user": "U0DANA",
            "subtype": "channel_topic",
            "ts": f"1790000000.{number:06}",
            "event_ts": f"1790000000.{number:06}",
            "text": "Nightly figures: 1,204 orders, 3 returned. " * 4,
        },
    }


def _check(world: World, name: str) -> None:
    with psycopg.connect(world.database_url) as connection:
        query = "SELECT count(*) FROM inbox WHERE event_id LIKE %s"
        found = connection.execute(query, [f"Ev{name}-%"]).fetchone()
    assert found == (EVENTS,), found
