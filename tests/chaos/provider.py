"""The provider: a process of its own, never killed, that records every effect.

It also answers for Slack, without faults, so that workers post their cards as they do.
"""

import asyncio
import json
import socket
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import parse_qs

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from tests.chaos.faults import PAUSES_S, Dice, Fault

_MISSING = 404

_REFUSED: dict[Fault, Callable[[], Response | None]] = {
    Fault.BUSY: lambda: Response(status_code=429, headers={"retry-after": "0.2"}),
    Fault.ERROR_BEFORE: lambda: Response(status_code=500),
    Fault.DROP_BEFORE: lambda: None,
}
"""Faults of which nothing comes but an answer, or not even that."""


class ChaosProvider:
    """Holds items, each made by one effect, and counts what it did to its clients."""

    def __init__(self, seed: int) -> None:
        self._dice = Dice(seed)
        self._items: dict[str, dict[str, Any]] = {}
        self._by_key: dict[str, dict[str, Any]] = {}
        self._effects: list[tuple[str, str]] = []
        self._faults: Counter[Fault] = Counter()
        self._requests = 0
        self._messages: dict[str, list[dict[str, Any]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; an ASGI app, since only there a connection can be dropped."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        path = scope["path"]
        if path.startswith("/_control"):
            response = self._control(path)
        elif path.startswith("/slack/"):
            response = await self._slack(path.removeprefix("/slack/"), request)
        else:
            answer = await self._disturbed(request)
            if answer is None:
                await _drop(receive, send)
                return
            response = answer
        await response(scope, receive, send)

    def _control(self, path: str) -> Response:
        if path.endswith("/calm"):
            self._dice.is_calm = True
            return JSONResponse({})
        posted = Counter(
            message["metadata"]["event_payload"]["outbox_id"]
            for messages in self._messages.values()
            for message in messages
        )
        return JSONResponse(
            {
                "effects": self._effects,
                "faults": self._faults,
                "requests": self._requests,
                "cards": sum(posted.values()),
                "cards_doubled": sum(times - 1 for times in posted.values()),
            }
        )

    async def _disturbed(self, request: Request) -> Response | None:
        """Return the answer, or None where the connection is to be dropped."""
        is_read = request.method == "GET"
        body = {} if is_read else await request.json()
        fault = self._dice.draw(is_read=is_read, is_keyed=bool(body.get("dedupe")))
        self._requests += 1
        if fault is not Fault.NONE:
            self._faults[fault] += 1
        if fault in _REFUSED:
            return _REFUSED[fault]()
        if fault in (Fault.SLOW, Fault.LATE):
            await asyncio.sleep(PAUSES_S[fault])
        answer: Response | None = self._read(request) if is_read else self._write(body)
        match fault:
            case Fault.ERROR_AFTER:
                answer = Response(status_code=500)
            case Fault.DROP_AFTER:
                answer = None
            case Fault.SILENT:
                await asyncio.sleep(PAUSES_S[fault])
            case Fault.TWICE:
                answer = self._write(body)
        return answer

    def _read(self, request: Request) -> Response:
        match request.url.path.strip("/").split("/"):
            case ["items"]:
                return JSONResponse({"items": [], "total": 0})
            case ["items", id_]:
                found = self._items.get(id_)
            case ["keys", key]:
                found = self._by_key.get(key)
            case _:
                found = None
        return JSONResponse(found, status_code=200 if found else _MISSING)

    def _write(self, body: dict[str, Any]) -> Response:
        """Make an item; where the client asks for it, once for its key."""
        known = self._by_key.get(body["key"])
        if known is not None and body["dedupe"]:
            return JSONResponse(known)
        made = {"id": str(len(self._items) + 1), "domain": None, "size": None, **body}
        self._items[made["id"]] = made
        self._by_key.setdefault(body["key"], made)
        self._effects.append((body["name"], made["id"]))
        return JSONResponse(made)

    async def _slack(self, method: str, request: Request) -> Response:
        given = await _arguments(request)
        channel = str(given.get("channel") or given.get("users") or given.get("user_id"))
        messages = self._messages.setdefault(channel, [])
        ts = f"1700000000.{sum(map(len, self._messages.values())):06}"
        match method:
            case "chat.postMessage":
                messages.append({"ts": ts, "metadata": given["metadata"]})
                return JSONResponse({"ok": True, "ts": ts})
            case "conversations.open":
                return JSONResponse({"ok": True, "channel": {"id": f"D-{channel}"}})
            case "conversations.history" | "conversations.replies":
                return JSONResponse({"ok": True, "messages": messages})
            case "chat.getPermalink":
                return JSONResponse({"ok": True, "permalink": f"https://slack.example/{channel}"})
        return JSONResponse({"ok": True, "ts": ts, "message_ts": ts})


async def _arguments(request: Request) -> dict[str, Any]:
    """Return a method's arguments, which slack_sdk sends as JSON, as a form or in the query."""
    raw = await request.body()
    if "json" in request.headers.get("content-type", ""):
        return dict(json.loads(raw))
    given: dict[str, Any] = {name: values[0] for name, values in parse_qs(raw.decode()).items()}
    if isinstance(given.get("metadata"), str):
        given["metadata"] = json.loads(given["metadata"])
    return {**request.query_params, **given}


async def _drop(receive: Receive, send: Send) -> None:
    """Close the connection without a byte of an answer; `connectors.standin.faults` says how."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    assert isinstance(transport, asyncio.Transport)
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        continue


def serve_provider(seed: int, ready: Connection) -> None:
    """Serve until killed; the URL goes into the pipe."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        ready.send(f"http://127.0.0.1:{listener.getsockname()[1]}")
        config = uvicorn.Config(ChaosProvider(seed), log_level="critical", lifespan="off")
        uvicorn.Server(config).run(sockets=[listener])
