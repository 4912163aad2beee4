from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.llm.client import ModelClient
from bot.llm.errors import ModelRefusedError, ModelUnavailableError
from bot.llm.messages import Completion, Message, Size, UsageRecord
from tests.support.openai_server import Fault, ScriptedModel, serve_model

KEY = "sk-canary-7d1f"

ASK = Completion(
    purpose="plan",
    size=Size.LARGE,
    messages=(Message("system", "Plan."), Message("user", "Do it.")),
    schema={"type": "object", "properties": {}, "required": [], "additionalProperties": False},
    form='{"say": text}',
    prompt_hash="abc",
    team_id="T1",
    goal_id=7,
)


@asynccontextmanager
async def connect(
    model: ScriptedModel, rows: list[UsageRecord], *, timeout_s: float = 5.0
) -> AsyncIterator[ModelClient]:
    async def keep(row: UsageRecord) -> None:
        rows.append(row)

    async with serve_model(model):
        client = ModelClient(
            base_url=model.url,
            api_key=KEY,
            models={Size.LARGE: ("large", "spare"), Size.SMALL: ("small",)},
            usage=keep,
            timeout_s=timeout_s,
        )
        try:
            yield client
        finally:
            await client.close()


async def test_answer_arrives_with_a_usage_row() -> None:
    """Every request leaves one row: purpose, model, prompt version, size, tokens and outcome."""
    rows: list[UsageRecord] = []
    model = ScriptedModel(answers=["{}"])
    async with connect(model, rows) as client:
        reply = await client.complete(ASK)
    assert (reply.text, reply.model) == ("{}", "large")
    assert model.requests[0]["response_format"]["json_schema"]["strict"] is True
    assert rows == [
        UsageRecord("T1", 7, "plan", "large", "abc", 11, 120, 30, rows[0].duration_ms, "ok")
    ]


async def test_endpoint_without_schemas_gets_the_form_in_words_and_is_remembered() -> None:
    """A refusal of response_format costs one request per process, not one per goal."""
    rows: list[UsageRecord] = []
    model = ScriptedModel(answers=["{}", "{}"], refuses_schemas=True)
    async with connect(model, rows) as client:
        await client.complete(ASK)
        await client.complete(ASK)
    assert ["response_format" in request for request in model.requests] == [True, False, False]
    assert '{"say": text}' in model.requests[1]["messages"][0]["content"]
    assert [row.outcome for row in rows] == ["http_400", "ok", "ok"]


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        pytest.param(Fault(status=429), "http_429", id="busy"),
        pytest.param(Fault(status=500), "http_500", id="broken"),
        pytest.param(Fault(delay_s=1.0, status=500), "timeout", id="slow"),
        pytest.param(Fault(body="<html>"), "broken", id="not-json"),
    ],
)
async def test_failing_model_is_followed_by_the_next_one(fault: Fault, outcome: str) -> None:
    """A model is never retried: a failure goes to the next in order."""
    rows: list[UsageRecord] = []
    model = ScriptedModel(answers=[fault, "{}"])
    async with connect(model, rows, timeout_s=0.3) as client:
        reply = await client.complete(ASK)
    assert reply.model == "spare"
    assert [row.outcome for row in rows] == [outcome, "ok"]


async def test_all_models_failing_is_unavailable() -> None:
    """When no model answers the error says to try again, after one request each."""
    model = ScriptedModel(answers=[Fault(status=500), Fault(status=503)])
    async with connect(model, []) as client:
        with pytest.raises(ModelUnavailableError):
            await client.complete(ASK)
    assert len(model.requests) == 2


async def test_refused_key_is_told_without_the_key() -> None:
    """An endpoint that quotes the key in its answer does not put it into our errors."""  # S35
    model = ScriptedModel(answers=[Fault(status=401), Fault(status=401)])
    async with connect(model, []) as client:
        with pytest.raises(ModelRefusedError) as caught:
            await client.complete(ASK)
    error: BaseException | None = caught.value
    while error is not None:
        assert KEY not in str(error)
        error = error.__cause__ or error.__context__


async def test_key_is_in_no_prompt() -> None:
    """The model sees messages, never a key or token."""  # S7
    model = ScriptedModel(answers=["{}"])
    async with connect(model, []) as client:
        await client.complete(ASK)
    assert KEY not in str(model.requests)
