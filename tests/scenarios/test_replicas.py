"""Three processes with a clock each, against one database: every digest comes once."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bot.cli.scene import DANA
from bot.workspace.client import text_of
from bot.workspace.shapes import JsonObject
from tests.scenarios.bot_process import BotProcess
from tests.scenarios.play import Play
from tests.scenarios.test_many_workers import count, until
from tests.scenarios.world import World

pytestmark = pytest.mark.scenario

REPLICAS = 3
_LATE = "Countersign was not up"

_DAY_S = 86_400.0

_DUE = (
    "UPDATE digest_subscriptions SET next_at = now() - make_interval(secs => %s) "
    "WHERE person_id = %s"
)
_POSTED = "SELECT count(*) FROM outbox WHERE noun = 'digest' AND wanted = sent"
_BLOCKED = (
    "SELECT count(DISTINCT pid) FROM pg_locks "
    "WHERE relation = 'digest_subscriptions'::regclass AND NOT granted"
)


@pytest.fixture
def replicas(connected: World, tmp_path: Path) -> Iterator[list[BotProcess]]:
    """Return three workers that do not run yet."""
    made = [connected.bot.another(tmp_path / str(number)) for number in range(REPLICAS)]
    yield made
    for replica in made:
        if replica.is_running:
            replica.kill()


async def start_together(world: World, replicas: list[BotProcess]) -> None:
    """Start them and let their clocks look for what is due at the same moment."""
    with psycopg.connect(world.database_url) as gate:
        gate.execute("LOCK TABLE digest_subscriptions IN ACCESS EXCLUSIVE MODE")
        for replica in replicas:
            replica.start(role="worker")
        await until(lambda: count(world, _BLOCKED) >= len(replicas))


def make_due(world: World, *, since_s: float) -> None:
    with psycopg.connect(world.database_url) as connection:
        connection.execute(_DUE, [since_s, DANA])


async def digests(world: World, play: Play) -> list[JsonObject]:
    """Return Dana's digests as Slack shows them, the oldest first."""
    with psycopg.connect(world.database_url) as connection:
        rows = connection.execute("SELECT id FROM outbox WHERE noun = 'digest'").fetchall()
    ours = {str(row[0]) for row in rows}
    return [
        message
        for message in await play.workspace.messages(DANA)
        if ((message.get("metadata") or {}).get("event_payload") or {}).get("outbox_id") in ours
    ]


async def test_replicas_send_a_digest_once_and_a_missed_one_late_and_once(
    connected: World, play: Play, replicas: list[BotProcess]
) -> None:
    """Three clocks find one digest due at the same moment: one message. All were down: one more.

    The second says that it is late, although three days of slots were missed.
    """
    await play.plan("Create a deal for Acme worth $40 called Godwit")  # Something to read.
    connected.bot.kill()
    connected.bot.start()  # Its first tick subscribes Dana.
    await until(lambda: count(connected, "SELECT count(*) FROM digest_subscriptions") > 0)
    connected.bot.kill()
    connected.bot.start(role="web")

    for number, since_s in enumerate((1.0, 3 * _DAY_S), 1):
        make_due(connected, since_s=since_s)
        await start_together(connected, replicas)
        await until(lambda: count(connected, _POSTED) == number)  # noqa: B023 -- awaited here
        assert [replica.stop() for replica in replicas] == [0] * REPLICAS

    first, second = await digests(connected, play)
    assert "Godwit" in text_of(first)
    assert _LATE not in text_of(first)
    assert _LATE in text_of(second)
