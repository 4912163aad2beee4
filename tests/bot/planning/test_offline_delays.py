"""Waits that need no model: in words that mean nothing else, and only before everything."""

import pytest
from pydantic import JsonValue

from bot.planning.outcome import Asked, Planned
from tests.bot.planning.ask import ids, offline

DEAL = "create a deal for Acme"

WAITS: list[tuple[str, JsonValue]] = [
    (f"Wait two days, then {DEAL}", {"for": "P2D"}),
    (f"wait for 3 hours and then {DEAL}", {"for": "PT3H"}),
    (f"Please in a month, {DEAL}", {"for": "P1M"}),
    (f"In 30 minutes, {DEAL}", {"for": "PT30M"}),
    (f"Wait until Friday at 9, then {DEAL}", {"until": "2026-11-27", "at": "09:00"}),
    (f"wait till tomorrow, {DEAL}", {"until": "2026-11-22", "at": None}),
    (f"Wait until 1 December at 14:30, and {DEAL}", {"until": "2026-12-01", "at": "14:30"}),
]


@pytest.mark.parametrize(("text", "wait"), WAITS, ids=ids(text for text, _ in WAITS))
async def test_wait_holds_up_what_changes_something(text: str, wait: JsonValue) -> None:
    """The look-up comes at once, so that the card shows the company; the deal waits."""
    outcome = await offline(text)
    assert isinstance(outcome, Planned), outcome
    tasks = [task.to_json() for task in outcome.plan.tasks]
    assert [task["wait"] for task in tasks] == [None, wait]


async def test_question_waits_once() -> None:
    """Where nothing is changed the first read waits, and what shows its rows follows at once."""
    outcome = await offline("In a week, which deals does Acme have?")
    assert isinstance(outcome, Planned)
    tasks = [task.to_json() for task in outcome.plan.tasks]
    assert [task["wait"] for task in tasks] == [{"for": "P1W"}, None]


@pytest.mark.parametrize(
    ("text", "question"),
    [
        (f"Wait until 15:00, then {DEAL}", "On which day?"),
        (f"Wait until yesterday, then {DEAL}", "is in the past"),
        ("In 3 days, book a 30 minute kickoff at 10:00", "Should I wait first"),
        ("Wait two days, then what's on my calendar tomorrow?", "Should I wait first"),
    ],
    ids=str,
)
async def test_time_that_could_mean_two_things_is_asked_for(text: str, question: str) -> None:
    """After a wait "tomorrow" and "10:00" have no certain day."""
    outcome = await offline(text)
    assert isinstance(outcome, Asked), outcome
    assert question in outcome.question.text


async def test_choices_of_a_question_repeat_the_wait() -> None:
    """Who answers with a button says the whole message again, the wait included."""
    outcome = await offline("Wait until 4/5/2027, then create a deal for Acme")
    assert isinstance(outcome, Asked), outcome
    assert outcome.question.choices
    assert all(choice.startswith("Wait until ") for choice in outcome.question.choices)
    assert all(
        choice.endswith(", then create a deal for Acme") for choice in outcome.question.choices
    )
