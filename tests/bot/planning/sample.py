# ruff: noqa: E501 -- phrasings are read best on one line
"""A small CRM and calendar, declared as connectors declare them; planners only read declarations.

The planners' own tests use it so that they do not move with a provider's details; the phrasings
of the real connectors are planned in `test_real_examples.py`.
"""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, field_validator

from bot.builtins import BUILTINS
from connectors.actions import (
    Action,
    Arg,
    Arguments,
    Effect,
    Example,
    Idempotency,
    Lookup,
    Out,
    Preview,
    Result,
    Slot,
    UndoCall,
    always,
    needs,
)
from connectors.labels import Label
from connectors.registry import Connector, Registry

Stage = Literal["appointmentscheduled", "contractsent", "closedwon", "closedlost"]
STAGES = {
    "appointment scheduled": "appointmentscheduled",
    "contract sent": "contractsent",
    "closed won": "closedwon",
    "won": "closedwon",
    "closed lost": "closedlost",
    "lost": "closedlost",
}


class Query(Arguments):
    query: Annotated[str, Arg(title="Query")]


class DealQuery(Arguments):
    query: Annotated[str | None, Arg(title="Query")] = None
    company: Annotated[str | None, Arg(title="Company")] = None


class Company(Result):
    id: Annotated[str, Out(Label.RECORD, id_kind="crm.company")]
    name: Annotated[str, Out(Label.RECORD)]


class Companies(Result):
    companies: list[Company]
    total: Annotated[int, Out(Label.RECORD)]


class Deal(Result):
    id: Annotated[str, Out(Label.RECORD, id_kind="crm.deal")]
    name: Annotated[str, Out(Label.RECORD)]
    amount: Annotated[str | None, Out(Label.RECORD)]
    company_ids: Annotated[list[str], Out(Label.RECORD, id_kind="crm.company")]


class Deals(Result):
    deals: list[Deal]


class Contact(Result):
    id: Annotated[str, Out(Label.RECORD, id_kind="crm.contact")]
    email: Annotated[str, Out(Label.OUTSIDE)]


class Contacts(Result):
    contacts: list[Contact]


class NewContact(Arguments):
    email: Annotated[str, Arg(title="E-mail")]
    company_id: Annotated[str | None, Arg(title="Company", id_kind="crm.company")] = None


class NewDeal(Arguments):
    name: Annotated[str, Arg(title="Name")]
    amount: Annotated[str | None, Arg(title="Amount")] = None
    currency: Annotated[str | None, Arg(title="Currency")] = None
    company_id: Annotated[str | None, Arg(title="Company", id_kind="crm.company")] = None
    stage: Annotated[Stage | None, Arg(title="Stage")] = None

    @field_validator("amount")
    @classmethod
    def _is_money(cls, value: str | None) -> str | None:
        if value is not None and not value.replace(".", "", 1).isdigit():
            raise ValueError("write the amount as digits, such as 48000.00")
        return value


class DealChange(Arguments):
    deal_id: Annotated[str, Arg(title="Deal", id_kind="crm.deal")]
    stage: Annotated[Stage | None, Arg(title="Stage")] = None
    amount: Annotated[str | None, Arg(title="Amount")] = None


class EventQuery(Arguments):
    start: Annotated[AwareDatetime, Arg(title="From")]
    end: Annotated[AwareDatetime, Arg(title="Until")]
    query: Annotated[str | None, Arg(title="Query")] = None


class Event(Result):
    id: Annotated[str, Out(Label.RECORD, id_kind="calendar.event")]
    title: Annotated[str, Out(Label.OUTSIDE)]
    start: Annotated[AwareDatetime, Out(Label.OUTSIDE)]


class Events(Result):
    events: list[Event]


class NewEvent(Arguments):
    title: Annotated[str, Arg(title="Title")]
    start: Annotated[AwareDatetime, Arg(title="Start")]
    end: Annotated[AwareDatetime, Arg(title="End")]
    zone: Annotated[str, Arg(title="Time zone")]
    attendees: Annotated[
        list[Annotated[str, Arg(title="Guest", recipient=True)]], Arg("Guests")
    ] = Field(default=[])
    location: Annotated[str | None, Arg(title="Location")] = None


class EventChange(Arguments):
    event_id: Annotated[str, Arg(title="Event", id_kind="calendar.event")]
    start: Annotated[AwareDatetime | None, Arg(title="Start")] = None


class EventOnly(Arguments):
    event_id: Annotated[str, Arg(title="Event", id_kind="calendar.event")]


class Done(Result):
    id: Annotated[str, Out(Label.RECORD)]


async def _not_run(_context: object, _arguments: object) -> Result:
    raise AssertionError("planning runs nothing")


