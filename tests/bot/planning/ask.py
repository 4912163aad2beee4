"""How the planner tests ask, and how they write an expected plan down."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from bot.planning.offline.planner import OfflinePlanner
from bot.planning.outcome import Clarification, PlanOutcome, PlanRequest
from bot.planning.parse.addresses import Colleague
from bot.planning.valid import ValidPlan, read_ref
from tests.bot.planning.sample import REGISTRY

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=ZONE)
"""A Saturday."""

PEOPLE = (
    Colleague("U2", "Mo Haddad", "mo@countersign.example"),
    Colleague("U3", "Kim Berg", "kim@countersign.example"),
)

Step = tuple[str, dict[str, JsonValue]]
"""An action's name and its arguments without nulls and empty lists; references as dotted text."""

PLANNER = OfflinePlanner(REGISTRY)


def request(
    text: str, *, now: datetime = NOW, clarifications: tuple[Clarification, ...] = ()
) -> PlanRequest:
    return PlanRequest(
        text=text,
        zone=ZONE,
        now=now,
        person_name="Dana",
        team_id="T1",
        goal_id=7,
        people=PEOPLE,
        clarifications=clarifications,
    )


async def offline(text: str, **options: Any) -> PlanOutcome:
    return await PLANNER.plan(request(text, **options))


def steps(plan: ValidPlan) -> list[Step]:
    """Return a plan as its tasks' actions and what was given to them."""
    found: list[Step] = []
    for task in plan.tasks:
        given: dict[str, JsonValue] = {
            name: str(ref) if (ref := read_ref(value)) else value
            for name, value in task.arguments.items()
            if value not in (None, [])
        }
        found.append((task.action.rpartition(".")[2], given))
    return found


def answer(question: str, rows: str) -> Step:
    return ("answer", {"question": question, "rows": rows})


def deals_of(company: str, question: str) -> list[Step]:
    return [("search_deals", {"company": company}), answer(question, "t1.deals")]


def new_deal(company: str, **more: JsonValue) -> list[Step]:
    given: dict[str, JsonValue] = {"name": company, "company_id": "t1.companies.0.id", **more}
    return [("search_companies", {"query": company}), ("create_deal", given)]


def changed_deal(deal: str, **more: JsonValue) -> list[Step]:
    given: dict[str, JsonValue] = {"deal_id": "t1.deals.0.id", **more}
    return [("search_deals", {"query": deal}), ("update_deal", given)]


def event(title: str, start: str, end: str, *attendees: str) -> Step:
    """Return an event in the requester's zone in winter: `start` as "24T10:00" of November."""
    given: dict[str, JsonValue] = {
        "title": title,
        "start": instant(start),
        "end": instant(end),
        "zone": "Europe/Berlin",
    }
    return ("create_event", {**given, "attendees": list(attendees)} if attendees else given)


def instant(short: str) -> str:
    day = short if short.count("-") else f"2026-11-{short}"
    return f"{day}:00+01:00"


def events(start: str, end: str, **more: JsonValue) -> Step:
    given: dict[str, JsonValue] = {
        "start": instant(f"{start}T00:00"),
        "end": instant(f"{end}T00:00"),
    }
    return ("list_events", {**given, **more})


def ids(texts: Iterable[str]) -> list[str]:
    """Return readable, unique test ids."""
    return [f"{number:02}-{text[:40]!a}" for number, text in enumerate(texts)]
