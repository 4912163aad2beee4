"""The bot as its own process, started by its command line and killed for real."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx2

from bot.cli.stage import REPOSITORY

READY_S = 60.0
STOP_S = 20.0
_POLL_S = 0.05


class BotProcess:
    """`countersign serve` with a given environment and nothing else of ours."""

    def __init__(self, environment: Mapping[str, str], *, folder: Path) -> None:
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            # Compiled once for all starts, also where the session forbids to write beside sources.
            "PYTHONPYCACHEPREFIX": str(folder / "pycache"),
            **environment,
        }
        self._url = environment["COUNTERSIGN_URL"]
        self._folder = folder
        self._log = folder / "bot.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, role: str = "all") -> None:
        """Start it and wait until it serves."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bot.cli", "serve", "--role", role],
                env=self._environment,
                cwd=self._folder,  # where there is no .env
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until = time.monotonic() + READY_S
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"the bot did not get ready:\n{self.last_words()}")
            time.sleep(_POLL_S)

    def kill(self) -> None:
        """Kill it with SIGKILL: nothing of it runs after this returns."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Ask it to end with SIGTERM, and return its exit code; -9 if it had to be killed."""
        assert self._process is not None
        self._process.terminate()
        try:
            return self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return -9

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run another command of ours with the same environment."""
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

    def _is_ready(self) -> bool:
        try:
            return httpx2.get(f"{self._url}/healthz", trust_env=False).is_success
        except httpx2.TransportError:
            return False
