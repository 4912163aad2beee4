"""The whole bot as `bot.parts` wires it, the local workspace and both stand-ins, all over HTTP.

Nothing is replaced. Jobs run when a test says `work()`, so that a failing one fails the test.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import psycopg
from psycopg.rows import dict_row
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette

from bot.app import open_parts
from bot.config import Settings
from bot.parts import Parts
from bot.workspace.app import PostRate, default_config
from bot.workspace.client import WorkspaceClient, connect_in_browser, text_of
from bot.workspace.http import open_client
from bot.workspace.shapes import JsonObject
from connectors.google_calendar.standin import build_standin as build_google
from connectors.hubspot.standin import build_standin as build_hubspot
from connectors.standin import StandinConfig
from storage.crypto import Vault
from storage.database import Database
from storage.sealer import seal
from tests.bot.slack_bot import MANIFEST, signed
from tests.bot.workspace.conftest import SECRET, TOKEN, Running, running
from tests.support.serving import listen, serving

TEAM, DANA, MO, GUS = "T0NORTH", "U0DANA", "U0MO", "U0GUS"
ACCOUNT = "dana@northwind.example"
HUBSPOT, GOOGLE = "hubspot", "google_calendar"
_MOST_ROUNDS = 40


@dataclass
class WholeBot:
    """The bot, and everybody around it."""

    parts: Parts
    database: Database
    database_url: str
    url: str
    workspace: Running
    people: WorkspaceClient
    http: httpx2.AsyncClient
    standins: Mapping[str, str]
    dm_id: str

    async def work(self) -> None:
        """Run every job that is or becomes due, and let the workspace settle."""
        await self.workspace.settle()
        for _ in range(_MOST_ROUNDS):
            await self.parts.sweeper.sweep()
            await self.parts.pump.sweep()
            jobs = self._take_jobs()
            if not jobs:
                return
            bodies = {job.name: job.body for job in self.parts.jobs}
            for name, arguments in jobs:
                arguments.pop("calm", None)  # Nothing else comes that a redraw could wait for.
                await bodies[name](**arguments)
            await self.workspace.settle()
        raise AssertionError("the bot did not come to rest")

    async def say(self, text: str, *, as_: str = DANA, **more: Any) -> str:
        """Write to the bot (a channel may be named), let it work, and return the ts."""
        place = {} if "channel" in more else {"dm": True}
        said = await self.people.do("message", {"as": as_, "text": text, **place, **more})
        assert said.get("ts"), said
        await self.work()
        return str(said["ts"])

    def dm(self, **changes: Any) -> JsonObject:
        """Return a direct message of Dana's as Slack delivers it."""
        usual = {
            "type": "message",
            "channel_type": "im",
            "channel": self.dm_id,
            "user": DANA,
            "ts": f"{datetime.now(UTC).timestamp():.6f}",
            "text": "Which deals does Acme have?",
        }
        return usual | changes

    async def post(self, event: JsonObject, *, event_id: str = "Ev1") -> httpx2.Response:
        """Deliver one event as Slack would."""
        body = {"type": "event_callback", "team_id": TEAM, "event_id": event_id, "event": event}
        return await self.http.post("/slack/events", **signed(body))

    async def event(self, event: JsonObject, *, event_id: str = "Ev1") -> None:
        """Deliver one event that is taken, and let the bot work."""
        reply = await self.post(event, event_id=event_id)
        assert reply.status_code == 200, reply.text
        await self.work()

    async def shown(self, person: str = DANA, *, channel: str | None = None) -> list[str]:
        """Return what the bot's messages say that a person sees."""
        return [text_of(message) for message in await self.cards(person, channel=channel)]

    async def cards(self, person: str = DANA, *, channel: str | None = None) -> list[JsonObject]:
        """Return the bot's messages that a person sees."""
        found = await self.people.messages(person, channel=channel)
        return [message for message in found if message.get("bot_id")]

    async def press(self, person: str, action_id: str, *, channel: str | None = None) -> JsonObject:
        """Press the newest button of that action that a person sees, and let the bot work."""
        for message in reversed(await self.cards(person, channel=channel)):
            if any(action_id == item.split(":")[0] for item in _actions(message)):
                answer = await self.people.click(person, message, action_id, channel=channel)
                await self.work()
                return answer
        raise AssertionError(f"{person} sees no {action_id}")

    async def connect(self, *, account: str = ACCOUNT) -> None:
        """Follow every connect link that waits for Dana, through the provider's consent page."""
        for url in dict.fromkeys(self._connect_urls(await self.cards())):
            await connect_in_browser(url, account=account)
        await self.work()

    async def fault(self, provider: str, kind: str, **more: Any) -> None:
        """Let the provider's next requests fail."""
        await self.control(provider, "faults", {"kind": kind, **more})

    async def control(self, provider: str, deed: str, body: JsonObject | None = None) -> None:
        answer = await self.http.post(f"{self.standins[provider]}/_control/{deed}", json=body or {})
        assert answer.status_code == 200, answer.text

    async def look(self, provider: str, what: str = "state") -> JsonObject:
        answer = await self.http.get(f"{self.standins[provider]}/_control/{what}")
        content: JsonObject = answer.json()
        return content

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Return rows of the database."""
        with psycopg.connect(self.database_url, row_factory=dict_row) as connection:
            return connection.execute(query.encode()).fetchall()

    async def seal(self) -> None:
        await seal(self.database)

    def goals(self) -> list[tuple[str, str]]:
        """Return every goal's text and status."""
        found = self.rows("SELECT text, status FROM goals ORDER BY id")
        return [(row["text"], row["status"]) for row in found]

    @staticmethod
    def _connect_urls(cards: Sequence[JsonObject]) -> list[str]:
        found = [item for card in cards for item in _buttons(card)]
        return [str(item["url"]) for item in found if "/connect/" in str(item.get("url"))]

    def _take_jobs(self) -> list[tuple[str, dict[str, Any]]]:
        query = "DELETE FROM procrastinate_jobs WHERE status = 'todo' RETURNING id, task_name, args"
        with psycopg.connect(self.database_url) as connection:
            return [(row[1], row[2]) for row in sorted(connection.execute(query).fetchall())]


