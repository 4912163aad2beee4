# ruff: noqa: E501 -- tables of plans, one a line
import json
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest

from bot.planning.errors import PlanFlaw
from bot.planning.plan import Question
from bot.planning.valid import ValidPlan, ValidTask
from bot.planning.validator import MAX_TASKS, Invalid, Validator
from connectors.actions import Arg, Arguments
from connectors.registry import Connector, Registry
from tests.bot.planning.sample import CRM, REGISTRY, Done, sample_action

VALIDATOR = Validator(REGISTRY, now=datetime(2026, 11, 21, 12, tzinfo=UTC))

FIND: dict[str, Any] = {"search_companies": {"query": "Acme"}}
DEAL: dict[str, Any] = {
    "create_deal": {
        "name": "Acme", "amount": "48000.00", "currency": "USD", "company_id": None, "stage": None
    }
}  # fmt: skip


def ref(task: str, *path: str | int) -> dict[str, Any]:
    return {"task": task, "path": list(path)}


def task(key: str, call: dict[str, Any], **more: Any) -> dict[str, Any]:
    rest: dict[str, Any] = {
        "after": [],
        "for_each": None,
        "when": None,
        "wait": None,
        "why": "asked",
    }
    return {"id": key, "call": call, **rest, **more}


def plan(*tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    rest: dict[str, Any] = {"say": "Done soon.", "writes": [], "question": None, "final": True}
    return {**rest, "tasks": list(tasks), **more}


def deal(**arguments: Any) -> dict[str, Any]:
    return {"create_deal": {**DEAL["create_deal"], **arguments}}


def flaws(data: Any) -> list[tuple[PlanFlaw, str | None, str | None]]:
    verdict = VALIDATOR.validate(data)
    assert isinstance(verdict, Invalid), verdict
    return [(flaw.kind, flaw.task, flaw.field) for flaw in verdict.flaws]


def valid(data: Any) -> ValidPlan:
    verdict = VALIDATOR.validate(data)
    assert isinstance(verdict, ValidPlan), verdict
    return verdict


def test_good_plan_is_ordered_and_knows_its_dependencies() -> None:
    """What a task waits for comes from its references, `after` and guard, in plan order."""
    guard = {"left": ref("t1", "total"), "op": "gt", "right": 0}
    found = valid(
        plan(
            task("t1", FIND),
            task("t2", deal(company_id=ref("t1", "companies", 0, "id")), when=guard),
            task("t3", DEAL, after=["t2", "t1"]),
        )
    )
    assert [item.key for item in found.tasks] == ["t1", "t2", "t3"]
    assert [item.depends_on for item in found.tasks] == [(), ("t1",), ("t1", "t2")]
    assert found.tasks[1].action == "crm.create_deal"
    stored = found.tasks[1].arguments["company_id"]
    assert stored == {"$ref": {"task": "t1", "path": ["companies", 0, "id"]}}


def test_valid_plan_survives_storage() -> None:
    """What is stored in `tasks.spec` comes back the same."""
    guard = {"left": ref("t1", "total"), "op": "gt", "right": 0}
    found = valid(plan(task("t1", FIND), task("t2", DEAL, when=guard)))
    assert ValidPlan.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_later_after_is_put_in_order() -> None:
    """`after` may name a later task; the stored order still runs it first."""
    found = valid(plan(task("t1", DEAL, after=["t2"]), task("t2", DEAL)))
    assert [item.key for item in found.tasks] == ["t2", "t1"]


LOOSE = [
    ("stage", "Contract-Sent", "contractsent"),
    ("stage", "closed won", "closedwon"),
    ("amount", 48000, "48000"),
    ("name", "  Acme ", "Acme"),
]


@pytest.mark.parametrize(("field", "given", "kept"), LOOSE, ids=[str(item[1]) for item in LOOSE])
def test_loosely_spelled_literal_is_normalised(field: str, given: Any, kept: str) -> None:
    """Enumerations forgive case and hyphens, text takes an integer, spaces are stripped."""
    assert valid(plan(task("t1", deal(**{field: given})))).tasks[0].arguments[field] == kept


def test_left_out_nullable_argument_is_null() -> None:
    """Every field of the argument model stands in the valid task."""
    found = valid(plan(task("t1", {"create_deal": {"name": "Acme"}})))
    assert found.tasks[0].arguments == {**DEAL["create_deal"], "amount": None, "currency": None}


def event(**more: Any) -> dict[str, Any]:
    times = {"start": "2026-11-24T10:00:00+01:00", "end": "2026-11-24T11:00:00+01:00"}
    given: dict[str, Any] = {
        "title": "Kickoff",
        **times,
        "zone": "Europe/Berlin",
        "attendees": [],
        "location": None,
    }
    return {"create_event": {**given, **more}}


def test_references_may_stand_inside_a_list() -> None:
    """A guest's address may be a reference beside literal ones."""
    contacts = task("t1", {"search_contacts": {"query": "Jane"}})
    guests = ["bob@globex.example", ref("t1", "contacts", 0, "email")]
    found = valid(plan(contacts, task("t2", event(attendees=guests))))
    assert found.tasks[1].depends_on == ("t1",)


MISFITS: list[tuple[str, dict[str, Any], PlanFlaw, str | None]] = [
    ("id-of-another-kind", deal(company_id=ref("t1", "deals", 0, "id")), PlanFlaw.REFERENCE, "company_id"),
    ("no-id", deal(company_id=ref("t1", "deals", 0, "name")), PlanFlaw.REFERENCE, "company_id"),
    ("list-for-text", deal(name=ref("t1", "deals")), PlanFlaw.REFERENCE, "name"),
    ("object-for-text", deal(name=ref("t1", "deals", 0)), PlanFlaw.REFERENCE, "name"),
    ("undeclared-field", deal(name=ref("t1", "deals", 0, "secret")), PlanFlaw.REFERENCE, "name"),
    ("index-into-object", deal(name=ref("t1", 0)), PlanFlaw.REFERENCE, "name"),
    ("key-into-list", deal(name=ref("t1", "deals", "first")), PlanFlaw.REFERENCE, "name"),
    ("negative-index", deal(name=ref("t1", "deals", -1, "name")), PlanFlaw.REFERENCE, "name"),
    ("itself", deal(name=ref("t2", "id")), PlanFlaw.REFERENCE, "name"),
    ("unknown-task", deal(name=ref("t9", "id")), PlanFlaw.REFERENCE, "name"),
    ("each", deal(name=ref("each", "id")), PlanFlaw.REFERENCE, "name"),
    ("malformed", deal(name={"task": 1, "path": "deals"}), PlanFlaw.REFERENCE, "name"),
    ("inside-text", deal(name=[ref("t1", "deals", 0, "name")]), PlanFlaw.REFERENCE, "name"),
    ("wrong-enum", deal(stage="won big"), PlanFlaw.ARGUMENT, "stage"),
    ("wrong-type", deal(name={"a": 1}), PlanFlaw.ARGUMENT, "name"),
    ("float-money", deal(amount=48000.5), PlanFlaw.ARGUMENT, "amount"),
    ("model-rule", deal(amount="a lot"), PlanFlaw.ARGUMENT, "amount"),
    ("model-rule-beside-a-reference", deal(amount="a lot", name=ref("t1", "deals", 0, "name")), PlanFlaw.ARGUMENT, "amount"),
    ("unknown-argument", deal(owner="Mo"), PlanFlaw.ARGUMENT, "owner"),
    ("missing", {"create_deal": {}}, PlanFlaw.ARGUMENT, "name"),
    ("null", deal(name=None), PlanFlaw.ARGUMENT, "name"),
    ("naive-instant", event(start="2026-11-24T10:00:00"), PlanFlaw.ARGUMENT, "start"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "kind", "field"), [item[1:] for item in MISFITS], ids=[item[0] for item in MISFITS]
)
def test_misfitting_argument_is_refused(
    call: dict[str, Any], kind: PlanFlaw, field: str | None
) -> None:
    """Literals fit their type and rules, references a declared field, ids their kind."""  # S5
    first = task("t1", {"search_deals": {"query": "Acme", "company": None}})
    assert (kind, "t2", field) in flaws(plan(first, task("t2", call)))


EACH_OVER = ref("t1", "companies")
REFUSED: list[tuple[str, Any, PlanFlaw, str | None]] = [
    ("no-object", [], PlanFlaw.SCHEMA, None),
    ("prose", "sure!", PlanFlaw.SCHEMA, None),
    ("empty", plan(), PlanFlaw.SCHEMA, "tasks"),
    ("extra-key", plan(task("t1", DEAL), effect="read"), PlanFlaw.SCHEMA, "effect"),
    ("two-calls", plan(task("t1", {**DEAL, **FIND})), PlanFlaw.SCHEMA, "tasks.0.call"),
    ("empty-question", plan(question={"text": " ", "choices": []}), PlanFlaw.SCHEMA, "question"),
    ("same-id", plan(task("t1", DEAL), task("t1", DEAL)), PlanFlaw.DUPLICATE_ID, None),
    ("each-as-id", plan(task("each", DEAL)), PlanFlaw.DUPLICATE_ID, None),
    ("unknown-action", plan(task("t1", {"delete_all": {}})), PlanFlaw.UNKNOWN_ACTION, None),
    ("qualified-name", plan(task("t1", {"crm.create_deal": {}})), PlanFlaw.UNKNOWN_ACTION, None),
    ("for-each-over-no-list", plan(task("t1", FIND), task("t2", DEAL, for_each=ref("t1", "total"))), PlanFlaw.REFERENCE, "for_each"),
    ("each-without-for-each", plan(task("t1", FIND), task("t2", deal(company_id=ref("each", "id")))), PlanFlaw.REFERENCE, "company_id"),
    ("wait-of-no-kind", plan(task("t1", DEAL, wait="P1D")), PlanFlaw.SCHEMA, "tasks.0.wait.WaitUntil"),
    ("wait-until-no-date", plan(task("t1", DEAL, wait={"until": "soon", "at": None})), PlanFlaw.WAIT, "wait"),
    ("wait-too-far", plan(task("t1", DEAL, wait={"until": "2029-01-01", "at": None})), PlanFlaw.WAIT, "wait"),
    ("wait-for-too-long", plan(task("t1", DEAL, wait={"for": "P3Y"})), PlanFlaw.WAIT, "wait"),
    ("wait-for-nothing", plan(task("t1", DEAL, wait={"for": "P0D"})), PlanFlaw.WAIT, "wait"),
    ("wait-at-no-time", plan(task("t1", DEAL, wait={"until": "2026-12-01", "at": "25:00"})), PlanFlaw.SCHEMA, "tasks.0.wait.WaitUntil.at"),
    ("wait-until-a-number", plan(task("t1", FIND), task("t2", DEAL, wait={"until": ref("t1", "total"), "at": None})), PlanFlaw.WAIT, "wait"),
    ("wait-until-undeclared", plan(task("t1", FIND), task("t2", DEAL, wait={"until": ref("t1", "day"), "at": None})), PlanFlaw.WAIT, "wait"),
    ("wait-for-no-event", plan(task("t1", FIND), task("t2", DEAL, wait={"event": "rain", "subject": ref("t1", "companies", 0, "id"), "value": None, "at_most": "P1D"})), PlanFlaw.WAIT, "wait"),
    ("announced-read", plan(task("t1", DEAL), writes=["search_companies"]), PlanFlaw.UNKNOWN_ACTION, "writes"),
    ("announced-nothing", plan(task("t1", DEAL), writes=["delete_all"]), PlanFlaw.UNKNOWN_ACTION, "writes"),
    ("unknown-after", plan(task("t1", DEAL, after=["t8"])), PlanFlaw.REFERENCE, "after"),
    ("bad-guard", plan(task("t1", FIND), task("t2", DEAL, when={"left": ref("t1", "none"), "op": "eq", "right": 1})), PlanFlaw.REFERENCE, "when"),
    ("cycle", plan(task("t1", DEAL, after=["t2"]), task("t2", DEAL, after=["t1"])), PlanFlaw.CYCLE, "after"),
    ("own-cycle", plan(task("t1", DEAL, after=["t1"])), PlanFlaw.CYCLE, "after"),
    ("too-many", plan(*(task(f"t{n}", DEAL) for n in range(MAX_TASKS + 1))), PlanFlaw.BUDGET, "tasks"),
    ("reads-without-answer", plan(task("t1", FIND)), PlanFlaw.ANSWER, "tasks"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "kind", "field"), [item[1:] for item in REFUSED], ids=[item[0] for item in REFUSED]
)
def test_bad_plan_is_refused_with_a_named_flaw(
    data: Any, kind: PlanFlaw, field: str | None
) -> None:
    """Each rule of the format has its own error; nothing is ignored silently."""
    assert any(found == kind and (field in (None, where)) for found, _, where in flaws(data))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sure, here is the plan",
        '{"say": "x"',
        "[" * 50_000,
        '{"say": 1, "say": 2}',
        "x" * 70_000,
    ],
    ids=["empty", "prose", "truncated", "deep", "double-key", "long"],
)
def test_text_that_is_no_json_is_refused(text: str) -> None:
    """Whatever text a model sends back, the verdict is a flaw, not an exception."""
    verdict = VALIDATOR.validate_text(text)
    assert isinstance(verdict, Invalid)
    assert verdict.flaws[0].kind is PlanFlaw.JSON


