import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.llm.client import ModelClient
from bot.llm.messages import Size, UsageRecord
from bot.planning.model import ModelPlanner
from bot.planning.outcome import (
    Asked,
    CancelRequested,
    Clarification,
    Declined,
    Planned,
    SmallTalk,
)
from connectors.actions import Effect
from connectors.registry import Connector, Registry
from tests.bot.planning.ask import new_deal, request, steps
from tests.bot.planning.sample import CALENDAR, CRM, REGISTRY, EventOnly, Events, sample_action
from tests.bot.planning.test_validator import deal, plan, ref, task
from tests.support.openai_server import Fault, ScriptedModel, serve_model

KEY = "sk-canary-51aa"
TEXT = "Create a deal for Acme worth $48,000"
GOOD = plan(
    task("t1", {"search_companies": {"query": "Acme"}}),
    task("t2", deal(company_id=ref("t1", "companies", 0, "id"))),
)
UNKNOWN = plan(task("t1", {"delete_everything": {}}))
WRONG_TYPE = plan(task("t1", deal(name={"first": "Acme"})))
CYCLE = plan(task("t1", deal(), after=["t2"]), task("t2", deal(), after=["t1"]))


@dataclass
class Scene:
    """A planner, the endpoint that it asks, and the usage rows that it leaves."""

    planner: ModelPlanner
    model: ScriptedModel
    rows: list[UsageRecord] = field(default_factory=list)


@asynccontextmanager
async def scene(
    *answers: Any, registry: Registry = REGISTRY, **options: Any
) -> AsyncIterator[Scene]:
    rows: list[UsageRecord] = []

    async def keep(row: UsageRecord) -> None:
        rows.append(row)

    async with serve_model(ScriptedModel(answers=list(answers), **options)) as model:
        client = ModelClient(
            base_url=model.url,
            api_key=KEY,
            models={Size.LARGE: ("large",), Size.SMALL: ("small",)},
            usage=keep,
            timeout_s=0.5,
        )
        try:
            yield Scene(ModelPlanner(client=client, registry=registry), model, rows)
        finally:
            await client.close()


async def test_good_plan_takes_one_request() -> None:
    """With few actions a plan is one request to the large model, and says which model made it."""
    async with scene(GOOD) as s:
        outcome = await s.planner.plan(request(TEXT))
    assert isinstance(outcome, Planned)
    assert steps(outcome.plan) == new_deal("Acme", amount="48000.00", currency="USD")
    assert outcome.author == "model:large"
    assert [(row.purpose, row.model) for row in s.rows] == [("plan", "large")]


@pytest.mark.parametrize(
    "bad",
    ["Sure! I will do that.", '{"say": "x", "tasks": [', "", UNKNOWN, WRONG_TYPE, CYCLE],
    ids=["prose", "truncated", "nothing", "unknown-action", "wrong-type", "cycle"],
)
async def test_bad_plan_is_repaired(bad: Any) -> None:
    """A plan that does not hold goes back with its flaws, to the small model."""
    async with scene(bad, GOOD) as s:
        outcome = await s.planner.plan(request(TEXT))
    assert isinstance(outcome, Planned)
    assert [(row.purpose, row.model) for row in s.rows] == [("plan", "large"), ("repair", "small")]
    assert "That plan cannot run:\n- " in s.model.requests[1]["messages"][-1]["content"]


@pytest.mark.parametrize(
    "bad",
    ["Sure! I will do that.", '{"say": "x", "tasks": [', UNKNOWN, WRONG_TYPE, CYCLE],
    ids=["prose", "truncated", "unknown-action", "wrong-type", "cycle"],
)
async def test_plan_that_stays_bad_becomes_a_question(bad: Any) -> None:
    """After two repairs the person is asked; nothing runs and no further request is made."""
    async with scene(bad, bad, bad, GOOD) as s:
        outcome = await s.planner.plan(request(TEXT))
    assert isinstance(outcome, Asked)
    assert outcome.question.text.startswith("I could not turn this into steps: ")
    assert len(s.model.requests) == 3


async def test_plan_in_a_code_fence_is_read() -> None:
    """Endpoints without schemas wrap JSON in prose; what is inside is validated all the same."""
    fenced = f"Here you are:\n```json\n{json.dumps(GOOD)}\n```"
    async with scene(fenced, refuses_schemas=True) as s:
        outcome = await s.planner.plan(request(TEXT))
    assert isinstance(outcome, Planned)
    assert '"tasks": [{"id": "t1"' in s.model.requests[1]["messages"][0]["content"]


async def test_models_question_is_asked() -> None:
    """A model asks instead of inventing a value."""
    asked = {"text": "Which Acme?", "choices": ["Acme Inc", "Acme Ltd"]}
    async with scene(plan(question=asked)) as s:
        outcome = await s.planner.plan(request(TEXT))
    assert isinstance(outcome, Asked)
    assert outcome.question.choices == ["Acme Inc", "Acme Ltd"]


