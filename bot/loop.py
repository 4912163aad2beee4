"""The event loop that a process of the bot runs on."""

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
