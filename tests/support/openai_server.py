"""A scripted endpoint that speaks OpenAI chat completions over real HTTP on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.support.serving import listen, serving


@dataclass(frozen=True)
class Fault:
    """An answer that is no completion: an HTTP status, a delay, or a body of another kind."""

    status: int = 200
    delay_s: float = 0.0
    body: str | None = None


@dataclass
class ScriptedModel:
    """Answers each request with the next of `answers`: a text, a JSON object, or a fault.

    With `refuses_schemas` every request with a `response_format` gets 400 and uses up no answer.
    Completions come after `latency_s`.
    """

    answers: list[str | dict[str, Any] | Fault] = field(default_factory=list)
    refuses_schemas: bool = False
    latency_s: float = 0.0
    requests: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    async def serve(self, request: Request) -> Response:
        body = json.loads(await request.body())
        self.requests.append(body)
        if self.refuses_schemas and "response_format" in body:
            return _error(400, "response_format json_schema is not supported")
        answer = self.answers.pop(0)
        if isinstance(answer, Fault):
            await asyncio.sleep(answer.delay_s)
            if answer.body is not None:
                return PlainTextResponse(answer.body, answer.status)
            return _error(answer.status, f"quoting {request.headers['authorization']}")
        await asyncio.sleep(self.latency_s)
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return JSONResponse(completion(text, model=body["model"]))


def completion(text: str, *, model: str) -> dict[str, Any]:
    """Return the body of a chat completion."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_795_000_000,
        "model": model,
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": text},
            }
        ],
        "usage": {"prompt_tokens": 120, "completion_tokens": 30, "total_tokens": 150},
    }


@asynccontextmanager
async def serve_model(model: ScriptedModel) -> AsyncIterator[ScriptedModel]:
    """Serve a script on an ephemeral port of 127.0.0.1; `model.url` is its base URL."""
    app = Starlette(routes=[Route("/v1/chat/completions", model.serve, methods=["POST"])])
    listening = listen()
    model.url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    async with serving(app, listening):
        yield model


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": {"message": message, "type": "invalid"}}, status)
