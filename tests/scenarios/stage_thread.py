"""The workspace and the stand-ins, served from a thread of the test process."""

import asyncio
import itertools
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from bot.cli.stage import Pace, Stage, open_stage
from bot.workspace.config import PostRate

PACE = Pace(
    post_rate=PostRate(burst=50, per_s=50),
    # A bot that was killed is back after a second or ten, by how busy the machine is.
    retry_delays_s=(0.1, 0.3, 1.0, 2.0, 4.0, 8.0, 16.0),
)

_FIRST_PORT = 10_000
_PORTS = 20_000
"""Below the ports that the kernel gives to outgoing connections: a dead bot's stays free."""

_STAGES = itertools.count()


@contextmanager
def run_stage(folder: Path) -> Iterator[Stage]:
    """Serve a stage until the end of the block; the bot's port is free for the bot to take."""
    opened: Future[Stage] = Future()
    ended = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(folder, opened, ended)))
    thread.start()
    try:
        stage = opened.result(timeout=30)
        stage.listening.close()
        yield stage
    finally:
        ended.set()
        thread.join()


async def _serve(folder: Path, opened: "Future[Stage]", ended: threading.Event) -> None:
    # Each stage looks elsewhere, or it could take the port of another's dead bot.
    first_port = _FIRST_PORT + (os.getpid() * 61 + next(_STAGES) * 997) % _PORTS
    try:
        async with open_stage(folder, first_port=first_port, pace=PACE) as stage:
            opened.set_result(stage)
            await asyncio.to_thread(ended.wait)
    except BaseException as error:
        if not opened.done():
            opened.set_exception(error)
        raise
