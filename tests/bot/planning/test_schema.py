import json
from collections.abc import Iterator
from typing import Any

from bot.planning.schema import plan_schema, shown_examples, signatures
from connectors.actions import Action
from tests.bot.planning.sample import REGISTRY

ACTIONS = [action for action in REGISTRY if action.planned]
FORBIDDEN = {"oneOf", "allOf", "default", "$schema", "not", "patternProperties", "prefixItems"}


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from nodes(item)
    elif isinstance(value, list):
        for item in value:
            yield from nodes(item)


def test_schema_keeps_the_strict_subset() -> None:
    """Closed objects, all fields required, no forbidden keyword, an object at the root."""
    schema = plan_schema(ACTIONS)
    assert schema["type"] == "object"
    for node in nodes(schema):
        assert not FORBIDDEN & node.keys()
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])


def test_calls_are_tagged_by_key() -> None:
    """Endpoints refuse union members that share their first key."""
    calls = plan_schema(ACTIONS)["$defs"]["Task"]["properties"]["call"]["anyOf"]
    first = [next(iter(call["properties"])) for call in calls]
    assert first == sorted(action.name for action in ACTIONS)


def test_schema_does_not_depend_on_the_order_of_actions() -> None:
    """The prompt's prefix stays the same, so that the endpoint's cache holds."""
    backwards: list[Action] = ACTIONS[::-1]
    assert json.dumps(plan_schema(backwards)) == json.dumps(plan_schema(ACTIONS))
    assert signatures(backwards) == signatures(ACTIONS)


def test_rows_of_an_answer_can_only_be_a_reference() -> None:
    """Open objects do not exist in strict schemas, and rows are never typed by a model."""
    schema = json.dumps(plan_schema([REGISTRY.action("answer")]))
    rows = json.loads(schema)["$defs"]["Task"]["properties"]["call"]["anyOf"][0]
    assert rows["properties"]["answer"]["properties"]["rows"]["$ref"] == "#/$defs/Ref"


def test_signature_shows_arguments_result_and_an_example() -> None:
    """One line tells a model what it needs to call an action and to use its result."""
    line = signatures([REGISTRY.action("search_companies")])
    assert line == (
        "search_companies(query: text) -> {companies: [{id: text, name: text}], total: integer}: "
        'Find companies. e.g. "Find the company Acme"'
    )


def test_schema_of_the_main_job_is_small() -> None:
    """The typed schema of all actions stays within the prompt budget of the plan format."""
    assert len(json.dumps(plan_schema(ACTIONS), separators=(",", ":"))) < 6_000


def test_shown_examples_are_those_that_actions_declare() -> None:
    """What people may click stands beside the action it belongs to."""
    assert "Which deals does Acme have?" in shown_examples(REGISTRY)