def _buttons(message: JsonObject) -> list[JsonObject]:
    return [
        item
        for block in message.get("blocks") or []
        for item in [*block.get("elements", []), block.get("accessory") or {}]
        if isinstance(item, dict)
    ]


def _actions(message: JsonObject) -> list[str]:
    return [str(item.get("action_id")) for item in _buttons(message)]


@asynccontextmanager
async def whole_bot(
    database: Database,
    database_url: str,
    folder: Path,
    *,
    settings: Mapping[str, Any] | None = None,
    client_secrets: Mapping[str, str] | None = None,
) -> AsyncIterator[WholeBot]:
    """Run everything on ephemeral loopback ports until the end of the block."""
    secret_of = client_secrets or {HUBSPOT: "hubspot-made-up", GOOGLE: "google-made-up"}
    bot_socket = listen()
    url = f"http://127.0.0.1:{bot_socket.getsockname()[1]}"
    given = {"slack_bot_token": TOKEN, "slack_signing_secret": SECRET, **(settings or {})}
    config = default_config(
        data_dir=folder / "workspace",
        base_url="http://127.0.0.1:0",
        bot_token=given["slack_bot_token"],
        signing_secret=given["slack_signing_secret"],
        events_url=f"{url}/slack/events",
        manifest_path=MANIFEST,
        retry_delays_s=(0.01, 0.02, 0.03),
        post_rate=PostRate(burst=1000, per_s=1000),
    )
    async with AsyncExitStack() as stack:
        workspace = await stack.enter_async_context(running(replace(config, method_limits=False)))
        standins: dict[str, str] = {}
        builders: dict[str, Callable[[StandinConfig], Starlette]] = {
            HUBSPOT: build_hubspot,
            GOOGLE: build_google,
        }
        for provider, build in builders.items():
            place = listen()
            standins[provider] = f"http://127.0.0.1:{place.getsockname()[1]}"
            standin = StandinConfig(
                data_dir=folder / "standins",
                base_url=standins[provider],
                client_id=f"countersign-{provider}",
                client_secret=secret_of[provider],
                redirect_uris=(f"{url}/oauth/{provider}/callback",),
                search_lag_s=0.0,
                is_prepared=True,
                is_rate_limited=False,
            )
            await stack.enter_async_context(serving(build(standin), place))
        values = _values(workspace.config.base_url, url, standins, secret_of) | given
        parts = await stack.enter_async_context(
            open_parts(Settings.model_validate(values), database)
        )
        await parts.people.prepare(TEAM)
        await stack.enter_async_context(serving(parts.web, bot_socket))
        http = open_client(base_url=url, timeout=30)
        slack = AsyncWebClient(
            token=given["slack_bot_token"], base_url=workspace.slack.base_url, retry_handlers=[]
        )
        opened = await slack.conversations_open(users=DANA)
        yield WholeBot(
            parts=parts,
            database=database,
            database_url=database_url,
            url=url,
            workspace=workspace,
            people=await stack.enter_async_context(WorkspaceClient(workspace.config.base_url)),
            http=await stack.enter_async_context(http),
            standins=standins,
            dm_id=opened["channel"]["id"],
        )


def _values(
    workspace_url: str, url: str, standins: Mapping[str, str], secret_of: Mapping[str, str]
) -> dict[str, Any]:
    hubspot, google = standins[HUBSPOT], standins[GOOGLE]
    return {
        "slack_api_url": f"{workspace_url}/api",
        "countersign_url": url,
        "countersign_encryption_key": Vault.generate_key(),
        "countersign_admins": ("ada@northwind.example",),
        "countersign_approvers": ("mo@northwind.example",),
        "countersign_policy": MANIFEST.parent / "policy.yaml",
        "countersign_lease_s": 1.5,
        "countersign_call_timeout_s": 1.0,
        "countersign_retry_base_s": 0.01,
        "countersign_max_tries": 3,
        "hubspot_client_id": "countersign-hubspot",
        "hubspot_client_secret": secret_of[HUBSPOT],
        **dict.fromkeys(("hubspot_api_url", "hubspot_auth_url", "hubspot_web_url"), hubspot),
        "google_client_id": "countersign-google_calendar",
        "google_client_secret": secret_of[GOOGLE],
        **dict.fromkeys(("google_api_url", "google_auth_url", "google_web_url"), google),
    }
