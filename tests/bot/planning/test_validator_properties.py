"""Random plans, near valid ones and far: the validator never raises, and lets no bad one by."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.planning.plan import Question
from bot.planning.shapes import is_nullable
from bot.planning.valid import ValidPlan, references
from bot.planning.validator import MAX_TASKS, Invalid, Validator
from tests.bot.planning.sample import REGISTRY

VALIDATOR = Validator(REGISTRY)
ACTIONS = {action.name: action for action in REGISTRY}

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
keys = st.sampled_from(["t1", "t2", "t3", "t4", "each", "t99"])
parts = st.sampled_from(
    ["companies", "deals", "events", "contacts", "id", "name", "total", 0, 1, -1]
)
refs = st.fixed_dictionaries({"task": keys, "path": st.lists(parts, max_size=3)})
texts = st.sampled_from(["Acme", "48000", "contract sent", "2026-11-24T10:00:00+01:00", "a@b.co"])
values = st.one_of(texts, refs, st.none(), st.lists(texts | refs, max_size=2), json_values)


@st.composite
def calls(draw: st.DrawFn) -> dict[str, Any]:
    """Return a call of a known action whose arguments are mostly named right."""
    action = ACTIONS[draw(st.sampled_from(sorted(ACTIONS)))]
    arguments: dict[str, Any] = {}
    for name, info in action.arguments.model_fields.items():
        if draw(st.integers(0, 9)):
            arguments[name] = draw(values)
        elif is_nullable(info.annotation):
            arguments[name] = None
    return {action.name: arguments}


tasks = st.fixed_dictionaries(
    {
        "id": keys,
        "call": st.one_of(calls(), st.dictionaries(st.text(max_size=5), json_values, max_size=2)),
        "after": st.lists(keys, max_size=2),
        "for_each": st.one_of(st.none(), st.none(), st.none(), refs),
        "when": st.one_of(
            st.none(),
            st.fixed_dictionaries(
                {"left": refs, "op": st.sampled_from(["eq", "gt", "exists", "is"]), "right": texts}
            ),
        ),
        "wait": st.none(),
        "why": st.text(max_size=5),
    }
)
plans = st.fixed_dictionaries(
    {
        "say": st.text(max_size=10),
        "tasks": st.lists(tasks, max_size=5),
        "writes": st.just([]),
        "question": st.none(),
        "final": st.sampled_from([True]),
    }
)


@st.composite
def good_plans(draw: st.DrawFn) -> dict[str, Any]:
    """Return a plan of searches and deals whose references and orders are drawn to be right."""
    count = draw(st.integers(1, MAX_TASKS - 1))
    made: list[dict[str, Any]] = []
    searches: list[str] = []
    for number in range(count):
        key = f"t{number}"
        earlier = [task["id"] for task in made]
        call: dict[str, Any] = {"create_deal": {"name": "Acme"}}
        if draw(st.booleans()):
            call = {"search_companies": {"query": "Acme"}}
        elif searches:
            source = draw(st.sampled_from(searches))
            call["create_deal"]["company_id"] = {"task": source, "path": ["companies", 0, "id"]}
        if "search_companies" in call:
            searches.append(key)
        after = draw(st.lists(st.sampled_from(earlier), max_size=3)) if earlier else []
        others = {"for_each": None, "when": None, "wait": None, "why": ""}
        made.append({"id": key, "call": call, "after": after, **others})
    rest: dict[str, Any] = {"after": [], "for_each": None, "when": None, "wait": None, "why": ""}
    made.append({"id": "z", "call": {"create_deal": {"name": "End"}}, **rest})
    return {"say": "", "tasks": made, "writes": [], "question": None, "final": True}


def check(plan: ValidPlan) -> None:
    """Assert what the engine relies on."""
    seen: set[str] = set()
    for task in plan.tasks:
        action = REGISTRY.action(task.action)
        assert set(task.depends_on) <= seen
        assert set(task.arguments) == set(action.arguments.model_fields)
        assert {ref.task for _, ref in references(task.arguments)} <= set(task.depends_on)
        assert task.key not in seen
        seen.add(task.key)
    assert len(seen) == len(plan.tasks) <= MAX_TASKS
    assert ValidPlan.from_json(plan.to_json()) == plan


@QUICK
@given(st.one_of(plans, json_values))
def test_random_plan_is_valid_or_refused_with_words(data: Any) -> None:
    """Any JSON gets a verdict; an accepted plan is acyclic, complete and refers backwards."""
    verdict = VALIDATOR.validate(data)
    if isinstance(verdict, ValidPlan):
        check(verdict)
    elif isinstance(verdict, Invalid):
        assert verdict.flaws
        assert all(flaw.message for flaw in verdict.flaws)
    else:
        assert isinstance(verdict, Question)


@QUICK
@given(good_plans())
def test_good_plan_is_accepted(data: dict[str, Any]) -> None:
    """A plan that follows the rules is never refused, and keeps every task."""
    verdict = VALIDATOR.validate(data)
    assert isinstance(verdict, ValidPlan), verdict
    check(verdict)
    assert {task.key for task in verdict.tasks} == {task["id"] for task in data["tasks"]}


@QUICK
@given(st.text(max_size=200))
def test_random_text_gets_a_verdict(text: str) -> None:
    """Whatever text comes back from a model, the validator does not raise."""
    assert isinstance(VALIDATOR.validate_text(text), Invalid | Question | ValidPlan)