def sample_action(
    connector: str,
    name: str,
    summary: str,
    shape: type[Arguments],
    result: type[Result],
    *examples: Example,
    effect: Effect = Effect.SHARED,
) -> Action:
    read = effect is Effect.READ
    return Action(
        connector=connector,
        name=name,
        summary=summary,
        arguments=shape,
        result=result,
        effect=always(effect),
        scopes=needs(),
        idempotency=Idempotency.READ if read else Idempotency.KEYED,
        run=_not_run,
        preview=_preview,
        undo=None if read else _undo,
        examples=examples,
    )


def _preview(_arguments: Any, _context: object) -> Preview:
    return Preview(sentence="sample")


def _undo(_arguments: Any, _result: Any, _before: Any) -> UndoCall | None:
    return None


COMPANY = Lookup("search_companies", {"query": "{company}"}, ("companies", 0, "id"))
DEAL = Lookup("search_deals", {"query": "{deal}"}, ("deals", 0, "id"))
EVENT = Lookup(
    "list_events",
    {"query": "{event}", "start": "{day.start}", "end": "{day.end}"},
    ("events", 0, "id"),
)
OF_COMPANY: dict[str, Any] = {"slots": {"company": Slot.NAME}, "fills": {"company": "{company}"}}
DEAL_PARTS = ("(called|named) {name}", "(in|at) stage {stage}")
DEAL_SLOTS = {"company": Slot.NAME, "amount": Slot.MONEY, "name": Slot.TEXT, "stage": Slot.CHOICE}
DEAL_FILLS: dict[str, Any] = {
    "name": ("{name}", "{company}"),
    "amount": "{amount.amount}",
    "currency": "{amount.currency}",
    "stage": "{stage}",
    "company_id": COMPANY,
}
MOVE: dict[str, Any] = {
    "slots": {"deal": Slot.TEXT, "stage": Slot.CHOICE},
    "choices": {"stage": STAGES},
    "fills": {"deal_id": DEAL, "stage": "{stage}"},
}
CONTACT: dict[str, Any] = {
    "slots": {"email": Slot.EMAIL, "company": Slot.NAME},
    "parts": ("(at|for|with|of) {company}",),
    "fills": {"email": "{email}", "company_id": COMPANY},
}
DAY: dict[str, Any] = {
    "slots": {"day": Slot.PERIOD},
    "fills": {"start": "{day.start}", "end": "{day.end}"},
}
BOOK: dict[str, Any] = {
    "slots": {
        "title": Slot.TEXT,
        "attendees": Slot.EMAILS,
        "when": Slot.WHEN,
        "duration": Slot.DURATION,
    },
    "fills": {
        "title": "{title}",
        "start": "{when.start}",
        "end": "{when.end}",
        "zone": "{zone}",
        "attendees": "{attendees}",
    },
    "asks": {
        "start": "On which day and at what time should it start?",
        "end": "How long should it take?",
        "title": "What should it be called?",
    },
}
BOOK_WORDS = "(book|schedule|set up|plan|arrange)"
LIST = "(show|list|find|get|give)"

