"""One call of the Web API: its arguments, read as Slack reads them."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request

from bot.workspace.core import Workspace
from bot.workspace.errors import RefusedError
from bot.workspace.jsonbody import parse_object
from bot.workspace.shapes import JsonObject


@dataclass(frozen=True, slots=True)
class Call:
    """The workspace and the arguments of a call; getters refuse what is missing or malformed."""

    workspace: Workspace
    arguments: JsonObject

    def text(self, name: str, *, default: str = "") -> str:
        """Return a string argument, or `default`."""
        value = self.arguments.get(name)
        return default if value is None else str(value)

    def required(self, name: str) -> str:
        """Return a string argument.

        Raises:
            RefusedError: `invalid_arguments`; it is missing or empty.
        """
        value = self.text(name)
        if not value:
            raise RefusedError(
                "invalid_arguments", messages=[f"[ERROR] missing required field: {name}"]
            )
        return value

    def flag(self, name: str) -> bool:
        """Return a boolean argument; forms carry it as `true` or `1`."""
        return self.text(name).lower() in {"true", "1"}

    def number(self, name: str, *, default: int, most: int) -> int:
        """Return a whole number between 1 and `most`.

        Raises:
            RefusedError: `invalid_limit`.
        """
        raw = self.text(name, default=str(default))
        if not raw.isdecimal() or not int(raw) >= 1:
            raise RefusedError("invalid_limit")
        return min(int(raw), most)

    def decoded(self, name: str, *, error: str) -> object:
        """Return an argument that is JSON, or JSON text in a form; None if it is absent.

        Raises:
            RefusedError: `error`; the text is not JSON.
        """
        value = self.arguments.get(name)
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return json.loads(value)
        except ValueError as exc:
            raise RefusedError(error) from exc


Handler = Callable[[Call], Awaitable[JsonObject]]
Scopes = Callable[[Call], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A Web API method: what it does, which scope it needs, how often per minute it may be called.

    `per_minute` 0 means that the handler does its own counting.
    Source: https://docs.slack.dev/apis/web-api/rate-limits (tiers 2, 3, 4: 20, 50, 100 a minute).
    """

    handler: Handler
    scope: str | Scopes = ""
    per_minute: int = 50


async def read_arguments(request: Request) -> JsonObject:
    """Return the arguments of a request: query, then form or JSON body, which win.

    Raises:
        RefusedError: `invalid_json`, `json_not_object` or `invalid_form_data`.
    """
    arguments: JsonObject = dict(request.query_params)
    if request.method != "POST":
        return arguments
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return arguments | parse_object(await request.body())
    if kind in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        async with request.form() as form:
            arguments |= {key: value for key, value in form.items() if isinstance(value, str)}
    return arguments
