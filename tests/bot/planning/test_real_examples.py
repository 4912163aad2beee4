"""The phrasings of the real connectors: what people are shown works, to the last word."""

import pytest

from bot.builtins import BUILTINS
from bot.planning.offline.patterns import holes, parse_pattern
from bot.planning.offline.planner import OfflinePlanner
from bot.planning.outcome import Declined, Planned, SmallTalk
from bot.planning.provenance import label_literals
from bot.planning.schema import shown_examples
from bot.planning.validator import ANSWER
from connectors.actions import Example, Fill, Lookup
from connectors.google_calendar.actions import CONNECTOR as GOOGLE_CALENDAR
from connectors.hubspot.actions import CONNECTOR as HUBSPOT
from connectors.labels import Label
from connectors.registry import Registry
from tests.bot.planning.ask import NOW, PEOPLE, ZONE, ids, request, steps

REGISTRY = Registry([HUBSPOT, GOOGLE_CALENDAR, BUILTINS])
PLANNER = OfflinePlanner(REGISTRY)
SHOWN = shown_examples(REGISTRY)
EXAMPLES = [
    (action.name, example) for action in REGISTRY if action.planned for example in action.examples
]


@pytest.mark.parametrize("text", SHOWN, ids=ids(SHOWN))
async def test_shown_sentence_is_planned_for_its_action(text: str) -> None:
    """Clicking an example gives a plan of the action that declares it, with nothing made up."""
    outcome = await PLANNER.plan(request(text))
    assert isinstance(outcome, Planned), outcome
    declaring = {name for name, example in EXAMPLES if example.shown == text}
    planned = [name for name, _ in steps(outcome.plan) if name != ANSWER]
    assert planned[-1] in declaring
    for task in outcome.plan.tasks:
        labels = label_literals(
            task.arguments,
            action=REGISTRY.action(task.action),
            text=text,
            now=NOW,
            zone=ZONE,
            people=PEOPLE,
        )
        assert all(item.label is not Label.MODEL for item in labels.values()), labels


def test_every_planned_action_has_a_shown_sentence_or_serves_another() -> None:
    """What a person may ask for has an example to click."""
    silent = {
        action.name
        for action in REGISTRY
        if action.planned and not any(example.shown for example in action.examples)
    }
    assert silent <= {ANSWER}


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=ids(e.text for _, e in EXAMPLES))
def test_example_names_only_what_exists(name: str, example: Example) -> None:
    """Placeholders have kinds, fills name arguments and placeholders, choices have slots."""
    phrases = [parse_pattern(text) for text in (example.text, *example.parts)]
    named = frozenset[str]().union(*(holes(phrase) for phrase in phrases))
    assert named <= set(example.slots)
    arguments = REGISTRY.action(name).arguments.model_fields
    assert set(example.fills) <= set(arguments)
    assert set(example.asks) <= set(arguments)
    assert set(example.choices) <= set(example.slots)
    assert {used.partition(".")[0] for fill in example.fills.values() for used in _used(fill)} <= {
        *example.slots,
        "zone",
        "clause",
    }


def _used(fill: Fill) -> set[str]:
    if isinstance(fill, Lookup):
        assert set(fill.arguments) <= set(REGISTRY.action(fill.action).arguments.model_fields)
        return {name for inner in fill.arguments.values() for name in _used(inner)}
    if isinstance(fill, tuple):
        return {name for inner in fill for name in _used(inner)}
    is_placeholder = isinstance(fill, str) and fill.startswith("{")
    return {fill[1:-1]} if is_placeholder and isinstance(fill, str) else set()


async def test_main_job_is_planned_in_three_tasks() -> None:
    """The scene's sentence: a look-up, a deal that refers to it, and an invitation beside them."""
    text = (
        "Create a deal for Acme worth $48,000 and book a 30 minute kickoff "
        "with jane.doe@acme.example next Tuesday at 10"
    )
    outcome = await PLANNER.plan(request(text))
    assert isinstance(outcome, Planned)
    found = steps(outcome.plan)
    assert [name for name, _ in found] == ["search_companies", "create_deal", "create_event"]
    assert found[1][1]["name"] == "Acme"
    assert found[1][1]["amount"] == "48000.00"
    assert found[1][1]["currency"] == "USD"
    assert found[1][1]["company_id"] == "t1.companies.0.id"
    assert found[2][1]["title"] == "Kickoff"
    assert found[2][1]["start"] == "2026-11-24T10:00:00+01:00"
    assert found[2][1]["end"] == "2026-11-24T10:30:00+01:00"
    assert found[2][1]["attendees"] == ["jane.doe@acme.example"]
    assert [task.depends_on for task in outcome.plan.tasks] == [(), ("t1",), ()]


@pytest.mark.parametrize(
    "text",
    [
        "Create a deal",
        "Create a deal tomorrow at 10 for 30 minutes",
        "Add a contact",
        "Delete the Acme deal",
        "Merge the contacts of Acme",
        "Create a deal for every company",
        "Cancel all meetings on Friday",
    ],
)
async def test_near_miss_is_declined(text: str) -> None:
    """What only resembles a phrasing does nothing."""
    assert isinstance(await PLANNER.plan(request(text)), Declined)


async def test_greeting_is_answered_with_three_examples_at_least() -> None:
    """The welcome has something to click for each provider."""
    outcome = await PLANNER.plan(request("hi"))
    assert isinstance(outcome, SmallTalk)
    assert len(outcome.examples) >= 3


@pytest.mark.parametrize(
    ("text", "for_each", "write", "arguments"),
    [
        (
            "Move all deals of Acme to contract sent",
            "t1.deals",
            "update_deal",
            {"deal_id": "each.id", "stage": "contractsent"},
        ),
        (
            "Cancel all my meetings on Friday",
            "t1.events",
            "cancel_event",
            {"event_id": "each.id", "guests": "each.guests"},
        ),
    ],
    ids=["deals", "events"],
)
async def test_all_of_a_list_is_one_step_for_each(
    text: str, for_each: str, write: str, arguments: dict[str, str]
) -> None:
    """All means every row of what is found, and nothing else of the words is lost."""
    outcome = await PLANNER.plan(request(text))
    assert isinstance(outcome, Planned), outcome
    (_, (name, given)) = steps(outcome.plan)
    assert name == write
    assert given.items() >= arguments.items()
    assert str(outcome.plan.tasks[1].for_each) == for_each
