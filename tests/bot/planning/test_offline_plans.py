# ruff: noqa: E501, RUF001 -- tables of messages as people type them, one a line
import pytest

from bot.planning.outcome import Planned
from tests.bot.planning.ask import (
    Step,
    answer,
    changed_deal,
    deals_of,
    event,
    events,
    ids,
    instant,
    new_deal,
    offline,
    steps,
)

JANE = "jane.doe@acme.example"
BOB = "bob@globex.example"
USD = {"currency": "USD"}


def contact(email: str, company: str) -> list[Step]:
    return [
        ("search_companies", {"query": company}),
        ("create_contact", {"email": email, "company_id": "t1.companies.0.id"}),
    ]


PLANS: list[tuple[str, list[Step]]] = [
    # Deals of a company.
    ("Which deals does Acme have?", deals_of("Acme", "Which deals does Acme have?")),
    ("which deals does acme have", deals_of("acme", "which deals does acme have")),
    ("What deals does Globex Corp have?", deals_of("Globex Corp", "What deals does Globex Corp have?")),
    ("Please show me all deals for Acme", deals_of("Acme", "show me all deals for Acme")),
    ("List our deals with Procter & Gamble", deals_of("Procter & Gamble", "List our deals with Procter & Gamble")),
    ("Give me Acme deals", deals_of("Acme", "Give me Acme deals")),
    ("Hi, what deals are there at Acme?", deals_of("Acme", "what deals are there at Acme?")),
    ("Whihc deals does Acme have?", deals_of("Acme", "Whihc deals does Acme have?")),
    ('Show deals of "Die 3 Könige"', deals_of("Die 3 Könige", 'Show deals of "Die 3 Könige"')),
    # Records.
    ("Find the Acme pilot deal", [("search_deals", {"query": "Acme pilot"}), answer("Find the Acme pilot deal", "t1.deals")]),
    ("Find the company Acme", [("search_companies", {"query": "Acme"}), answer("Find the company Acme", "t1.companies")]),
    ("look up the company called Bank of the West", [("search_companies", {"query": "Bank of the West"}), answer("look up the company called Bank of the West", "t1.companies")]),
    ("Find the contact Jane Doe", [("search_contacts", {"query": "Jane Doe"}), answer("Find the contact Jane Doe", "t1.contacts")]),
    # New deals, money in every spelling.
    ("Create a deal for Acme", new_deal("Acme")),
    ("Create a deal for Acme worth $48,000", new_deal("Acme", amount="48000.00", **USD)),
    ("create a deal for Acme worth 48k EUR", new_deal("Acme", amount="48000.00", currency="EUR")),
    ("Create a deal for Acme worth 48.000 €", new_deal("Acme", amount="48000.00", currency="EUR")),
    ("Create a deal for Acme worth 48 000 €", new_deal("Acme", amount="48000.00", currency="EUR")),
    ("Create a deal for Acme over €1.500,50", new_deal("Acme", amount="1500.50", currency="EUR")),
    ("Create a deal for Acme of USD 1,500,000", new_deal("Acme", amount="1500000.00", **USD)),
    ("Create a deal for Acme for 1.5 million dollars", new_deal("Acme", amount="1500000.00", **USD)),
    ("Create a deal for Acme worth 2m pounds", new_deal("Acme", amount="2000000.00", currency="GBP")),
    ("Create a deal for Acme worth CHF 3'000", new_deal("Acme", amount="3000.00", currency="CHF")),
    ("Create a deal for Acme worth 48000", new_deal("Acme", amount="48000.00")),
    ("Add a new $5k deal with Globex", new_deal("Globex", amount="5000.00", **USD)),
    ("open a deal at Bank of the West", new_deal("Bank of the West")),
    ("Create a deal for acme gmbh", new_deal("acme gmbh")),
    ("Create a deal for 3M worth $10", new_deal("3M", amount="10.00", **USD)),
    ('Make a deal with Umbrella called "Phase 2 – EU"', new_deal("Umbrella", name="Phase 2 – EU")),
    ("Create a deal for Acme called pilot worth $1,000", new_deal("Acme", name="Pilot", amount="1000.00", **USD)),
    ("Create a deal for Acme in stage contract sent", new_deal("Acme", stage="contractsent")),
    ("Could you please craete a deal for Acme worth $48,000, thanks!", new_deal("Acme", amount="48000.00", **USD)),
    ("I'd like to create a deal for Acme.", new_deal("Acme")),
    # Changed deals.
    ("Move the Acme pilot deal to contract sent", changed_deal("Acme pilot", stage="contractsent")),
    ("Mark the Acme pilot deal as won", changed_deal("Acme pilot", stage="closedwon")),
    ("mark our Globex deal closed lost", changed_deal("Globex", stage="closedlost")),
    ("Set the amount of the Acme pilot deal to 52,500", changed_deal("Acme pilot", amount="52500.00")),
    # Contacts.
    (f"Add {JANE} as a contact at Acme", contact(JANE, "Acme")),
    (f"Add a contact for {BOB} at Globex", contact(BOB, "Globex")),
    (f"Save {JANE} as new contact", [("create_contact", {"email": JANE})]),
    (f"Add <mailto:{JANE}|{JANE}> as a contact at Acme", contact(JANE, "Acme")),
    # The calendar.
    ("What's on my calendar tomorrow?", [events("22", "23"), answer("What's on my calendar tomorrow?", "t1.events")]),
    ("What’s on my calendar on Friday?", [events("27", "28"), answer("What's on my calendar on Friday?", "t1.events")]),
    ("show my events for next week", [events("23", "30"), answer("show my events for next week", "t1.events")]),
    ("Do I have any meetings today?", [events("21", "22"), answer("Do I have any meetings today?", "t1.events")]),
    ("Which meetings do I have on 24 November?", [events("24", "25"), answer("Which meetings do I have on 24 November?", "t1.events")]),
    # Events, dates and times in every spelling.
    ("Block an hour tomorrow at 9 for the report", [event("Report", "22T09:00", "22T10:00")]),
    ("Block an hour for the report tomorrow at 9", [event("Report", "22T09:00", "22T10:00")]),
    ("Block an hour tomorrow for the report at 9", [event("Report", "22T09:00", "22T10:00")]),
    ("Block 10-11 tomorrow for the report", [event("Report", "22T10:00", "22T11:00")]),
    ("Keep tomorrow from 13:00 to 15:00 for my taxes", [event("Taxes", "22T13:00", "22T15:00")]),
    ("Reserve half an hour on 2026-11-30 at 08:15 to work on the budget", [event("Budget", "30T08:15", "30T08:45")]),
    (f"Book a 30 minute kickoff with {JANE} next Tuesday at 10", [event("Kickoff", "24T10:00", "24T10:30", JANE)]),
    (f"Book a 30-minute kickoff next Tuesday at 10am with {JANE}", [event("Kickoff", "24T10:00", "24T10:30", JANE)]),
    (f"schedule a kickoff with {JANE} on Tue 24 Nov 10:00–10:45", [event("Kickoff", "24T10:00", "24T10:45", JANE)]),
    (f"Book a kickoff with {JANE}, {BOB} and mo tomorrow at noon for 1h30", [event("Kickoff", "22T12:00", "22T13:30", JANE, BOB, "mo@countersign.example")]),
    ("Schedule a sync with <@U3> on Monday at 14:30 for 45 minutes", [event("Sync", "23T14:30", "23T15:15", "kim@countersign.example")]),
    ("Set up a call with Mo Haddad on Wednesday from 2 to 3pm", [event("Call", "25T14:00", "25T15:00", "mo@countersign.example")]),
    (f"Invite {JANE} to a 45 minute demo on Thursday at 14:00", [event("Demo", "26T14:00", "26T14:45", JANE)]),
    ("Plan lunch tomorrow from 12 to 1", [event("Lunch", "22T12:00", "22T13:00")]),
    ("Arrange a two hour workshop on the 25th of November at 9 in the morning", [event("Workshop", "25T09:00", "25T11:00")]),
    ("Book a 90 min review on November 30th at 3 pm", [event("Review", "30T15:00", "30T16:30")]),
    ("Book a 30 minute review on 24.11.2026 at 16:00", [event("Review", "24T16:00", "24T16:30")]),
    ("Book a 30 minute review in three days at 11", [event("Review", "24T11:00", "24T11:30")]),
    ("Book a 30 minute review the day after tomorrow at 7 in the evening", [event("Review", "23T19:00", "23T19:30")]),
    ("Move the kickoff event on Friday to Monday at 10", [
        events("27", "28", query="kickoff"),
        ("update_event", {"event_id": "t1.events.0.id", "start": instant("23T10:00")}),
    ]),
    ("Cancel the kickoff event on Friday", [
        events("27", "28", query="kickoff"), ("cancel_event", {"event_id": "t1.events.0.id"}),
    ]),
    # Several clauses.
    (f"Create a deal for Acme worth $48,000 and book a 30 minute kickoff with {JANE} next Tuesday at 10", [
        *new_deal("Acme", amount="48000.00", **USD), event("Kickoff", "24T10:00", "24T10:30", JANE),
    ]),
    (f"Create a deal for Acme, then add {JANE} as a contact at Acme.", [
        *new_deal("Acme"), ("create_contact", {"email": JANE, "company_id": "t1.companies.0.id"}),
    ]),
    ("Block an hour tomorrow at 9 for the report\nMark the Globex deal as lost", [
        event("Report", "22T09:00", "22T10:00"),
        ("search_deals", {"query": "Globex"}),
        ("update_deal", {"deal_id": "t2.deals.0.id", "stage": "closedlost"}),
    ]),
    ("Which deals does Acme have? And what's on my calendar tomorrow?", [
        *deals_of("Acme", "Which deals does Acme have?"),
        events("22", "23"),
        answer("what's on my calendar tomorrow?", "t3.events"),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), PLANS, ids=ids(text for text, _ in PLANS))
async def test_explained_message_becomes_exactly_this_plan(text: str, expected: list[Step]) -> None:
    """A message whose every word is explained has one plan, to the last argument."""
    outcome = await offline(text)
    assert isinstance(outcome, Planned), outcome
    assert steps(outcome.plan) == expected
    assert outcome.author == "offline"


async def test_mistyped_keyword_is_said_aloud() -> None:
    """A corrected typing mistake stands on the card."""
    outcome = await offline("Craete a deal for Acme")
    assert isinstance(outcome, Planned)
    assert "I read “Craete” as “create”." in outcome.plan.say


async def test_weekday_with_two_readings_is_said_with_its_date() -> None:
    """On a Saturday, "Saturday" is a week ahead, and the card says which day was understood."""
    outcome = await offline("Block an hour on Saturday at 9 for the report")
    assert isinstance(outcome, Planned)
    assert "I read “Saturday” as Sat 28 Nov 2026." in outcome.plan.say


async def test_same_message_has_the_same_plan() -> None:
    """The offline planner is deterministic."""
    text = "Create a deal for Acme worth $48,000 and mark the Globex deal as won"
    assert await offline(text) == await offline(text)
