"""The Slack side of the bot against the local workspace, both real servers on loopback.

The services are recorders: what a listener asks of them is noted, and answered as a test says.
Jobs run when a test says `work()`.
"""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import aiohttp
import httpx2
import psycopg
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette

from bot.engine.cards import PlanForm
from bot.engine.home import HomeView
from bot.goals.clicks import Answer, Click, FieldErrors
from bot.goals.messages import IncomingMessage
from bot.intake.app import Intake
from bot.intake.bolt import build_bolt
from bot.intake.dispatch import EventDispatcher
from bot.intake.installation import read_installation
from bot.listeners.registration import register_listeners
from bot.listeners.services import Services
from bot.notifier.loaders import Loaders
from bot.notifier.pump import CALM_S, Pump
from bot.notifier.renderers import Renderers
from bot.notifier.slack import SlackCards
from bot.people.profiles import Named
from bot.people.service import PeopleService
from bot.workspace.app import PostRate, default_config
from bot.workspace.http import open_client
from storage.database import Database, Transaction
from storage.tables.approvals import Verdict
from storage.tables.slack import OutboxCard
from tests.bot.views import cards
from tests.bot.workspace.conftest import SECRET, TOKEN, Running, running
from tests.support.serving import listen, serving

TEAM = "T0NORTH"
MANIFEST = Path(__file__).parents[2] / "manifest.yml"


@dataclass
class Recorder:
    """Implements every service: notes each call as (method, arguments…) and answers `answer`."""

    calls: list[tuple[Any, ...]] = field(default_factory=list)
    answer: Answer = field(default_factory=lambda: Answer("Done."))
    form_answer: PlanForm | Answer = field(default_factory=lambda: Answer("No form.", ok=False))
    open_answer: str | Answer = "Add “Acme”, and 11 more"
    edit_answer: Answer | FieldErrors = field(default_factory=lambda: Answer("Changed."))
    failures: list[Exception] = field(default_factory=list)
    home: HomeView = field(default_factory=cards.home_view)

    def note(self, *call: Any) -> Answer:
        self.calls.append(call)
        if self.failures:
            raise self.failures.pop(0)
        return self.answer

    async def receive(self, message: IncomingMessage) -> None:
        self.note("receive", message)

    async def start_example(self, click: Click, text: str) -> Answer:
        return self.note("start_example", click, text)

    async def choose(self, click: Click, goal_id: int, choice: str) -> Answer:
        return self.note("choose", click, goal_id, choice)

    async def halt_team(self, click: Click, reason: str | None) -> Answer:
        return self.note("halt_team", click, reason)

    async def resume_team(self, click: Click) -> Answer:
        return self.note("resume_team", click)

    async def cancel(self, click: Click, goal_id: int) -> Answer:
        return self.note("cancel", click, goal_id)

    async def message_deleted(self, team_id: str, channel_id: str, ts: str) -> None:
        self.note("message_deleted", team_id, channel_id, ts)

    async def person_left(self, team_id: str, person_id: str) -> None:
        self.note("person_left", team_id, person_id)

    async def pause(self, click: Click, goal_id: int) -> Answer:
        return self.note("pause", click, goal_id)

    async def resume(self, click: Click, goal_id: int) -> Answer:
        return self.note("resume", click, goal_id)

    async def undo(self, click: Click, task_id: int) -> Answer:
        return self.note("undo", click, task_id)

    async def undo_goal(self, click: Click, goal_id: int) -> Answer:
        return self.note("undo_goal", click, goal_id)

    async def settle(self, click: Click, task_id: int, verdict: str) -> Answer:
        return self.note("settle", click, task_id, verdict)

    async def close(self, click: Click, handoff_id: int) -> Answer:
        return self.note("close", click, handoff_id)

    async def pick(self, click: Click, remark_id: int, number: int) -> Answer:
        return self.note("pick", click, remark_id, number)

    async def dismiss(self, click: Click, remark_id: int) -> Answer:
        return self.note("dismiss", click, remark_id)

    async def connect(self, click: Click, provider: str) -> Answer:
        return self.note("connect", click, provider)

    async def disconnect(self, click: Click, provider: str) -> Answer:
        return self.note("disconnect", click, provider)

    async def subscribe(self, *, team_id: str, person_id: str) -> None:
        """Opening Home is no use of the digest."""

    async def send_now(self, click: Click) -> Answer:
        return self.note("send_now", click)

    async def set_time(
        self, click: Click, *, hour_minute: str, weekdays: tuple[int, ...] | None
    ) -> Answer:
        return self.note("set_time", click, hour_minute, weekdays)

    async def turn(self, click: Click, *, on: bool) -> Answer:
        return self.note("turn", click, on)

    async def goal_page(self, click: Click, goal_id: int) -> Answer:
        return self.note("goal_page", click, goal_id)

    async def load(self, team_id: str, person_id: str) -> HomeView:
        self.note("load", team_id, person_id)
        return self.home


