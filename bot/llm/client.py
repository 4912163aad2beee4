"""The one client of a language model: OpenAI chat completions at any compatible endpoint."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import httpx2
import openai
from openai.types.chat import ChatCompletion

from bot.llm.errors import ModelRefusedError, ModelUnavailableError
from bot.llm.messages import Completion, Message, Reply, Size, UsageRecord, UsageSink

_KEEP_ALIVE_S = 60.0
"""The SDK's 5 seconds would open a new connection for nearly every goal."""

_CONNECT_S = 5.0
_SCHEMA_REFUSALS = frozenset({400, 422})
_PASSING = frozenset({408, 409, 429})
_FIRST_SERVER_ERROR = 500


class Passing(StrEnum):
    """What becomes of a request besides an HTTP error."""

    OK = "ok"
    TIMEOUT = "timeout"
    BROKEN = "broken"
    """The connection failed, or what came back is no chat completion."""


class ModelClient:
    """Asks models for one JSON object at a time. Hold one per process and close it at the end.

    It never retries a model: a failure goes to the next one in order, so that the number of
    requests is known. It holds the key; no prompt, log or error of it does (S7, S35).

    Attributes:
        models: size → model names, tried in order.
    """

    def __init__(
        self,
        *,
        base_url: str | None,
        api_key: str,
        models: Mapping[Size, Sequence[str]],
        usage: UsageSink,
        timeout_s: float = 60.0,
    ) -> None:
        self.models = {size: tuple(names) for size, names in models.items()}
        self._usage = usage
        self._timeout_s = timeout_s
        self._without_schema: set[str] = set()
        self._http = httpx2.AsyncClient(
            limits=httpx2.Limits(keepalive_expiry=_KEEP_ALIVE_S),
            timeout=httpx2.Timeout(timeout_s, connect=_CONNECT_S),
            trust_env=False,
        )
        self._openai = openai.AsyncOpenAI(
            base_url=base_url, api_key=api_key, max_retries=0, http_client=self._http
        )

    async def complete(self, completion: Completion) -> Reply:
        """Return the first model's answer that arrives. It is text: the caller validates it.

        Raises:
            ModelUnavailableError: every model was busy, broken or too slow.
            ModelRefusedError: the endpoint refuses the key, the model or the request.
        """
        refused: ModelRefusedError | None = None
        for model in self.models[completion.size]:
            try:
                return await self._ask(model, completion)
            except ModelUnavailableError:
                continue
            except ModelRefusedError as error:
                refused = error
        if refused is not None:
            raise refused
        raise ModelUnavailableError

    async def close(self) -> None:
        await self._openai.close()

    async def _ask(self, model: str, completion: Completion) -> Reply:
        """Ask one model; with a schema first, unless it is known to refuse them."""
        if model not in self._without_schema:
            try:
                return await self._send(model, completion, with_schema=True)
            except ModelRefusedError as error:
                if error.status not in _SCHEMA_REFUSALS:
                    raise
        reply = await self._send(model, completion, with_schema=False)
        self._without_schema.add(model)
        return reply

    async def _send(self, model: str, completion: Completion, *, with_schema: bool) -> Reply:
        messages = completion.messages if with_schema else _with_form(completion)
        schema = completion.schema if with_schema else None
        started = time.monotonic()
        outcome, answer = await self._outcome(model, messages, schema)
        used = answer.usage if answer else None
        await self._usage(
            UsageRecord(
                team_id=completion.team_id,
                goal_id=completion.goal_id,
                purpose=completion.purpose,
                model=model,
                prompt_hash=completion.prompt_hash,
                prompt_characters=sum(len(item.content) for item in messages),
                prompt_tokens=used.prompt_tokens if used else 0,
                completion_tokens=used.completion_tokens if used else 0,
                duration_ms=round((time.monotonic() - started) * 1000),
                outcome=outcome.value if isinstance(outcome, Passing) else f"http_{outcome}",
            )
        )
        if answer is not None:
            return Reply(_text(answer), model)
        raise _error(outcome)

    async def _outcome(
        self, model: str, messages: Sequence[Message], schema: dict[str, Any] | None
    ) -> tuple["Passing | int", ChatCompletion | None]:
        """Return what became of a request: the answer, or an HTTP status, or what else failed.

        No exception of the SDK leaves here, for an endpoint may quote the key in its text (S35).
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._request(model, messages, schema)
        except openai.APIStatusError as error:
            return error.status_code, None
        except (openai.APITimeoutError, TimeoutError):
            return Passing.TIMEOUT, None
        except (openai.OpenAIError, ValueError):
            return Passing.BROKEN, None
        # The SDK hands out plain text where the content type is not JSON.
        whole: object = answer
        return (Passing.OK, answer) if isinstance(whole, ChatCompletion) else (Passing.BROKEN, None)

    async def _request(
        self, model: str, messages: Sequence[Message], schema: dict[str, Any] | None
    ) -> ChatCompletion:
        body: Any = [{"role": item.role, "content": item.content} for item in messages]
        if schema is None:
            return await self._openai.chat.completions.create(model=model, messages=body)
        strict: Any = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": schema},
        }
        return await self._openai.chat.completions.create(
            model=model, messages=body, response_format=strict
        )


def _with_form(completion: Completion) -> tuple[Message, ...]:
    """Return the prompt with the answer's form in words, after the stable first message."""
    first, *rest = completion.messages
    words = f"{first.content}\n\nAnswer with one JSON object and nothing else:\n{completion.form}"
    return (Message(first.role, words), *rest)


def _error(outcome: "Passing | int") -> ModelUnavailableError | ModelRefusedError:
    if isinstance(outcome, Passing) or outcome in _PASSING or outcome >= _FIRST_SERVER_ERROR:
        return ModelUnavailableError()
    return ModelRefusedError(outcome)


def _text(answer: ChatCompletion) -> str:
    """Return the first choice's text; compatible endpoints leave out what the SDK promises."""
    choices: Any = answer.choices
    message = choices[0].message if choices else None
    return (message.content if message is not None else None) or ""
