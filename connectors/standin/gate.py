import time
from collections import defaultdict, deque
from typing import TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from connectors.standin.config import StandinConfig
from connectors.standin.tokens import Caller, TokenDesk
from connectors.standin.vendor import Refusal, Vendor

Body = TypeVar("Body", bound=BaseModel)


class Gate:
    """Every API request passes here: bearer token, rate limit, scope, well-formed body."""

    def __init__(self, config: StandinConfig, vendor: Vendor, *, desk: TokenDesk) -> None:
        self._vendor = vendor
        self._desk = desk
        self._is_limited = config.is_rate_limited
        self._sent: defaultdict[str, deque[float]] = defaultdict(deque)

    def admit(self, request: Request, *any_of: str) -> Caller:
        """Return who calls, if the token carries at least one of the scopes.

        Raises:
            RefusedError: The token is not good, too many requests, or a scope is missing.
        """
        caller = self._desk.read_bearer(request.headers.get("authorization", ""))
        request.state.account = caller.account.email
        self._count(request, caller)
        if any_of and not set(any_of) & set(caller.scopes):
            raise self._vendor.refusal(Refusal.MISSING_SCOPE, scopes=any_of)
        return caller

    def _count(self, request: Request, caller: Caller) -> None:
        limit = self._vendor.rate_limit
        sent = self._sent[caller.account.email if limit.is_per_person else ""]
        now = time.monotonic()
        while sent and sent[0] <= now - limit.interval_s:
            sent.popleft()
        is_over = self._is_limited and len(sent) >= limit.requests
        if not is_over:
            sent.append(now)
        remaining = max(0, limit.requests - len(sent))
        request.state.headers = self._vendor.rate_headers(remaining=remaining)
        if is_over:
            wait_s = sent[0] + limit.interval_s - now
            raise self._vendor.refusal(Refusal.RATE_LIMITED, retry_after_s=wait_s)

    def reset(self) -> None:
        self._sent.clear()

    async def read_json(self, request: Request, model: type[Body]) -> Body:
        """Return the body as the model.

        Raises:
            RefusedError: It is not JSON, or not of this shape.
        """
        kind = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
        if kind != "application/json":
            raise self._vendor.refusal(Refusal.BAD_JSON, detail=f"content type {kind or 'missing'}")
        try:
            return model.model_validate_json(await request.body())
        except ValidationError as err:
            first = err.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise self._vendor.refusal(
                Refusal.BAD_JSON, detail=f"{where or 'body'}: {first['msg']}"
            ) from err


async def read_form(request: Request) -> list[tuple[str, str]]:
    """Return the fields of a URL-encoded body; of any other body, none."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if kind != "application/x-www-form-urlencoded":
        return []
    try:
        text = (await request.body()).decode()
        return parse_qsl(text, keep_blank_values=True, max_num_fields=200)
    except ValueError:
        return []


def note_key(request: Request, key: str) -> None:
    """Put a key that makes the request idempotent (a client's id, a unique value) into the log."""
    if not hasattr(request.state, "keys"):
        request.state.keys = []
    request.state.keys.append(key)
