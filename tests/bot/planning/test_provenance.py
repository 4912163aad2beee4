from typing import Any

import pytest
from pydantic import JsonValue

from bot.planning.outcome import Planned
from bot.planning.provenance import LEFT_OUT, MADE_BY_MODEL, OWN_ZONE, label_literals
from connectors.labels import Label, Provenance
from tests.bot.planning.ask import NOW, PEOPLE, ZONE, offline
from tests.bot.planning.sample import REGISTRY
from tests.bot.planning.test_offline_plans import PLANS

TEXT = (
    "Create a deal for Acme worth $48,000 in stage contract sent and book a 30 minute kickoff "
    "with jane.doe@acme.example and Mo next Tuesday at 10"
)


def labels(action: str, text: str = TEXT, **arguments: JsonValue) -> dict[str, Provenance]:
    return label_literals(
        arguments, action=REGISTRY.action(action), text=text, now=NOW, zone=ZONE, people=PEOPLE
    )


def label(action: str, field: str, value: JsonValue, text: str = TEXT) -> Provenance:
    found = labels(action, text, **{field: value})
    assert len(found) == 1
    return next(iter(found.values()))


FROM_MESSAGE: list[tuple[str, str, Any]] = [
    ("create_deal", "name", "Acme"),
    ("create_deal", "name", "ACME"),
    ("create_deal", "amount", "48000.00"),
    ("create_deal", "amount", "48000"),
    ("create_deal", "currency", "USD"),
    ("create_deal", "stage", "contractsent"),
    ("create_event", "title", "Kickoff"),
    ("create_event", "title", "30 minute kickoff"),
    ("create_event", "start", "2026-11-24T10:00:00+01:00"),
    ("create_event", "start", "2026-11-24T09:00:00Z"),
    ("create_event", "end", "2026-11-24T10:30:00+01:00"),
    ("create_event", "attendees", ["jane.doe@acme.example"]),
]


@pytest.mark.parametrize(
    ("action", "field", "value"), FROM_MESSAGE, ids=[f"{f}-{v}" for _, f, v in FROM_MESSAGE]
)
def test_value_that_the_message_says_is_labelled_message(
    action: str, field: str, value: JsonValue
) -> None:
    """A span of the message, or our own parse of one, is the requester's own."""  # S3
    found = label(action, field, value)
    assert found.label is Label.MESSAGE
    assert found.source.startswith("message[")


FROM_MODEL: list[tuple[str, str, Any]] = [
    ("create_deal", "name", "Globex"),
    ("create_deal", "name", "cme"),
    ("create_deal", "amount", "48"),
    ("create_deal", "amount", "84000.00"),
    ("create_deal", "currency", "EUR"),
    ("create_deal", "stage", "closedwon"),
    ("create_event", "start", "2026-11-24T10:00:00+00:00"),
    ("create_event", "start", "2026-11-25T10:00:00+01:00"),
    ("create_event", "end", "2026-11-24T11:00:00+01:00"),
    ("create_event", "attendees", ["doe@acme.example"]),
    ("create_event", "attendees", ["jane.doe@acme.example.evil.example"]),
    ("create_event", "location", "Room 5"),
    ("update_deal", "deal_id", "10"),
]


@pytest.mark.parametrize(
    ("action", "field", "value"), FROM_MODEL, ids=[f"{f}-{v}" for _, f, v in FROM_MODEL]
)
def test_value_that_the_message_does_not_say_is_labelled_model(
    action: str, field: str, value: JsonValue
) -> None:
    """A part of an address, of a number or of a word is not what the requester wrote."""
    assert label(action, field, value) == MADE_BY_MODEL


def test_colleague_by_name_is_labelled_record() -> None:
    """An address that a colleague's Slack profile gave came from a record, named in the message."""
    found = label("create_event", "attendees", ["mo@countersign.example"])
    assert found.label is Label.RECORD


def test_own_zone_is_labelled_profile() -> None:
    """The time zone is a remembered fact about the requester."""
    assert label("create_event", "zone", "Europe/Berlin") == OWN_ZONE
    assert label("create_event", "zone", "Asia/Tokyo") == MADE_BY_MODEL


@pytest.mark.parametrize("value", [None, []], ids=["null", "empty"])
def test_empty_value_was_left_out(value: JsonValue) -> None:
    """Nothing was supplied, so nothing can have been smuggled."""
    assert label("create_event", "attendees", value) == LEFT_OUT


def test_number_in_a_date_is_nobodys_id() -> None:
    """The 13 of "June 13" labels no id; "#13" does."""  # S5
    assert label("update_deal", "deal_id", "13", "Move it by June 13") == MADE_BY_MODEL
    assert label("update_deal", "deal_id", "13", "Move deal #13").label is Label.MESSAGE


def test_whole_numbers_are_found_as_lengths_and_amounts() -> None:
    """An integer argument is the requester's where a length or an amount says it."""
    text = "Block 45 minutes for 3 people"
    assert label("create_deal", "amount", 45, text).label is Label.MESSAGE
    assert label("create_deal", "amount", 4, text) == MADE_BY_MODEL
    assert label("create_deal", "amount", True, text) == MADE_BY_MODEL  # noqa: FBT003 -- a value


def test_uncertain_time_is_the_models_choice() -> None:
    """Of "at 3" either reading is a guess, and is marked as one."""
    text = "Book a 30 minute kickoff tomorrow at 3"
    assert label("create_event", "start", "2026-11-22T15:00:00+01:00", text) == MADE_BY_MODEL


def test_reference_is_not_labelled_here() -> None:
    """The engine labels what a reference brings; a literal beside it keeps its own label."""
    stored: JsonValue = {"$ref": {"task": "t1", "path": ["contacts", 0, "email"]}}
    found = labels("create_event", attendees=[stored, "jane.doe@acme.example"])
    assert set(found) == {"/attendees/1"}


async def test_every_offline_plan_is_explained_by_its_message() -> None:
    """The offline planner invents nothing: no literal of its plans is labelled `model`."""
    for text, _ in PLANS:
        outcome = await offline(text)
        assert isinstance(outcome, Planned)
        for task in outcome.plan.tasks:
            action = REGISTRY.action(task.action)
            found = labels(action.name, text, **task.arguments)
            invented = [pointer for pointer, item in found.items() if item.label is Label.MODEL]
            assert not invented, (text, task.key, invented)