async def test_impossible_wish_is_declined_with_the_reason() -> None:
    """No tasks and no question mean no; the reason is for the requester."""
    async with scene(plan(say="I cannot order pizza.")) as s:
        outcome = await s.planner.plan(request("Order a pizza"))
    assert isinstance(outcome, Declined)
    assert outcome.reason == "I cannot order pizza."


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=429),
        Fault(status=500),
        Fault(status=401),
        Fault(delay_s=1.0),
        Fault(body="<p>"),
    ],
    ids=["busy", "broken", "refused", "slow", "html"],
)
async def test_endpoint_that_fails_is_said_in_a_sentence(fault: Fault) -> None:
    """The person reads what is wrong and what to do; the key is in no word of it."""  # S35
    async with scene(fault) as s:
        outcome = await s.planner.plan(request(TEXT))
    assert isinstance(outcome, Declined)
    assert "language model" in outcome.reason
    assert KEY not in repr(outcome)


async def test_prompt_keeps_what_changes_for_the_end() -> None:
    """No clock and no name stands before the actions, so that the endpoint caches the prefix."""
    async with scene(GOOD, GOOD) as s:
        await s.planner.plan(request(TEXT))
        await s.planner.plan(request("Create a deal for Globex"))
    first, second = (body["messages"] for body in s.model.requests)
    assert first[0] == second[0]
    assert "2026" not in first[0]["content"].split("Actions\n")[0].replace("2026-11", "")
    assert "Saturday 2026-11-21T12:00+01:00" in first[1]["content"]
    assert sum(len(message["content"]) for message in first) < 6_000


async def test_prompt_holds_no_secret_and_no_unnamed_colleague() -> None:
    """The model sees the message and whom it names, no token and no address book."""  # S7
    async with scene(GOOD) as s:
        await s.planner.plan(request("Create a deal for Acme and tell Mo"))
    sent = json.dumps(s.model.requests)
    assert KEY not in sent
    assert "mo@countersign.example" in sent
    assert "kim@countersign.example" not in sent


async def test_clarification_is_part_of_the_request() -> None:
    """The question that was asked and its answer go to the model."""
    async with scene(GOOD) as s:
        asked = (Clarification("Which Acme?", "Acme Ltd"),)
        await s.planner.plan(request(TEXT, clarifications=asked))
    assert "Acme Ltd" in s.model.requests[0]["messages"][1]["content"]


@pytest.mark.parametrize("text", ["hi", "stop", "   ", "x" * 40_000])
async def test_message_without_a_goal_costs_no_request(text: str) -> None:
    """Greetings, stop, nothing and far too much are answered by code."""
    async with scene() as s:
        outcome = await s.planner.plan(request(text))
    assert isinstance(outcome, SmallTalk | CancelRequested | Declined)
    assert s.model.requests == []


def many_actions() -> Registry:
    """Return the sample registry with enough further actions that some must be chosen first."""
    more = tuple(
        sample_action("spare", f"count_{n}", "Count events", EventOnly, Events, effect=Effect.READ)
        for n in range(6)
    )
    spare = Connector("spare", "Spare", None, more)
    return Registry([CRM, CALENDAR, spare, *(REGISTRY.connector(n) for n in ("builtin",))])


async def test_many_actions_are_chosen_from_first() -> None:
    """The small model picks at most twelve actions; the plan is made of those and `answer`."""
    choice = {"kind": "goal", "actions": ["create_deal", "search_companies"]}
    async with scene(choice, GOOD, registry=many_actions()) as s:
        outcome = await s.planner.plan(request(TEXT))
    assert isinstance(outcome, Planned)
    assert [row.purpose for row in s.rows] == ["choose", "plan"]
    offered = s.model.requests[1]["messages"][0]["content"].split("Actions\n")[1]
    names = [line.split("(")[0] for line in offered.splitlines()]
    assert names == ["answer", "create_deal", "search_companies"]


@pytest.mark.parametrize(
    ("kind", "expected"), [("small_talk", SmallTalk), ("cancel", CancelRequested)]
)
async def test_choice_may_find_no_goal(kind: str, expected: type) -> None:
    """Small talk and cancelling in other words are told by the small model."""
    async with scene({"kind": kind, "actions": []}, registry=many_actions()) as s:
        outcome = await s.planner.plan(request("how is it going, friend"))
    assert isinstance(outcome, expected)
    assert len(s.model.requests) == 1


async def test_unchosen_action_cannot_be_planned() -> None:
    """What was not offered is unknown, even if it exists."""
    choice = {"kind": "goal", "actions": ["search_companies"]}
    async with scene(choice, GOOD, GOOD, GOOD, registry=many_actions()) as s:
        outcome = await s.planner.plan(request(TEXT))
    assert isinstance(outcome, Asked)
