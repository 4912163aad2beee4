"""The scripted model of the compared goal, in a process of its own, so that it costs us nothing.

It answers with a plan where a plan's schema is asked for, and turn by turn with tool calls where
tools are offered. `POST /script` sets how long it takes; `GET /script` tells what it heard.
"""

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from benchmarks.tools import plan, turns
from bot.cli.stage import REPOSITORY
from bot.serve import bind

_READY_S = 20.0


class Script:
    """What the model answers, and how much it was asked to read."""

    def __init__(self) -> None:
        self.latency_s = 0.0
        self.requests = 0
        self.characters = 0
        self.schema_characters = 0

    async def complete(self, request: Request) -> Response:
        body = json.loads(await request.body())
        self.requests += 1
        self.characters += sum(_length(message) for message in body["messages"])
        self.schema_characters += sum(
            len(json.dumps(body[key])) for key in ("tools", "response_format") if key in body
        )
        await asyncio.sleep(self.latency_s)
        return JSONResponse(_completion(_answer(body), model=body["model"]))

    async def set(self, request: Request) -> Response:
        self.requests = self.characters = self.schema_characters = 0
        self.latency_s = float((await request.json())["latency_s"])
        return Response(status_code=204)

    async def tell(self, _request: Request) -> Response:
        return JSONResponse(vars(self))


def _length(message: dict[str, Any]) -> int:
    calls = message.get("tool_calls")
    return len(message.get("content") or "") + (len(json.dumps(calls)) if calls else 0)


def _answer(body: dict[str, Any]) -> dict[str, Any]:
    if "tools" not in body:
        return {"role": "assistant", "content": json.dumps(plan())}
    turn = sum(message["role"] == "assistant" for message in body["messages"])
    if turn >= len(turns()):
        return {"role": "assistant", "content": "I booked Workshop with Jane Doe in Elbe."}
    calls = [
        {
            "id": f"call-{turn}-{index}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        for index, (name, arguments) in enumerate(turns()[turn])
    ]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def _completion(message: dict[str, Any], *, model: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_795_000_000,
        "model": model,
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"prompt_tokens": 120, "completion_tokens": 30, "total_tokens": 150},
    }


class Model:
    """The running model as the benchmarks see it."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/v1"
        self._http = httpx2.Client(base_url=url, trust_env=False)

    def answer_after(self, latency_s: float) -> None:
        """Forget what was heard, and answer so late from now on."""
        self._http.post("/script", json={"latency_s": latency_s}).raise_for_status()

    def heard(self) -> dict[str, float]:
        """Return the numbers of requests and characters since."""
        told: dict[str, float] = self._http.get("/script").json()
        return told

    def close(self) -> None:
        self._http.close()


@contextmanager
def run_model() -> Iterator[Model]:
    """Run the model until the end of the block.

    Raises:
        TimeoutError: it did not get ready.
    """
    listening = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    process = subprocess.Popen(  # noqa: S603 -- our own program
        [sys.executable, "-m", "benchmarks.model", str(listening.fileno())],
        cwd=REPOSITORY,
        pass_fds=[listening.fileno()],
    )
    model = Model(url)
    try:
        _wait(model)
        yield model
    finally:
        model.close()
        process.terminate()
        process.wait()
        listening.close()


def _wait(model: Model) -> None:
    until = time.monotonic() + _READY_S
    while time.monotonic() < until:
        try:
            model.heard()
        except httpx2.TransportError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError


def main() -> None:
    script = Script()
    routes = [
        Route("/v1/chat/completions", script.complete, methods=["POST"]),
        Route("/script", script.set, methods=["POST"]),
        Route("/script", script.tell, methods=["GET"]),
    ]
    app = Starlette(routes=routes)
    # Taken over as a TCP socket, or every answer would wait for a delayed acknowledgement.
    listening = socket.socket(fileno=int(sys.argv[1]))
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_keep_alive=600)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