def test_flaw_names_the_legal_values() -> None:
    """A planner can mend an enumeration from the error alone."""
    verdict = VALIDATOR.validate(plan(task("t1", deal(stage="won big"))))
    assert isinstance(verdict, Invalid)
    message = "t1.stage: 'won big' is not one of "
    assert str(verdict.flaws[0]).startswith(message)
    assert "closedwon" in str(verdict.flaws[0])


def test_action_that_was_not_offered_is_unknown() -> None:
    """A planner may call only what it was shown."""
    verdict = Validator(REGISTRY, offered={"answer"}).validate(plan(task("t1", DEAL)))
    assert isinstance(verdict, Invalid)
    assert verdict.flaws[0].kind is PlanFlaw.UNKNOWN_ACTION


def test_question_is_handed_on() -> None:
    """A plan that asks is no plan: its tasks do not run."""
    asked = {"text": "Which Acme?", "choices": ["Acme Inc", "Acme Ltd"]}
    verdict = VALIDATOR.validate(plan(task("t1", DEAL), question=asked))
    assert verdict == Question(text="Which Acme?", choices=["Acme Inc", "Acme Ltd"])


def test_reads_that_end_with_an_answer_are_valid() -> None:
    """A goal of reads is answered from rows: any list of objects fits."""
    rows = {"question": "Which?", "rows": ref("t1", "companies"), "columns": None}
    found = valid(plan(task("t1", FIND), task("t2", {"answer": rows})))
    assert found.tasks[1].depends_on == ("t1",)