CRM = Connector(
    "crm",
    "CRM",
    None,
    (
        sample_action(
            "crm",
            "search_companies",
            "Find companies",
            Query,
            Companies,
            Example(
                "(find|show|look up|search for) [me] [the] company [called|named] {company}",
                slots={"company": Slot.NAME},
                fills={"query": "{company}"},
                shown="Find the company Acme",
            ),
            effect=Effect.READ,
        ),
        sample_action(
            "crm",
            "search_deals",
            "Find deals",
            DealQuery,
            Deals,
            Example(
                "(which|what) deals does {company} have",
                **OF_COMPANY,
                shown="Which deals does Acme have?",
            ),
            Example(
                "(which|what) deals (do we have|are there) (with|for|at) {company}", **OF_COMPANY
            ),
            Example(
                f"{LIST} [me] [all] [the|our] deals (of|for|with|at|from) {{company}}", **OF_COMPANY
            ),
            Example(f"{LIST} [me] {{company}} deals", **OF_COMPANY),
            Example("find [the] {deal} deal", slots={"deal": Slot.TEXT}, fills={"query": "{deal}"}),
            effect=Effect.READ,
        ),
        sample_action(
            "crm",
            "search_contacts",
            "Find contacts",
            Query,
            Contacts,
            Example(
                "(find|show|look up|search for) [me] [the] contact [called|named] {person}",
                slots={"person": Slot.NAME},
                fills={"query": "{person}"},
                shown="Find the contact Jane Doe",
            ),
            effect=Effect.READ,
        ),
        sample_action(
            "crm",
            "create_contact",
            "Add a contact",
            NewContact,
            Done,
            Example(
                "(add|create|save) {email} as [a] [new] contact",
                **CONTACT,
                shown="Add jane.doe@acme.example as a contact at Acme",
            ),
            Example("(add|create|save) [a|the] [new] contact [for] {email}", **CONTACT),
        ),
        sample_action(
            "crm",
            "create_deal",
            "Create a deal",
            NewDeal,
            Done,
            Example(
                "(create|add|make|open|set up) [a|the] [new] deal (for|with|at) {company}",
                slots=DEAL_SLOTS,
                fills=DEAL_FILLS,
                choices={"stage": STAGES},
                parts=("(worth|of|over|valued at|for) {amount}", *DEAL_PARTS),
                shown="Create a deal for Acme worth $48,000",
            ),
            Example(
                "(create|add|make|open|set up) [a|an|the] [new] {amount} deal (for|with|at) {company}",
                slots=DEAL_SLOTS,
                fills=DEAL_FILLS,
                choices={"stage": STAGES},
                parts=DEAL_PARTS,
            ),
        ),
        sample_action(
            "crm",
            "update_deal",
            "Change a deal",
            DealChange,
            Done,
            Example(
                "(move|set|put|change|update) [the|our] {deal} deal (to|into) [stage] {stage}",
                **MOVE,
                shown="Move the Acme pilot deal to contract sent",
            ),
            Example("mark [the|our] {deal} deal [as] {stage}", **MOVE),
            Example(
                "(set|change|update|raise|lower) [the] (amount|value) of [the] {deal} deal to {amount}",
                slots={"deal": Slot.TEXT, "amount": Slot.MONEY},
                fills={"deal_id": DEAL, "amount": "{amount.amount}"},
            ),
        ),
    ),
)

CALENDAR = Connector(
    "calendar",
    "Calendar",
    None,
    (
        sample_action(
            "calendar",
            "list_events",
            "Look into my calendar",
            EventQuery,
            Events,
            Example(
                "(what's|what is|whats) on my calendar {day}",
                **DAY,
                shown="What's on my calendar tomorrow?",
            ),
            Example(f"{LIST} [me] (my|the) (calendar|events|meetings) [for|on|of] {{day}}", **DAY),
            Example("(which|what) (meetings|events|appointments) do i have {day}", **DAY),
            Example("do i have [any] (meetings|events) {day}", **DAY),
            effect=Effect.READ,
        ),
        sample_action(
            "calendar",
            "create_event",
            "Create an event",
            NewEvent,
            Done,
            Example(
                f"{BOOK_WORDS} [a|an|the] [new] {{duration}} {{title}}",
                **BOOK,
                parts=("with {attendees}", "{when}"),
                shown="Book a 30 minute kickoff with jane.doe@acme.example next Tuesday at 10",
            ),
            Example(
                f"{BOOK_WORDS} [a|an|the] [new] {{title}}",
                **BOOK,
                parts=("with {attendees}", "{when}", "for {duration}"),
            ),
            Example(
                "(block|reserve|keep) [out] {duration}",
                **BOOK,
                parts=("{when}", "(for|to work on) [the|a|an|my] {title}"),
                shown="Block an hour tomorrow at 9 for the report",
            ),
            Example(
                "(block|reserve|keep) {when}",
                **BOOK,
                parts=("for [the|a|an|my] {title}", "for {duration}", "{when}"),
            ),
            Example(
                "invite {attendees} to [a|an|the] [{duration}] {title}",
                **BOOK,
                parts=("{when}", "for {duration}"),
            ),
            effect=Effect.OWN,
        ),
        sample_action(
            "calendar",
            "update_event",
            "Move an event",
            EventChange,
            Done,
            Example(
                "(move|reschedule|shift) [my|the] {event} [event|meeting] (on|of|from) {day} to {when}",
                slots={"event": Slot.TEXT, "day": Slot.PERIOD, "when": Slot.WHEN},
                fills={"event_id": EVENT, "start": "{when.start}"},
            ),
            effect=Effect.OWN,
        ),
        sample_action(
            "calendar",
            "cancel_event",
            "Cancel an event",
            EventOnly,
            Done,
            Example(
                "(cancel|delete|remove|call off) [my|the] {event} (event|meeting) (on|of) {day}",
                slots={"event": Slot.TEXT, "day": Slot.PERIOD},
                fills={"event_id": EVENT},
                shown="Cancel the kickoff event on Friday",
            ),
            effect=Effect.OWN,
        ),
    ),
)

REGISTRY = Registry([CRM, CALENDAR, BUILTINS])
