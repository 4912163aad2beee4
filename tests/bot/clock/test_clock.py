"""The clock goes on whatever fails, and catches up when it starts."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from bot.clock.clock import Clock, run_every
from bot.clock.tick import Tick


class Counter:
    """A chore that counts its runs; `reached` is set after so many."""

    def __init__(self, until: int = 1) -> None:
        self.count = 0
        self.reached = asyncio.Event()
        self._until = until

    async def __call__(self) -> None:
        self.count += 1
        if self.count >= self._until:
            self.reached.set()


async def _fail() -> None:
    message = "a chore that always fails"
    raise RuntimeError(message)


async def _run_until(run: Coroutine[Any, Any, None], reached: asyncio.Event) -> None:
    task = asyncio.create_task(run)
    try:
        async with asyncio.timeout(5):
            await reached.wait()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_failing_chore_stops_none_of_the_others() -> None:
    """One broken chore costs the others nothing."""
    before, after = Counter(), Counter()

    await Tick({"before": before, "broken": _fail, "after": after}).run()

    assert (before.count, after.count) == (1, 1)


async def test_clock_ticks_at_once_and_again_at_every_interval() -> None:
    """What came due while nobody ran is found at the start, the rest at each interval."""
    chore = Counter(until=3)

    await _run_until(Clock(Tick({"chore": chore}), interval_s=0.05).run(), chore.reached)

    assert chore.count >= 3


async def _lose_cancellation() -> None:
    """Do what `asyncio.wait_for` does where both come at the same moment."""
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    "loop",
    [
        lambda: run_every(0.01, _lose_cancellation, name="loses"),
        lambda: Clock(Tick({"loses": _lose_cancellation})).run(),
    ],
    ids=["run_every", "clock"],
)
async def test_chore_that_loses_its_cancellation_does_not_keep_the_process(
    loop: Callable[[], Coroutine[Any, Any, None]],
) -> None:
    """A stop is asked for once; whoever swallows it in a chore does not make it go on."""
    task = asyncio.create_task(loop())
    done, _ = await asyncio.wait([task], timeout=2)
    task.cancel()
    assert done
    assert task.cancelled()


async def test_cancelled_clock_stops_ticking() -> None:
    """Nothing runs on after a shutdown."""
    chore = Counter(until=2)
    await _run_until(Clock(Tick({"chore": chore}), interval_s=0.02).run(), chore.reached)
    stopped_at = chore.count

    await asyncio.sleep(0.1)

    assert chore.count == stopped_at


async def test_repeated_chore_survives_its_own_failures() -> None:
    """A sealer that fails once seals a second later."""
    chore = Counter(until=3)

    async def fail_first() -> None:
        await chore()
        if chore.count == 1:
            await _fail()

    await _run_until(run_every(0.01, fail_first, name="seal"), chore.reached)

    assert chore.count >= 3
