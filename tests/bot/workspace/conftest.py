"""A local workspace and a tiny recording bot, both real servers on ephemeral loopback ports."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.workspace.app import WorkspaceConfig, build_workspace, default_config
from bot.workspace.http import open_client
from tests.support.serving import listen, serving

TOKEN = "xoxb-local-test"
SECRET = "0123456789abcdef"

MANIFEST = """
display_information: {name: Countersign}
features:
  bot_user: {display_name: Countersign}
  slash_commands: [{command: /countersign, description: Digest}]
oauth_config:
  scopes:
    bot: ["app_mentions:read", "channels:history", "channels:read", "chat:write", "commands",
          "im:history", "im:read", "im:write", "team:read", "users:read"]
    bot_optional: ["users:read.email"]
settings:
  event_subscriptions:
    bot_events: [app_home_opened, app_mention, message.channels, message.im]
"""


@dataclass(frozen=True)
class Received:
    """One request that reached the bot."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)["event"]
        return event

    @property
    def form(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(self.body).items()}

    @property
    def payload(self) -> dict[str, Any]:
        payload: dict[str, Any] = json.loads(self.form["payload"])
        return payload


Script = Callable[[Received], Response]


@dataclass
class Bot:
    """Records every request; answers 200 unless `answers` holds something else."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answers: list[Response | float | Script] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def serve(self, request: Request) -> Response:
        body = (await request.body()).decode()
        received = Received(request.url.path, dict(request.headers), body)
        async with self.arrived:
            self.received.append(received)
            self.arrived.notify_all()
        if not self.answers:
            return Response()
        answer = self.answers.pop(0)
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            return Response()
        return answer if isinstance(answer, Response) else answer(received)

    def answer_json(self, body: dict[str, Any]) -> None:
        self.answers.append(JSONResponse(body))

    async def wait_for(self, count: int) -> list[Received]:
        """Return what was received once it is `count` requests."""
        async with asyncio.timeout(5), self.arrived:
            await self.arrived.wait_for(lambda: len(self.received) >= count)
        return self.received

    def events(self, kind: str) -> list[dict[str, Any]]:
        bodies = [r.event for r in self.received if r.body.startswith("{")]
        return [event for event in bodies if event["type"] == kind]


@dataclass
class Running:
    """A running workspace and clients for its two APIs."""

    config: WorkspaceConfig
    app: Starlette
    http: httpx2.AsyncClient
    slack: AsyncWebClient

    async def do(self, deed: str, **body: Any) -> dict[str, Any]:
        """Do one control deed and return its answer."""
        reply = await self.http.post(f"/_control/{deed}", json=body)
        answer: dict[str, Any] = reply.json()
        return answer

    async def read(self, what: str, **query: str) -> dict[str, Any]:
        """Return one of the control API's views."""
        answer: dict[str, Any] = (await self.http.get(f"/_control/{what}", params=query)).json()
        return answer

    async def api(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Call a Web API method with JSON and return its answer, also a refusal."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        reply = await self.http.post(f"/api/{method}", json=arguments, headers=headers)
        answer: dict[str, Any] = reply.json()
        return answer

    async def settle(self) -> None:
        """Wait until every delivery is answered or given up."""
        await self.app.state.workspace.delivery.settled()


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    """A bot that records what it is sent."""
    recorder, sock = Bot(), listen()
    recorder.url = f"http://127.0.0.1:{sock.getsockname()[1]}/slack/events"
    app = Starlette(routes=[Route("/{path:path}", recorder.serve, methods=["POST"])])
    async with serving(app, sock):
        yield recorder


@pytest.fixture
def config(bot: Bot, tmp_path: Path) -> WorkspaceConfig:
    """The default workspace with quick retries; `base_url` is set when it is served."""
    manifest = tmp_path / "manifest.yml"
    manifest.write_text(MANIFEST)
    return default_config(
        data_dir=tmp_path / "workspace",
        base_url="http://127.0.0.1:0",
        bot_token=TOKEN,
        signing_secret=SECRET,
        events_url=bot.url,
        manifest_path=manifest,
        retry_delays_s=(0.01, 0.02, 0.03),
    )


@asynccontextmanager
async def running(config: WorkspaceConfig) -> AsyncIterator[Running]:
    """Run a workspace with this configuration."""
    sock = listen()
    base_url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    config = replace(config, base_url=base_url)
    app = build_workspace(config)
    slack = AsyncWebClient(token=TOKEN, base_url=f"{base_url}/api/", retry_handlers=[])
    async with (
        serving(app, sock),
        open_client(base_url=base_url) as http,
    ):
        yield Running(config, app, http, slack)
        app.state.workspace.bus.close()


@pytest.fixture
async def workspace(config: WorkspaceConfig) -> AsyncIterator[Running]:
    """The default workspace, running."""
    async with running(config) as started:
        yield started


@pytest.fixture
def run() -> Callable[[WorkspaceConfig], Any]:
    """Runs a workspace with a configuration of the test's own."""
    return running