@dataclass
class RecorderOfPlans:
    """The plan service; its methods share names with the approval desk's."""

    to: Recorder

    async def run(self, click: Click, goal_id: int, version: int) -> Answer:
        return self.to.note("run", click, goal_id, version)

    async def form(self, click: Click, goal_id: int, version: int) -> PlanForm | Answer:
        self.to.note("plan_form", click, goal_id, version)
        return self.to.form_answer

    async def edit(
        self, click: Click, goal_id: int, version: int, dropped: Any, values: Any
    ) -> Answer | FieldErrors:
        self.to.note("plan_edit", click, goal_id, version, dropped, values)
        return self.to.edit_answer


@dataclass
class RecorderOfApprovals:
    """The approval desk."""

    to: Recorder

    async def decide(
        self, click: Click, item_id: int, verdict: Verdict, reason: str | None
    ) -> Answer:
        return self.to.note("decide", click, item_id, verdict, reason)

    async def decide_all(
        self, click: Click, approval_id: int, verdict: Verdict, reason: str | None
    ) -> Answer:
        return self.to.note("decide_all", click, approval_id, verdict, reason)

    async def tell_open(self, click: Click, approval_id: int) -> str | Answer:
        self.to.note("tell_open", click, approval_id)
        return self.to.open_answer

    async def form(self, click: Click, item_id: int) -> PlanForm | Answer:
        self.to.note("call_form", click, item_id)
        return self.to.form_answer

    async def edit(self, click: Click, item_id: int, values: Any) -> Answer | FieldErrors:
        self.to.note("call_edit", click, item_id, values)
        return self.to.edit_answer


@dataclass
class RecorderOfAnswers:
    """The answers to questions about values."""

    to: Recorder

    async def choose(self, click: Click, task_id: int, version: int, number: int) -> Answer:
        return self.to.note("answer", click, task_id, version, number)

    async def leave_out(self, click: Click, task_id: int, version: int) -> Answer:
        return self.to.note("leave_out", click, task_id, version)

    async def form(self, click: Click, task_id: int, version: int) -> PlanForm | Answer:
        self.to.note("answer_form", click, task_id, version)
        return self.to.form_answer


@dataclass
class Shown:
    """What the loaders find; None means that there is nothing to show."""

    goal: Any = field(default_factory=cards.goal_card)
    approval: Any = field(default_factory=cards.approval_card)
    answer: Any = field(default_factory=cards.answer_card)
    unknown: Any = field(default_factory=cards.unknown_card)
    question: Any = field(default_factory=cards.question_card)
    handoff: Any = field(default_factory=cards.handoff_card)
    remark: Any = field(default_factory=cards.remark_card)
    connect: Any = field(default_factory=cards.connect_card)
    digest: Any = field(default_factory=cards.digest)
    home: Any = field(default_factory=cards.home_view)
    examples: Any = ("Which deals does Acme have?",)
    failures: list[Exception] = field(default_factory=list)

    def loader(self, noun: str) -> Any:
        async def load(_tx: Transaction, _card: OutboxCard) -> Any:
            if self.failures:
                raise self.failures.pop(0)
            return getattr(self, noun)

        return load

    def loaders(self) -> Loaders:
        nouns = [item.name for item in fields(Loaders)]
        return Loaders(**{noun: self.loader(noun) for noun in nouns})


