"""The bot as its own process, killed for real."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx2

from bot.cli.stage import REPOSITORY
from tests.scenarios.nursery import Nursery

READY_S = 60.0
STOP_S = 20.0
_POLL_S = 0.05


class BotProcess:
    """`countersign serve` with a given environment and nothing else of ours.

    Each start is a new process; the nursery spares it the imports.
    """

    def __init__(self, environment: Mapping[str, str], *, folder: Path, nursery: Nursery) -> None:
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            **environment,
        }
        self._url = environment["COUNTERSIGN_URL"]
        self._folder = folder
        self._log = folder / "bot.log"
        self._nursery = nursery
        self._pid: int | None = None

    def another(self, folder: Path, *, nursery: Nursery | None = None) -> "BotProcess":
        """Return a process with the same environment that does not run yet."""
        folder.mkdir()
        return BotProcess(self._environment, folder=folder, nursery=nursery or self._nursery)

    def start(self, *, role: str = "all") -> None:
        """Start it and wait until it serves."""
        self._pid = self._nursery.start(
            ["serve", "--role", role],
            environment=self._environment,
            log=self._log,
            folder=self._folder,  # where there is no .env
        )
        until = time.monotonic() + READY_S
        while not self._serves():
            is_over = self._nursery.wait(self._pid, timeout_s=_POLL_S) is not None
            if is_over or time.monotonic() > until:
                raise AssertionError(f"the bot did not get ready:\n{self.last_words()}")

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended by our hand."""
        return self._pid is not None

    def kill(self) -> None:
        """Kill it with SIGKILL: nothing of it runs after this returns."""
        assert self._end(signal.SIGKILL) == -signal.SIGKILL

    def stop(self) -> int | None:
        """Ask it to end with SIGTERM, and return its exit code; None if it had to be killed."""
        code = self._end(signal.SIGTERM)
        if code is None:
            self._end(signal.SIGKILL)
        return code

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run another command of ours with the same environment, by its command line."""
        return subprocess.run(
            [sys.executable, "-m", "bot.cli", *arguments],
            env=self._environment,
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=READY_S,
            check=False,
        )

    def last_words(self) -> str:
        """Return the end of its log."""
        return self._log.read_text(encoding="utf-8")[-4000:]

    def _end(self, number: signal.Signals) -> int | None:
        assert self._pid is not None
        os.kill(self._pid, number)
        code = self._nursery.wait(self._pid, timeout_s=STOP_S)
        if code is not None:
            self._pid = None
        return code

    def _serves(self) -> bool:
        try:
            return httpx2.get(f"{self._url}/healthz", trust_env=False).is_success
        except httpx2.TransportError:
            return False
