"""The event loop that a process of the bot runs on, and how its endless loops end."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

if sys.platform != "win32":
    import uvloop

    _new_loop = uvloop.new_event_loop
else:
    _new_loop = asyncio.new_event_loop

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a program to its end and return its result, as `asyncio.run` does.

    On uvloop where there is one: it takes a tenth less of the processor for a goal
    (docs/benchmarks.md). There is none for Windows.
    """
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        return runner.run(main)


def heed_cancellation() -> None:
    """Raise again what was asked of the current task and got lost; call it in endless loops.

    Until Python 3.12 `asyncio.wait_for` returns its result and forgets the cancellation that came
    at the same moment, and psycopg and its pool wait by it: a loop would go on for ever, and a
    stop would last until the process is killed. Does not help code that waits without a loop.
    Source: https://github.com/python/cpython/issues/86296

    Raises:
        asyncio.CancelledError: the task was told to end.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