@dataclass
class SlackBot:
    """The bot's Slack side and the workspace that it serves."""

    workspace: Running
    database: Database
    database_url: str
    people: PeopleService
    services: Recorder
    shown: Shown
    bolt: AsyncApp
    dispatcher: EventDispatcher
    pump: Pump
    client: AsyncWebClient
    http: httpx2.AsyncClient

    def another_pump(self, *, calm_s: float = CALM_S) -> Pump:
        """Return the pump of another worker."""
        return Pump(
            database=self.database,
            renderers=Renderers(self.shown.loaders()),
            slack=SlackCards(self.client),
            calm_s=calm_s,
        )

    async def work(self) -> None:
        """Wait for deliveries, then run every job, and those that come of them."""
        await self.workspace.settle()
        while jobs := self._take_jobs():
            for name, arguments in jobs:
                if name == "handle_event":
                    await self.dispatcher.handle_event(**arguments)
                else:
                    await self.pump.post_cards(**arguments)
            await self.workspace.settle()

    async def say(self, text: str, *, as_: str = "U0DANA", **more: Any) -> dict[str, Any]:
        """Write a direct message to the bot, and let it work."""
        deed = {"as": as_, "text": text, **({"dm": True} if "channel" not in more else {}), **more}
        said = await self.workspace.do("message", **deed)
        await self.work()
        return said

    async def messages(self, where: str, *, as_: str = "U0DANA") -> list[dict[str, Any]]:
        """Return the messages of the bot in a channel or in `dm:PERSON`."""
        read = await self.workspace.read(f"messages/{where}", **{"as": as_})
        return [message for message in read["messages"] if message.get("bot_id")]

    async def post(
        self, body: Any, *, path: str = "/slack/events", **headers: str
    ) -> httpx2.Response:
        """Post a body as Slack would, signed."""
        return await self.http.post(path, **signed(body, **headers))

    def _take_jobs(self) -> list[tuple[str, dict[str, Any]]]:
        query = "DELETE FROM procrastinate_jobs WHERE status = 'todo' RETURNING id, task_name, args"
        with psycopg.connect(self.database_url) as connection:
            rows = sorted(connection.execute(query).fetchall())
        return [(row[1], row[2]) for row in rows]


def signed(body: Any, *, kind: str = "application/json", **headers: str) -> dict[str, Any]:
    """Return the content and headers of a delivery; given headers replace Slack's."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    timestamp = headers.get("x_slack_request_timestamp", str(int(time.time())))
    mac = hmac.new(SECRET.encode(), f"v0:{timestamp}:".encode() + raw, hashlib.sha256)
    usual = {
        "content_type": kind,
        "x_slack_request_timestamp": timestamp,
        "x_slack_signature": f"v0={mac.hexdigest()}",
    }
    sent = {name.replace("_", "-"): value for name, value in (usual | headers).items()}
    return {"content": raw, "headers": sent}


@asynccontextmanager
async def slack_bot(
    database: Database, database_url: str, folder: Path, *, post_rate: PostRate | None = None
) -> AsyncIterator[SlackBot]:
    """Run the workspace and the bot's intake."""
    intake_socket = listen()
    url = f"http://127.0.0.1:{intake_socket.getsockname()[1]}"
    config = default_config(
        data_dir=folder,
        base_url="http://127.0.0.1:0",
        bot_token=TOKEN,
        signing_secret=SECRET,
        events_url=f"{url}/slack/events",
        interactivity_url=f"{url}/slack/interactivity",
        commands_url=f"{url}/slack/commands",
        manifest_path=MANIFEST,
        retry_delays_s=(0.01, 0.02, 0.03),
        post_rate=post_rate or PostRate(burst=100, per_s=100),
    )
    async with (
        running(replace(config, method_limits=False)) as workspace,
        aiohttp.ClientSession() as session,
        open_client(base_url=url) as http,
    ):
        client = AsyncWebClient(
            token=TOKEN, base_url=workspace.slack.base_url, session=session, retry_handlers=[]
        )
        installation = await read_installation(client)
        bolt = build_bolt(client, installation)
        services, shown = Recorder(), Shown()
        people = PeopleService(
            database=database, client=client, named=Named(admins=frozenset({"U0ADA"}))
        )
        register_listeners(bolt, _services(services, database, people))
        intake = Intake(
            database=database,
            bolt=bolt,
            installation=installation,
            signing_secret=SECRET,
            clock=time.time,
        )
        pump = Pump(
            database=database,
            renderers=Renderers(shown.loaders()),
            slack=SlackCards(client),
        )
        async with serving(Starlette(routes=intake.routes()), intake_socket):
            yield SlackBot(
                workspace=workspace,
                database=database,
                database_url=database_url,
                people=people,
                services=services,
                shown=shown,
                bolt=bolt,
                dispatcher=EventDispatcher(database=database, bolt=bolt),
                pump=pump,
                client=client,
                http=http,
            )


def _services(recorder: Recorder, database: Database, people: PeopleService) -> Services:
    return Services(
        database=database,
        people=people,
        goals=recorder,
        plans=RecorderOfPlans(recorder),
        approvals=RecorderOfApprovals(recorder),
        pauses=recorder,
        undos=recorder,
        answers=RecorderOfAnswers(recorder),
        unknowns=recorder,
        handoffs=recorder,
        remarks=recorder,
        halts=recorder,
        connections=recorder,
        digests=recorder,
        links=recorder,
        homes=recorder,
    )
