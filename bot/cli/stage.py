"""The stage of the demo: the local workspace, the stand-ins, and the settings that lead to them."""

import asyncio
import json
import secrets
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from starlette.applications import Starlette

from bot.config import Settings
from bot.serve import bind, serve_web
from bot.workspace.app import build_workspace, default_config
from bot.workspace.config import PostRate
from connectors.google_calendar.standin import build_standin as build_google
from connectors.hubspot.standin import build_standin as build_hubspot
from connectors.standin import StandinConfig
from storage.crypto import Vault

HOST = "127.0.0.1"
FIRST_PORT = 8765
_TRIES = 50
REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Stage:
    """Where everything of the demo is reached, and the settings that a bot needs to use it."""

    workspace_url: str
    bot_url: str
    hubspot_url: str
    google_url: str
    environment: dict[str, str]
    listening: socket.socket
    """The bot's own socket, held from the start so that nobody else takes its port."""

    def settings(self) -> Settings:
        """Return the settings exactly as the environment variables would give them."""
        return Settings.model_validate(
            {name.lower(): value for name, value in self.environment.items()}
        )


def bind_next_free(first: int) -> socket.socket:
    """Return a socket on `first` or the next free port.

    Raises:
        OSError: none of the next fifty is free.
    """
    for port in range(first, first + _TRIES):
        try:
            return bind(HOST, port)
        except OSError:
            continue
    message = f"no free port between {first} and {first + _TRIES}"
    raise OSError(message)


def forget(data_dir: Path) -> None:
    """Delete what earlier demos left: messages, goals, connections, the stand-ins' records."""
    shutil.rmtree(data_dir, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient the workspace is; as Slack for people, quicker for tests."""

    post_rate: PostRate = field(default_factory=PostRate)
    retry_delays_s: tuple[float, ...] = (0.1, 60.0, 300.0)
    method_limits: bool = True
    """False lifts every other rate limit, which benchmarks need."""


AS_SLACK = Pace()


@asynccontextmanager
async def open_stage(
    data_dir: Path, *, first_port: int = FIRST_PORT, pace: Pace = AS_SLACK
) -> AsyncIterator[Stage]:
    """Serve the workspace and the stand-ins until the end of the block."""
    kept = _secrets(data_dir / "stage.json")
    sockets: list[socket.socket] = []
    for _ in range(4):
        sockets.append(bind_next_free(sockets[-1].getsockname()[1] + 1 if sockets else first_port))
    urls = [f"http://{HOST}:{item.getsockname()[1]}" for item in sockets]
    workspace_url, bot_url, hubspot_url, google_url = urls
    config = default_config(
        data_dir=data_dir / "workspace",
        base_url=workspace_url,
        bot_token=kept["SLACK_BOT_TOKEN"],
        signing_secret=kept["SLACK_SIGNING_SECRET"],
        events_url=f"{bot_url}/slack/events",
        manifest_path=REPOSITORY / "manifest.yml",
        post_rate=pace.post_rate,
        retry_delays_s=pace.retry_delays_s,
    )
    workspace = build_workspace(replace(config, method_limits=pace.method_limits))
    stage = Stage(
        workspace_url,
        bot_url,
        hubspot_url,
        google_url,
        _environment(kept, urls),
        sockets[1],
    )
    async with AsyncExitStack() as stack:
        for app, listening in (
            (workspace, sockets[0]),
            (build_hubspot(_standin(data_dir, hubspot_url, "hubspot", kept, bot_url)), sockets[2]),
            (
                build_google(_standin(data_dir, google_url, "google_calendar", kept, bot_url)),
                sockets[3],
            ),
        ):
            await stack.enter_async_context(_served(app, listening))
        stack.callback(workspace.state.workspace.bus.close)
        yield stage


@asynccontextmanager
async def _served(app: Starlette, listening: socket.socket) -> AsyncIterator[None]:
    serving = asyncio.ensure_future(serve_web(app, listening))
    try:
        yield
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


def _standin(
    data_dir: Path, url: str, provider: str, kept: dict[str, str], bot_url: str
) -> StandinConfig:
    return StandinConfig(
        data_dir=data_dir / "standins",
        base_url=url,
        client_id=f"countersign-{provider}",
        client_secret=kept["CLIENT_SECRET"],
        redirect_uris=(f"{bot_url}/oauth/{provider}/callback",),
        is_prepared=True,
    )


def _secrets(path: Path) -> dict[str, str]:
    """Return this stage's secrets, made up on its first day."""
    if path.exists():
        found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        return found
    made = {
        "SLACK_BOT_TOKEN": f"xoxb-local-{secrets.token_hex(16)}",
        "SLACK_SIGNING_SECRET": secrets.token_hex(16),
        "COUNTERSIGN_ENCRYPTION_KEY": Vault.generate_key(),
        "CLIENT_SECRET": secrets.token_urlsafe(24),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(made), encoding="utf-8")
    return made


def _environment(kept: dict[str, str], urls: list[str]) -> dict[str, str]:
    """Return the variables of .env.example that lead a bot to this stage and nowhere else."""
    workspace_url, bot_url, hubspot_url, google_url = urls
    return {
        "SLACK_BOT_TOKEN": kept["SLACK_BOT_TOKEN"],
        "SLACK_SIGNING_SECRET": kept["SLACK_SIGNING_SECRET"],
        "SLACK_API_URL": f"{workspace_url}/api",
        "COUNTERSIGN_URL": bot_url,
        "COUNTERSIGN_PORT": bot_url.rpartition(":")[2],
        "COUNTERSIGN_ENCRYPTION_KEY": kept["COUNTERSIGN_ENCRYPTION_KEY"],
        "COUNTERSIGN_ADMINS": "ada@northwind.example",
        "COUNTERSIGN_APPROVERS": "mo@northwind.example",
        "COUNTERSIGN_POLICY": str(REPOSITORY / "policy.yaml"),
        "HUBSPOT_CLIENT_ID": "countersign-hubspot",
        "HUBSPOT_CLIENT_SECRET": kept["CLIENT_SECRET"],
        "HUBSPOT_API_URL": hubspot_url,
        "HUBSPOT_AUTH_URL": hubspot_url,
        "HUBSPOT_WEB_URL": hubspot_url,
        "GOOGLE_CLIENT_ID": "countersign-google_calendar",
        "GOOGLE_CLIENT_SECRET": kept["CLIENT_SECRET"],
        "GOOGLE_API_URL": google_url,
        "GOOGLE_AUTH_URL": google_url,
        "GOOGLE_WEB_URL": google_url,
    }
