import asyncio
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.standin.store import Store
from connectors.standin.vendor import Refusal, Vendor, answer_refused


class FaultKind(StrEnum):
    """How a request is made to fail; the `reset_` ones close the connection unanswered."""

    RATE_LIMITED = "429"
    SERVER_ERROR = "500"
    UNAUTHENTICATED = "401"
    FORBIDDEN = "403"
    SLOW = "slow"
    RESET_BEFORE = "reset_before"
    RESET_AFTER_COMMIT = "reset_after_commit"


_REFUSALS = {
    FaultKind.RATE_LIMITED: Refusal.RATE_LIMITED,
    FaultKind.SERVER_ERROR: Refusal.SERVER_ERROR,
    FaultKind.UNAUTHENTICATED: Refusal.REVOKED_TOKEN,
    FaultKind.FORBIDDEN: Refusal.FORBIDDEN,
}


class FaultMatch(BaseModel):
    """Which requests a fault meets: all, or those of a method and below a path."""

    model_config = ConfigDict(extra="forbid")

    method: str | None = None
    path_prefix: str = "/"


class Fault(BaseModel):
    """A fault for the next `times` requests that match."""

    model_config = ConfigDict(extra="forbid")

    match: FaultMatch = FaultMatch()
    kind: FaultKind
    times: int = Field(default=1, ge=1)
    retry_after_s: float | None = Field(default=None, ge=0)
    delay_s: float = Field(default=1.0, ge=0, le=60)


class FaultBoard:
    """The faults that are set; they are forgotten when the stand-in stops."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def set_(self, fault: Fault) -> None:
        self._faults.append(fault.model_copy())

    def clear(self) -> None:
        self._faults.clear()

    def list_(self) -> list[Fault]:
        return list(self._faults)

    def take(self, method: str, path: str) -> Fault | None:
        """Return the oldest fault for this request, and count it down."""
        for fault in self._faults:
            if fault.match.method not in (None, method):
                continue
            if path.startswith(fault.match.path_prefix):
                fault.times -= 1
                if fault.times == 0:
                    self._faults.remove(fault)
                return fault
        return None


class FaultMiddleware:
    """Applies the faults, adds the vendor's headers, and logs what became of each request.

    It must be the outermost layer (see `_reset`). `/_control` is neither disturbed nor logged.
    """

    def __init__(self, app: ASGIApp, *, board: FaultBoard, store: Store, vendor: Vendor) -> None:
        self._app = app
        self._board = board
        self._store = store
        self._vendor = vendor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_control"):
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        fault = self._board.take(scope["method"], scope["path"])
        status = await self._run(fault, scope, receive, send)
        self._store.log_request(
            method=scope["method"],
            path=scope["path"],
            account=state.get("account"),
            status=status,
            keys=state.get("keys", []),
        )

    async def _run(self, fault: Fault | None, scope: Scope, receive: Receive, send: Send) -> str:
        if fault is not None and fault.kind in _REFUSALS:
            error = self._vendor.refusal(_REFUSALS[fault.kind], retry_after_s=fault.retry_after_s)
            response = answer_refused(Request(scope), error)
            await response(scope, receive, send)
            return str(error.status)
        if fault is not None and fault.kind is FaultKind.RESET_BEFORE:
            await _reset(receive, send)
            return "reset"
        if fault is not None and fault.kind is FaultKind.SLOW:
            receive = await _read_whole(receive)
            await asyncio.sleep(fault.delay_s)
        status = ""
        is_reset = fault is not None and fault.kind is FaultKind.RESET_AFTER_COMMIT

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
                MutableHeaders(scope=message).update(scope["state"].get("headers", {}))
            if not is_reset:
                await send(message)

        await self._app(scope, receive, note)
        if is_reset:
            await _reset(receive, send)
            return f"reset after {status}"
        return status


async def _read_whole(receive: Receive) -> Receive:
    """Take in the whole request now: it takes effect even if its client is gone by then."""
    read = [await receive()]
    while read[-1].get("more_body"):
        read.append(await receive())

    async def replay() -> Message:
        return read.pop(0) if read else await receive()

    return replay


async def _reset(receive: Receive, send: Send) -> None:
    """Close the client's connection without a byte of an answer.

    ASGI has no way to say this. Under uvicorn `send` is a method of the object that holds the
    transport, so it is aborted there; then the disconnect is awaited, because uvicorn would
    otherwise write a 500 on behalf of an app that returns unanswered.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    # A transport of uvloop is none of asyncio's classes.
    abort = getattr(transport, "abort", None)
    if abort is None:
        raise TypeError("Faults that reset need uvicorn as the server, and this app on top.")
    abort()
    while (await receive())["type"] != "http.disconnect":
        continue