class Line(Arguments):
    product: Annotated[str, Arg(title="Product")]
    count: Annotated[int, Arg(title="Count")] = 1


class Order(Arguments):
    lines: Annotated[list[Line], Arg(title="Lines")]


ORDER = sample_action("shop", "order", "Order", Order, Done)
SHOP = Validator(Registry([CRM, Connector("shop", "Shop", None, (ORDER,))]))


def test_references_may_stand_inside_nested_models() -> None:
    """Objects in lists are checked field by field, defaults filled in."""
    lines = [{"product": ref("t1", "companies", 0, "name")}, {"product": "Pen", "count": 2}]
    verdict = SHOP.validate(plan(task("t1", FIND), task("t2", {"order": {"lines": lines}})))
    assert isinstance(verdict, ValidPlan)
    assert verdict.tasks[1].arguments["lines"] == [
        {"product": {"$ref": {"task": "t1", "path": ["companies", 0, "name"]}}, "count": 1},
        {"product": "Pen", "count": 2},
    ]


@pytest.mark.parametrize(
    "line",
    [{"product": ref("t1", "companies")}, {"product": ref("t1", "total"), "color": "red"}],
    ids=["list-for-text", "unknown-field"],
)
def test_misfit_inside_a_nested_model_is_refused(line: dict[str, Any]) -> None:
    """Depth is no way around the rules."""
    verdict = SHOP.validate(plan(task("t1", FIND), task("t2", {"order": {"lines": [line]}})))
    assert isinstance(verdict, Invalid)
    assert (verdict.flaws[0].task, verdict.flaws[0].field) == ("t2", "lines")


@pytest.mark.parametrize(
    "wait",
    [
        {"until": "2026-12-01", "at": "09:00"},
        {"until": "2020-01-01", "at": None},
        {"until": ref("t1", "companies", 0, "name"), "at": None},
        {"for": "P3D"},
    ],
    ids=["date", "past", "reference", "duration"],
)
def test_wait_is_kept_as_it_was_planned(wait: dict[str, Any]) -> None:
    """A wait passes through the stored form unchanged; what it refers to comes first."""
    planned = valid(plan(task("t1", FIND), task("t2", DEAL, wait=wait))).tasks[1]
    assert ValidTask.from_json(planned.to_json()) == planned
    assert planned.to_json()["wait"] == wait
    assert planned.depends_on == (("t1",) if isinstance(wait.get("until"), dict) else ())
