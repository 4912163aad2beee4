"""The pace of a connection: slower before the limit, parked after it, in every process."""

import asyncio
import time

import pytest

from connectors.clients import ConnectionClients
from connectors.errors import RestingError, RetryLaterError
from connectors.manifest import RateLimit
from connectors.pace import Pace
from storage.database import Database
from tests.connectors.plumbing import DANA, DEALS, GOOGLE, TEAM, Plumbing, settings_at
from tests.support.raw_server import answer, serve_raw

LIMIT = RateLimit(requests=100, per_s=1)


def headers(*, left: str, most: str = "100", interval_ms: str = "1000") -> dict[str, str]:
    """Return what HubSpot says of its limit."""
    return {
        "x-hubspot-ratelimit-max": most,
        "x-hubspot-ratelimit-remaining": left,
        "x-hubspot-ratelimit-interval-milliseconds": interval_ms,
    }


async def waited_s(pace: Pace) -> float:
    begun = time.monotonic()
    await pace.wait("HubSpot")
    return time.monotonic() - begun


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [
        (headers(left="50"), 0.0, 0.05),
        (headers(left="4"), 0.15, 0.5),
        (headers(left="0", interval_ms="300"), 0.25, 0.6),
        (headers(left="soon"), 0.0, 0.05),
        ({}, 0.0, 0.05),
    ],
    ids=["much is left", "little is left", "nothing is left", "no number", "says nothing"],
)
async def test_pace_slows_down_before_the_limit(
    said: dict[str, str], least: float, most: float
) -> None:
    """What is left of the limit is spread over its interval; nonsense changes nothing."""
    pace = Pace(LIMIT)
    pace.heed(said)
    assert least <= await waited_s(pace) < most


async def test_header_cannot_stop_a_connection_for_long() -> None:
    """However long the interval it names, headers alone park nobody: a 429 does."""
    pace = Pace(LIMIT)
    pace.heed(headers(left="0", interval_ms="86400000"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await pace.wait("HubSpot")
    assert pace.slow_s < 11


async def test_429_parks_the_connection_in_every_process(database: Database) -> None:
    """Another process does not learn it by being refused too; other people go on."""
    handler = answer(status=429, headers={"Retry-After": "7"})
    async with serve_raw(handler) as server:
        here, there = (Plumbing(database, settings_at(server.url)) for _ in range(2))
        there.vault = here.vault
        danas = await here.store()
        mos = await here.store(person_id="U-MO")
        with pytest.raises(RetryLaterError) as caught:
            await here.http(danas).request("POST", "/x", json={})
        assert caught.value.uses_a_try
        clients = ConnectionClients(
            database=database, clients=there.clients, providers=there.providers
        )
        with pytest.raises(RestingError) as parked:
            await clients.open(
                team_id=TEAM,
                person_id=DANA,
                connection_id=danas.id,
                scopes=frozenset({DEALS}),
                send_before=None,
            )
        assert 5 < (parked.value.retry_after_s or 0) <= 7
        assert not parked.value.uses_a_try
        await clients.open(
            team_id=TEAM,
            person_id="U-MO",
            connection_id=mos.id,
            scopes=frozenset({DEALS}),
            send_before=None,
        )
        assert len(server.requests) == 1
        await here.close()
        await there.close()


@pytest.mark.parametrize(
    ("reason", "least_s"), [("rateLimitExceeded", 5.0), ("forbidden", 0.0)], ids=["limit", "other"]
)
async def test_403_that_means_too_many_requests_parks_the_connection(
    database: Database, reason: str, least_s: float
) -> None:
    """Google says so with a 403; any other refusal is about the call alone."""
    body = {"error": {"code": 403, "errors": [{"reason": reason}]}}
    handler = answer(body, status=403, headers={"Retry-After": "7"})
    async with serve_raw(handler) as server:
        plumbing = Plumbing(database, settings_at(server.url, GOOGLE))
        connection = await plumbing.store(provider="google_calendar")
        await plumbing.http(connection).request("POST", "/x", json={})
        async with database.reading() as tx:
            _, left_s = await tx.connections.get_to_use(TEAM, connection.id)
        assert least_s <= left_s <= least_s + 2
        await plumbing.close()
