"""Channels: a provider tells a connection by itself, so that its stream is polled at once."""

from datetime import UTC, datetime

import httpx2
from starlette.applications import Starlette

from bot.engine.awaits import POLL_AT_LEAST_S, POLL_AT_MOST_S
from bot.engine.channels import AT_MOST_EVERY_S
from bot.goals.clicks import Click
from bot.web.hooks import Hooks, ensure_hooks
from storage.tables.goals import TaskStatus
from tests.bot.engine.test_happenings import look, poll, status, waiting
from tests.bot.engine.world import DANA, TEAM, World
from tests.connectors.standins import CLIENT_SECRET

URL = "http://countersign.test"


async def address(world: World) -> str:
    """Let webhooks arrive, and return where."""
    async with world.database.transaction() as tx:
        return (await ensure_hooks(tx, world.registry, TEAM))["counting"]


async def tell(world: World, path: str, channel: str, *, number: int = 1) -> int:
    """Post what the provider posts on a channel; return the status."""
    hooks = Hooks(
        database=world.database,
        registry=world.registry,
        providers=world.plumbing.providers,
        public_url=URL,
        now=lambda: datetime.now(UTC),
    )
    headers = {"x-secret": CLIENT_SECRET, "x-channel": channel, "x-number": f"{channel}:{number}"}
    transport = httpx2.ASGITransport(app=Starlette(routes=hooks.routes()))
    async with httpx2.AsyncClient(transport=transport, base_url=URL, trust_env=False) as client:
        return (await client.post(path, headers=headers)).status_code


def pause_s(world: World) -> float:
    """Return how long it is until the stream is polled."""
    return float(world.one("SELECT extract(epoch FROM next_at - now())::float FROM polls"))


async def test_told_change_is_polled_at_once_and_lets_the_task_go_on(world: World) -> None:
    """A message on the channel brings the poll forward; the poll hints, and the look decides."""
    path = await address(world)
    goal_id, item_id = await waiting(world)
    await poll(world)
    ((channel, where),) = world.provider.channels.items()
    assert where == f"{URL}{path}"
    assert pause_s(world) > POLL_AT_LEAST_S
    world.provider.grow(item_id, "large")
    assert await world.happenings.poll_due() == 0
    assert await tell(world, path, channel) == 202
    assert await status(world, goal_id) is TaskStatus.WAITING
    assert await world.happenings.poll_due() == 1
    await look(world)
    assert await status(world, goal_id) is TaskStatus.SUCCEEDED


async def test_message_that_comes_twice_polls_once(world: World) -> None:
    """A repeated number, a channel that nobody knows: nothing is polled."""  # S32
    path = await address(world)
    await waiting(world)
    await poll(world)
    (channel,) = world.provider.channels
    assert await tell(world, path, channel) == 202
    assert await world.happenings.poll_due() == 1
    assert await tell(world, path, channel) == 202
    assert await tell(world, path, "another") == 202
    assert await world.happenings.poll_due() == 0


async def test_stream_with_a_channel_is_polled_rarely(world: World) -> None:
    """Polling stays as a net: messages can be lost."""
    await waiting(world)
    await poll(world)
    assert pause_s(world) <= POLL_AT_LEAST_S
    await address(world)
    await poll(world)
    assert POLL_AT_LEAST_S < pause_s(world) <= POLL_AT_MOST_S


async def test_channel_is_renewed_before_it_expires(world: World) -> None:
    """The next one is open before the old one is closed; until then nobody asks."""
    await address(world)
    await waiting(world)
    await poll(world)
    await poll(world)
    (first,) = world.provider.channels
    assert world.provider.channels_asked == 1
    world.sql("UPDATE polls SET watch_at = now()")
    await poll(world)
    (second,) = world.provider.channels
    assert second != first
    assert world.one("SELECT channel_id FROM polls") == second
    assert world.one("SELECT watch_at BETWEEN now() + '5 days' AND now() + '6 days' FROM polls")


async def test_refused_channel_leaves_polling(world: World) -> None:
    """An address that the provider does not take costs one request an hour, and no hint."""
    await address(world)
    world.provider.refuses_channels = True
    goal_id, item_id = await waiting(world)
    await poll(world)
    await poll(world)
    assert world.provider.channels_asked == 1
    assert world.one("SELECT extract(epoch FROM watch_at - now())::int FROM polls") <= (
        AT_MOST_EVERY_S
    )
    world.provider.grow(item_id, "large")
    await poll(world)
    assert await status(world, goal_id) is TaskStatus.SUCCEEDED


async def test_nobody_waiting_closes_the_channel(world: World) -> None:
    """Who is not waited for is not watched."""
    await address(world)
    goal_id, _ = await waiting(world)
    await poll(world)
    await world.goals.cancel(Click(TEAM, DANA), goal_id)
    await poll(world)
    assert world.provider.channels == {}
    assert world.one("SELECT count(*) FROM polls") == 0


async def test_hint_during_a_poll_is_not_lost(world: World) -> None:
    """What is told while a poll is on its way may have come too late for it: it polls again."""
    path = await address(world)
    await waiting(world)
    await poll(world)
    (channel,) = world.provider.channels
    world.sql("UPDATE polls SET next_at = now()")
    async with world.database.transaction() as tx:
        (claimed,) = await tx.hooks.claim_polls(lease_s=60.0, limit=9)
    await tell(world, path, channel)
    async with world.database.transaction() as tx:
        await tx.hooks.finish_poll(claimed, cursor=claimed.cursor, again_in_s=900.0)
    assert await world.happenings.poll_due() == 1


async def test_wait_that_begins_while_its_stream_is_dropped_is_polled(world: World) -> None:
    """Who begins to wait between the last look at the waits and the drop keeps the poll."""
    await waiting(world)
    world.sql("UPDATE polls SET next_at = now()")
    async with world.database.transaction() as tx:
        (claimed,) = await tx.hooks.claim_polls(lease_s=60.0, limit=9)
    await waiting(world)
    async with world.database.transaction() as tx:
        assert not await tx.hooks.drop_poll(claimed)
    assert await world.happenings.poll_due() == 1
