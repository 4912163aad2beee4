"""The rig: the app's own parts in this process, without Slack and without a provider.

A message is received as an event's listener receives it; a worker with the app's jobs plans and
drives; Run is the service that the button calls. Cards are wished for, as always, and not drawn:
their job does nothing here. Everything else is as durable as in `countersign serve`.
"""

import asyncio
import base64
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
from slack_sdk.web.async_client import AsyncWebClient

from benchmarks.tools import OFFICE, REQUEST
from bot.builtins import BUILTINS
from bot.config import Settings
from bot.goals.clicks import Click
from bot.goals.messages import IncomingMessage
from bot.intake.installation import Installation
from bot.parts import Parts
from bot.planners import open_planners
from bot.providers import Connections, build_connections
from bot.worker.jobs import Job
from bot.worker.runner import Worker
from connectors.clients import ConnectionClients
from connectors.execute import Executor
from connectors.registry import Connector, Registry
from storage.database import Database, Transaction, conninfo
from storage.instants import DatabaseClock
from storage.repositories.people import PersonFacts
from storage.tables.goals import GoalStatus
from storage.tables.people import Role

TEAM, DANA = "T0BENCH", "U0DANA"
CONCURRENCY = 20
_PATIENCE_S = 30.0


class GoalStuckError(Exception):
    """A goal did not get to where the benchmark needs it."""


@dataclass(frozen=True, slots=True)
class Played:
    """How a goal stands."""

    id: int
    plan_version: int
    status: GoalStatus
    reason: str | None


@dataclass
class Rig:
    """The app's parts, with an event for each goal that a job has worked on."""

    database: Database
    parts: Parts
    watch: psycopg.AsyncConnection[tuple[Any, ...]]
    moved: defaultdict[int, asyncio.Event] = field(
        default_factory=lambda: defaultdict(asyncio.Event)
    )
    _numbers: Any = field(default_factory=itertools.count)

    async def play(self, text: str = REQUEST) -> Played:
        """Take one goal from its message to its end; the person approves at once.

        Raises:
            GoalStuckError: it did not end as done.
        """
        ts = f"{next(self._numbers)}.000"
        await self.parts.services.goals.receive(
            IncomingMessage(
                team_id=TEAM,
                person_id=DANA,
                channel_id="D0BENCH",
                ts=ts,
                thread_ts=None,
                text=text,
                is_dm=True,
            )
        )
        goal = await self._look("source_key", f"message:D0BENCH:{ts}")
        goal = await self._until(goal.id, GoalStatus.PROPOSED)
        answer = await self.parts.services.plans.run(Click(TEAM, DANA), goal.id, goal.plan_version)
        if not answer.ok:
            raise GoalStuckError(answer.text)
        return await self._until(goal.id, GoalStatus.DONE)

    async def _until(self, goal_id: int, status: GoalStatus) -> Played:
        goal = await self._look("id", goal_id)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while goal.status is not status:
                    event = self.moved[goal_id]
                    await event.wait()
                    event.clear()
                    goal = await self._look("id", goal_id)
        except TimeoutError as error:
            raise GoalStuckError(f"{goal.status}: {goal.reason}") from error
        return goal

    async def _look(self, column: str, value: object) -> Played:
        """Return how a goal stands, at next to no cost: looking on is no part of the work."""
        found = await self.watch.execute(
            "SELECT id, plan_version, status, reason FROM goals "  # noqa: S608 -- our own names
            f"WHERE team_id = '{TEAM}' AND {column} = %s".encode(),
            [value],
        )
        row = await found.fetchone()
        assert row is not None
        return Played(row[0], row[1], GoalStatus(row[2]), row[3])

    def jobs(self) -> tuple[Job, ...]:
        """Return the app's jobs, which tell when they are done; cards are not drawn."""
        told = {"drive", "plan_goal"}
        return tuple(
            replace(job, body=self._telling(job) if job.name in told else _nothing)
            for job in self.parts.jobs
        )

    def _telling(self, job: Job) -> Any:
        async def body(team_id: str, goal_id: int) -> None:
            await job.body(team_id, goal_id)
            self.moved[goal_id].set()

        return body


def _drawn_by_nobody(_team_id: str, _channel_id: str) -> None:
    """Leave a redraw that nobody waits for to a pump that is not here."""


async def _nothing(**_arguments: Any) -> None:
    """Do nothing, at the cost of a job."""


@asynccontextmanager
async def open_rig(
    database_url: str,
    *,
    model_url: str,
    connector: Connector = OFFICE,
    works: bool = True,
    concurrency: int = CONCURRENCY,
) -> AsyncIterator[Rig]:
    """Yield a rig whose worker runs until the end of the block, so many jobs at once."""
    settings = Settings.model_validate(
        {
            "slack_bot_token": "xoxb-0",
            "slack_signing_secret": "0",
            "countersign_url": "http://127.0.0.1:9",
            "countersign_encryption_key": base64.b64encode(bytes(32)).decode(),
            "openai_base_url": model_url,
        }
    )
    database = Database(database_url)
    database.calm_redraws = _drawn_by_nobody
    connections = _connections(settings, database, connector)
    try:
        async with (
            open_planners(settings, connections.registry, database) as planners,
            await psycopg.AsyncConnection.connect(conninfo(database_url), autocommit=True) as watch,
            asyncio.TaskGroup() as group,
        ):
            async with database.transaction() as tx:
                await _people(tx)
            parts = Parts(
                clock=DatabaseClock(),
                settings=settings,
                database=database,
                connections=connections,
                client=AsyncWebClient(token="xoxb-0"),  # noqa: S106 -- never sent anywhere
                installation=Installation(TEAM, "Bench", "U0BOT", None, "xoxb-0"),
                planner=planners.planner,
                reader=planners.reader,
            )
            rig = Rig(database, parts, watch)
            working = group.create_task(_work(rig, database_url, concurrency)) if works else None
            yield rig
            if working is not None:
                working.cancel()
    finally:
        await connections.close()
        await database.close()


def _connections(settings: Settings, database: Database, connector: Connector) -> Connections:
    wired = build_connections(settings, database)
    registry = Registry((connector, BUILTINS))
    executor = Executor(
        registry=registry,
        clients=ConnectionClients(
            database=database, clients=wired.clients, providers=wired.providers
        ),
        database=database,
        timeout_s=settings.countersign_call_timeout_s,
    )
    return replace(wired, registry=registry, executor=executor)


async def _work(rig: Rig, database_url: str, concurrency: int) -> None:
    worker = Worker(
        conninfo=conninfo(database_url),
        jobs=rig.jobs(),
        concurrency=concurrency,
        name="bench",
    )
    await worker.run()


async def _people(tx: Transaction) -> None:
    await tx.people.upsert_team(team_id=TEAM, name="Bench", bot_user_id="U0BOT")
    facts = PersonFacts(
        name="Dana Reyes",
        email="dana@northwind.example",
        zone="Europe/Berlin",
        role=Role.MEMBER,
        is_guest=False,
        is_bot=False,
        is_active=True,
    )
    await tx.people.upsert(TEAM, DANA, facts)
