"""The world of the benchmarks: a durable PostgreSQL, the stage, and the bot as its own process."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp

from benchmarks.tap import Tap, open_tap
from bot.cli.stage import REPOSITORY, Pace, Stage, open_stage
from bot.workspace.app import PostRate
from bot.workspace.client import WorkspaceClient
from storage.embedded import EmbeddedPostgres
from storage.migrate import upgrade

TEAM = "T0NORTH"
_FIRST_PORT = 18_765
_READY_S = 30.0
_NO_LIMITS = Pace(post_rate=PostRate(burst=1_000_000, per_s=1_000_000), method_limits=False)


class BotFailedError(Exception):
    """The bot's process ended or did not get ready; its last words follow."""


@dataclass(frozen=True, slots=True)
class World:
    """Where everything is, with a tap in every line that leads out of the bot."""

    folder: Path
    database_url: str
    stage: Stage
    slack: Tap
    hubspot: Tap
    google: Tap
    workspace: WorkspaceClient
    http: aiohttp.ClientSession
    used: set[str] = field(default_factory=set)
    """The values of the buttons and links that have been pressed."""

    async def post(self, body: bytes, *, kind: str = "application/json") -> int:
        """Post what Slack would, signed as Slack signs, and return the status."""
        at = str(int(time.time()))
        secret = self.stage.environment["SLACK_SIGNING_SECRET"].encode()
        signed = hmac.new(secret, b"v0:" + at.encode() + b":" + body, hashlib.sha256)
        headers = {
            "content-type": kind,
            "x-slack-request-timestamp": at,
            "x-slack-signature": f"v0={signed.hexdigest()}",
        }
        url = f"{self.stage.bot_url}/slack/events"
        async with self.http.post(url, data=body, headers=headers) as answer:
            await answer.read()
            return answer.status

    async def click(self, person: str, action_id: str, value: str) -> None:
        """Press a button, and return when the click has been acknowledged."""
        payload = {
            "type": "block_actions",
            "team": {"id": TEAM, "domain": "northwind"},
            "user": {"id": person, "team_id": TEAM},
            "container": {"type": "message", "message_ts": "1.0", "channel_id": "D0"},
            "channel": {"id": "D0", "name": "directmessage"},
            "trigger_id": f"1.2.{secrets.token_hex(8)}",
            "actions": [
                {"type": "button", "action_id": action_id, "block_id": "b", "value": value}
            ],
        }
        body = urlencode({"payload": json.dumps(payload)}).encode()
        status = await self.post(body, kind="application/x-www-form-urlencoded")
        if status != 200:
            raise BotFailedError(f"a click was answered with {status}")


@asynccontextmanager
async def open_world(folder: Path, database_url: str) -> AsyncIterator[World]:
    """Serve the stage with taps until the end of the block."""
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(
            open_stage(folder / "stage", first_port=_FIRST_PORT, pace=_NO_LIMITS)
        )
        # The bot binds its port itself.
        stage.listening.close()
        slack, hubspot, google = [
            await stack.enter_async_context(open_tap(url))
            for url in (stage.workspace_url, stage.hubspot_url, stage.google_url)
        ]
        yield World(
            folder,
            database_url,
            stage,
            slack,
            hubspot,
            google,
            await stack.enter_async_context(WorkspaceClient(stage.workspace_url)),
            await stack.enter_async_context(aiohttp.ClientSession()),
        )


@asynccontextmanager
async def serve_bot(world: World, *, role: str, model_url: str | None = None) -> AsyncIterator[int]:
    """Run `countersign serve` as a process of its own until the end of the block; its pid.

    Raises:
        BotFailedError: it did not get ready.
    """
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(REPOSITORY),
        **world.stage.environment,
        "COUNTERSIGN_LOG_LEVEL": "warning",
        "DATABASE_URL": world.database_url,
        "SLACK_API_URL": f"{world.slack.url}/api",
        "HUBSPOT_API_URL": world.hubspot.url,
        "GOOGLE_API_URL": world.google.url,
    }
    if model_url is not None:
        environment |= {"OPENAI_BASE_URL": model_url, "OPENAI_API_KEY": "none"}
    log = world.folder / f"bot-{secrets.token_hex(4)}.log"
    with log.open("wb") as output, _running(role, environment, world.folder, output) as process:
        await _wait_until_ready(world, process, log, role=role)
        yield process.pid


@contextmanager
def run_database() -> Iterator[tuple[Path, str]]:
    """Run a PostgreSQL that keeps what it commits, on a real disk; its parent folder and URL."""
    with tempfile.TemporaryDirectory(prefix="cs-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        server = EmbeddedPostgres(data_dir=folder / "d")
        try:
            url = server.start()
            upgrade(url)
            yield folder, url
        finally:
            server.stop()


@contextmanager
def _running(
    role: str, environment: dict[str, str], folder: Path, output: Any
) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "bot.cli", "serve", "--role", role]
    process = subprocess.Popen(  # noqa: S603 -- our own program
        command, env=environment, cwd=folder, stdout=output, stderr=subprocess.STDOUT
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _last_words(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-2000:]


async def _wait_until_ready(
    world: World, process: "subprocess.Popen[bytes]", log: Path, *, role: str
) -> None:
    page = "healthz" if role == "web" else "readyz"  # a web process alone has no worker
    until = time.monotonic() + _READY_S
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(aiohttp.ClientError):
            async with world.http.get(f"{world.stage.bot_url}/{page}") as answer:
                if answer.status == 200:
                    return
        await asyncio.sleep(0.05)
    raise BotFailedError(_last_words(log))
