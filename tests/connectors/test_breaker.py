"""Breakers: a host that does not answer is left alone by every process, and tried by one."""

import asyncio
from dataclasses import replace

import psycopg
import pytest

from connectors.breaker import Breakers, BreakerTiming
from connectors.errors import ProviderDownError
from storage.database import Database

HOST = "api.example.com"
TIMING = BreakerTiming(failures=3, open_s=60, probe_s=60, spread_s=0, cache_s=0)


def process(database: Database, timing: BreakerTiming = TIMING) -> Breakers:
    return Breakers(database, timing=timing)


async def request(breakers: Breakers, *, failed: bool) -> None:
    used = await breakers.enter(HOST, provider="example", title="Example")
    await breakers.leave(used, failed=failed)


async def trip(breakers: Breakers) -> None:
    for _ in range(TIMING.failures):
        await request(breakers, failed=True)


def wait_over(database: Database) -> None:
    """Let the pause be over."""
    with psycopg.connect(database.url) as connection:
        connection.execute("UPDATE breakers SET retry_at = now() - interval '1 second'")


async def test_failures_in_one_process_stop_every_process(database: Database) -> None:
    """The others do not learn by failing themselves."""
    one, other = process(database), process(database)
    await trip(one)
    for breakers in (one, other):
        with pytest.raises(ProviderDownError, match="Example does not answer") as caught:
            await request(breakers, failed=False)
        assert caught.value.retry_after_s == pytest.approx(60, abs=5)
        assert caught.value.provider == "example"
        assert not caught.value.uses_a_try


async def test_few_failures_among_many_answers_stop_nothing(database: Database) -> None:
    """A host that answers most of the time is not down."""
    breakers = process(database)
    for _ in range(10):
        await request(breakers, failed=False)
    for _ in range(9):
        await request(breakers, failed=True)
    await request(breakers, failed=False)


async def test_old_failures_are_forgotten(database: Database) -> None:
    """Only failures within the window count."""
    breakers = process(database, replace(TIMING, window_s=0.0))
    await trip(breakers)
    await request(breakers, failed=False)


async def test_other_hosts_are_not_concerned(database: Database) -> None:
    """A breaker is about one host."""
    breakers = process(database)
    await trip(breakers)
    assert not (await breakers.enter("other", provider="other", title="Other")).is_probe


async def test_one_probe_is_let_through_of_all_processes(database: Database) -> None:
    """However many processes wait: when the pause is over one request tries."""
    processes = [process(database) for _ in range(4)]
    await trip(processes[0])
    wait_over(database)

    async def enter(breakers: Breakers) -> bool:
        try:
            return (await breakers.enter(HOST, provider="example", title="Example")).is_probe
        except ProviderDownError:
            return False

    probes = await asyncio.gather(*[enter(item) for item in processes for _ in range(5)])
    assert probes.count(True) == 1


async def test_probe_that_succeeds_closes_it_everywhere(database: Database) -> None:
    """All go on at once; nothing is left in the database."""
    one, other = process(database), process(database)
    await trip(one)
    wait_over(database)
    await request(other, failed=False)
    await request(one, failed=True)
    async with database.reading() as tx:
        assert await tx.breakers.list_() == []


async def test_probe_that_fails_doubles_the_pause_up_to_the_longest(database: Database) -> None:
    """A host that stays away is asked ever more rarely."""
    breakers = process(database, replace(TIMING, longest_s=200))
    await trip(breakers)
    pauses = []
    for _ in range(3):
        wait_over(database)
        await request(breakers, failed=True)
        with pytest.raises(ProviderDownError) as caught:
            await request(breakers, failed=False)
        pauses.append(round((caught.value.retry_after_s or 0) / 10) * 10)
    assert pauses == [120, 200, 200]


async def test_probe_whose_process_died_is_made_by_another(database: Database) -> None:
    """A probe without a result holds nobody up for longer than it may take."""
    breakers = process(database, replace(TIMING, probe_s=0.01))
    await trip(breakers)
    wait_over(database)
    assert (await breakers.enter(HOST, provider="example", title="Example")).is_probe
    await asyncio.sleep(0.05)
    assert (await breakers.enter(HOST, provider="example", title="Example")).is_probe


async def test_release_is_spread_over_time(database: Database) -> None:
    """A thousand waiting tasks do not all come in the same instant."""
    breakers = process(database, replace(TIMING, spread_s=100, cache_s=60))
    await trip(breakers)
    pauses = []
    for _ in range(20):
        with pytest.raises(ProviderDownError) as caught:
            await breakers.check(HOST, title="Example")
        pauses.append(caught.value.retry_after_s or 0)
    assert max(pauses) - min(pauses) > 20
    assert min(pauses) > 50
