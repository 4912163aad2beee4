"""A goal of two steps, one of them countersigned, and a client of the web app."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from approvals.policy import Policy
from bot.engine.card_queries import CardQueries
from bot.engine.forecast import Forecaster
from bot.goals.clicks import Answer, Click
from bot.goals.lifecycle import move_goal, move_task
from bot.goals.links import LinkService
from bot.web.app import build_web
from connectors.google_calendar.actions import CONNECTOR as GOOGLE_CALENDAR
from connectors.hubspot.actions import CONNECTOR as HUBSPOT
from connectors.registry import Registry
from storage.database import Database, Transaction
from storage.repositories.people import PersonFacts
from storage.tables.approvals import ApprovalStatus, Verdict
from storage.tables.goals import GoalStatus, TaskStatus
from storage.tables.people import Role

TEAM = "T0NORTH"
DANA, MO, ADA, EVE = "U0DANA", "U0MO", "U0ADA", "U0EVE"
URL = "http://countersign.test"
WORDS = "Create a deal for Acme worth $48,000 and book a kickoff with jane.doe@acme.example"


@dataclass
class Site:
    """The web app, and a goal to look at."""

    database: Database
    client: httpx2.AsyncClient
    goal_id: int = 0

    async def link(self, person_id: str) -> Answer:
        service = LinkService(database=self.database, public_url=URL)
        return await service.goal_page(Click(TEAM, person_id), self.goal_id)

    async def page(self, person_id: str) -> httpx2.Response:
        answer = await self.link(person_id)
        assert answer.url is not None
        return await self.client.get(answer.url.removeprefix(URL))


async def _add_people(database: Database) -> None:
    async with database.transaction() as tx:
        for person_id, name, role in (
            (DANA, "Dana Reyes", Role.MEMBER),
            (MO, "Mo Haddad", Role.APPROVER),
            (ADA, "Ada Lindqvist", Role.ADMIN),
            (EVE, "Eve Else", Role.MEMBER),
        ):
            facts = PersonFacts(
                name=name,
                email=None,
                zone="Europe/Berlin",
                role=role,
                is_guest=False,
                is_bot=False,
                is_active=True,
            )
            await tx.people.upsert(TEAM, person_id, facts)


_STEPS: tuple[tuple[str, str, dict[str, Any], dict[str, Any]], ...] = (
    (
        "t1",
        "hubspot.create_deal",
        {
            "sentence": "Create the deal “Acme”, $48,000.00",
            "notifies": None,
            "details": [
                {"name": "Name", "value": "Acme", "before": None, "pointer": "/name"},
                {"name": "Amount", "value": "$48,000.00", "before": None, "pointer": "/amount"},
                {"name": "Company", "value": "Acme Ltd", "before": None, "pointer": "/company_id"},
            ],
        },
        {
            "/name": {"label": "message", "source": "Acme"},
            "/amount": {"label": "message", "source": "$48,000"},
            "/company_id": {"label": "record", "source": "t0.companies.0.id"},
        },
    ),
    (
        "t2",
        "google_calendar.create_event",
        {
            "sentence": "Invite jane.doe@acme.example to “Kickoff”, Tue 24 Nov 10:00 CET",
            "notifies": "Google Calendar mails jane.doe@acme.example",
            "details": [
                {"name": "Title", "value": "Kickoff <b>", "before": None, "pointer": "/title"},
                {
                    "name": "Guests",
                    "value": "jane.doe@acme.example",
                    "before": None,
                    "pointer": "/attendees",
                },
            ],
        },
        {
            "/title": {"label": "model", "source": "gpt"},
            "/attendees/0": {"label": "outside", "source": "t0.contacts.0.email"},
        },
    ),
)


async def _add_goal(database: Database) -> int:
    async with database.transaction() as tx:
        goal_id = await tx.goals.add(
            team_id=TEAM,
            requester_id=DANA,
            channel_id="D0DANA",
            thread_ts="1.0",
            source_key="1.0",
            text=WORDS,
        )
        assert goal_id is not None
        goal = await tx.goals.lock(TEAM, goal_id)
        await tx.audit.record(
            team_id=TEAM, tag="slack:goal:receive", actor=DANA, goal_id=goal_id, data={}
        )
        for to in (GoalStatus.PLANNING, GoalStatus.PROPOSED):
            await move_goal(tx, goal, to=to)
        await tx.goals.add_plan(goal, body={"say": "", "tasks": []}, author="offline")
        await move_goal(tx, goal, to=GoalStatus.RUNNING, actor=DANA)
        for position, (key, action, preview, labels) in enumerate(_STEPS):
            await _add_step(tx, goal_id, position, key, action, preview, labels)
        return goal_id


async def _add_step(
    tx: Transaction,
    goal_id: int,
    position: int,
    key: str,
    action: str,
    preview: dict[str, Any],
    labels: dict[str, Any],
) -> None:
    row = {
        "team_id": TEAM,
        "goal_id": goal_id,
        "key": key,
        "position": position,
        "plan_version": 1,
        "action": action,
        "spec": {},
        "depends_on": [],
        "status": TaskStatus.READY,
        "tries": 0,
    }
    await tx.tasks.add_many([row])
    task = (await tx.tasks.list_(TEAM, goal_id))[-1]
    call = {
        "task_id": task.id,
        "hash": key * 32,
        "body": {},
        "labels": labels,
        "preview": preview,
    }
    call_id = (await tx.calls.add_many(TEAM, goal_id, [call]))[task.id]
    await tx.tasks.update(TEAM, task.id, call_id=call_id)
    task = await tx.tasks.get(TEAM, task.id)
    if key == "t2":
        await move_task(tx, task, to=TaskStatus.NEEDS_APPROVAL)
        await _ask(tx, goal_id, task.id, call_id)


async def _ask(tx: Transaction, goal_id: int, task_id: int, call_id: int) -> None:
    approval_id = await tx.approvals.add(
        team_id=TEAM,
        goal_id=goal_id,
        plan_version=1,
        policy_version="1",
        rule="tier-irreversible",
        ask={"people": [MO], "requester_may_decide": False, "why": "", "alone": False},
        deadline_s=24 * 3600.0,
        calls=[(task_id, call_id, "t2" * 32)],
    )
    (item,) = await tx.approvals.list_items(TEAM, approval_id)
    await tx.approvals.move_item(item, to=ApprovalStatus.REJECTED, reason="too early")
    await tx.approvals.add_decision(
        item=item, person_id=MO, verdict=Verdict.REJECT, reason="Wait for <legal>"
    )


@pytest.fixture
def cards() -> CardQueries:
    registry = Registry([HUBSPOT, GOOGLE_CALENDAR])
    forecaster = Forecaster(registry=registry, policy=Policy.parse("version: 1"))
    return CardQueries(registry=registry, forecaster=forecaster)


@pytest.fixture
async def site(database: Database, cards: CardQueries) -> AsyncIterator[Site]:
    app = build_web(database=database, cards=cards)
    await _add_people(database)
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url=URL, trust_env=False
    ) as client:
        yield Site(database, client, await _add_goal(database))
