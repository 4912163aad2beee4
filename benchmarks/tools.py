"""The tools of the compared goal: typed functions in this process, which answer at once.

The goal is that of the comparison: three reads side by side, two that need their results, one write
that a person approves, and a closing sentence. There is no provider behind it and no HTTP, so that
what is measured is the engine's own cost; the plain loop calls the very same functions.
"""

from collections import Counter
from typing import Annotated, Any

from connectors.actions import (
    Action,
    Arg,
    Arguments,
    Detail,
    Effect,
    Idempotency,
    Out,
    Preview,
    PreviewContext,
    Result,
    RunContext,
    UndoCall,
    always,
    needs,
)
from connectors.labels import Label
from connectors.registry import Connector

NAME = "office"
done: Counter[str] = Counter()
"""How often each tool ran; a write that is missing or doubled shows here."""


class Named(Arguments):
    name: Annotated[str, Arg(title="Name")]


class DayOf(Arguments):
    day: Annotated[str, Arg(title="Day")]


class DealsOf(Arguments):
    company_id: Annotated[str, Arg(title="Company", id_kind="office.company")]


class RoomFor(Arguments):
    slot_id: Annotated[str, Arg(title="Slot", id_kind="office.slot")]
    seats: Annotated[int, Arg(title="Seats")]


class Meeting(Arguments):
    deal_id: Annotated[str, Arg(title="Deal", id_kind="office.deal")]
    contact_id: Annotated[str, Arg(title="Contact", id_kind="office.contact")]
    room_id: Annotated[str, Arg(title="Room", id_kind="office.room")]
    title: Annotated[str, Arg(title="Title")]


class Company(Result):
    id: Annotated[str, Out(Label.RECORD, id_kind="office.company")]
    name: Annotated[str, Out(Label.RECORD)]
    note: Annotated[str, Out(Label.OUTSIDE)]


class Contact(Result):
    id: Annotated[str, Out(Label.RECORD, id_kind="office.contact")]
    name: Annotated[str, Out(Label.RECORD)]
    email: Annotated[str, Out(Label.OUTSIDE)]


class FreeSlot(Result):
    id: Annotated[str, Out(Label.RECORD, id_kind="office.slot")]
    start: Annotated[str, Out(Label.RECORD)]


class Deal(Result):
    id: Annotated[str, Out(Label.RECORD, id_kind="office.deal")]
    name: Annotated[str, Out(Label.RECORD)]
    amount: Annotated[str, Out(Label.RECORD)]


class Room(Result):
    id: Annotated[str, Out(Label.RECORD, id_kind="office.room")]
    name: Annotated[str, Out(Label.RECORD)]


class Booked(Result):
    id: Annotated[str, Out(Label.RECORD, id_kind="office.meeting")]
    title: Annotated[str, Out(Label.RECORD)]


async def find_company(_context: RunContext | None, arguments: Named) -> Company:
    done["find_company"] += 1
    note = "Buys twice a year; asked for a workshop in spring. " * 4
    return Company(id="company-1", name=arguments.name, note=note)


async def find_contact(_context: RunContext | None, arguments: Named) -> Contact:
    done["find_contact"] += 1
    return Contact(id="contact-1", name=arguments.name, email="jane.doe@acme.example")


async def find_free_slot(_context: RunContext | None, arguments: DayOf) -> FreeSlot:
    done["find_free_slot"] += 1
    return FreeSlot(id="slot-1", start=f"{arguments.day}T10:00:00+01:00")


async def find_open_deal(_context: RunContext | None, arguments: DealsOf) -> Deal:
    done["find_open_deal"] += 1
    return Deal(id=f"deal-of-{arguments.company_id}", name="Workshop", amount="48000.00")


async def find_room(_context: RunContext | None, arguments: RoomFor) -> Room:
    done["find_room"] += 1
    return Room(id=f"room-for-{arguments.slot_id}", name="Elbe")


async def book_meeting(_context: RunContext | None, arguments: Meeting) -> Booked:
    done["book_meeting"] += 1
    return Booked(id="meeting-1", title=arguments.title)


def _preview(arguments: Any, _context: PreviewContext) -> Preview:
    details = tuple(
        Detail(name, str(value), pointer=f"/{name}")
        for name, value in arguments.model_dump(mode="json").items()
    )
    return Preview(type(arguments).__name__, details)


def _undo(_arguments: Any, _result: Any, _before: Any) -> UndoCall | None:
    return None


def _read(run: Any, summary: str, arguments: type[Arguments], result: type[Result]) -> Action:
    return Action(
        connector=NAME,
        name=run.__name__,
        summary=summary,
        arguments=arguments,
        result=result,
        effect=always(Effect.READ),
        scopes=needs(),
        idempotency=Idempotency.READ,
        run=run,
        preview=_preview,
    )


READS = (
    _read(find_company, "Find a company by name", Named, Company),
    _read(find_contact, "Find a contact by name", Named, Contact),
    _read(find_free_slot, "Find the first free half hour of a day", DayOf, FreeSlot),
    _read(find_open_deal, "Find the open deal of a company", DealsOf, Deal),
    _read(find_room, "Find a free room for a slot", RoomFor, Room),
)
WRITE = Action(
    connector=NAME,
    name="book_meeting",
    summary="Book a meeting about a deal with a contact in a room",
    arguments=Meeting,
    result=Booked,
    effect=always(Effect.SHARED),
    scopes=needs(),
    idempotency=Idempotency.KEYED,
    run=book_meeting,
    preview=_preview,
    undo=_undo,
)
OFFICE = Connector(name=NAME, title="Office", manifest=None, actions=(*READS, WRITE))

REQUEST = (
    "Book a meeting about Acme's open deal with Jane Doe on 2027-01-12, in a room for four, "
    "and call it Workshop"
)


def plan() -> dict[str, Any]:
    """Return the plan that the scripted model makes of `REQUEST`."""
    return {
        "say": "I look things up and book the meeting.",
        "tasks": [
            _task("t1", "find_company", name="Acme"),
            _task("t2", "find_contact", name="Jane Doe"),
            _task("t3", "find_free_slot", day="2027-01-12"),
            _task("t4", "find_open_deal", company_id=_ref("t1")),
            _task("t5", "find_room", slot_id=_ref("t3"), seats=4),
            _task(
                "t6",
                "book_meeting",
                deal_id=_ref("t4"),
                contact_id=_ref("t2"),
                room_id=_ref("t5"),
                title="Workshop",
            ),
        ],
        "writes": [],
        "question": None,
        "final": True,
    }


def turns() -> list[list[tuple[str, dict[str, Any]]]]:
    """Return the calls that the scripted model makes turn by turn in the plain loop."""
    return [
        [
            ("find_company", {"name": "Acme"}),
            ("find_contact", {"name": "Jane Doe"}),
            ("find_free_slot", {"day": "2027-01-12"}),
        ],
        [
            ("find_open_deal", {"company_id": "company-1"}),
            ("find_room", {"slot_id": "slot-1", "seats": 4}),
        ],
        [
            (
                "book_meeting",
                {
                    "deal_id": "deal-of-company-1",
                    "contact_id": "contact-1",
                    "room_id": "room-for-slot-1",
                    "title": "Workshop",
                },
            )
        ],
    ]


def _ref(task: str) -> dict[str, Any]:
    return {"task": task, "path": ["id"]}


def _task(key: str, action: str, **arguments: Any) -> dict[str, Any]:
    return {
        "id": key,
        "call": {action: arguments},
        "after": [],
        "for_each": None,
        "when": None,
        "wait": None,
        "why": "It is asked for.",
    }
