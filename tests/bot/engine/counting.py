"""A small real connector, whose provider counts what happens to it.

Its writes differ only in how a lost reply is settled: `add_keyed` deduplicates by key,
`add_verifiable` can be looked up, `add_unsafe` can do neither.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import Field, JsonValue
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.actions import (
    Action,
    Arg,
    Arguments,
    Detail,
    Effect,
    Http,
    Idempotency,
    Link,
    Out,
    Preview,
    PreviewContext,
    ReadContext,
    Result,
    RunContext,
    UndoCall,
)
from connectors.errors import RejectedError
from connectors.events import (
    Changes,
    Channel,
    ChannelWanted,
    Cursor,
    Delivery,
    Event,
    Hint,
    HookRefusedError,
    Seen,
    Sought,
    Stream,
)
from connectors.labels import Label
from connectors.manifest import Manifest
from connectors.registry import Connector
from tests.connectors.receiver import serve_app

BUGGY, BUGGY_BEFORE = "Buggy", "Buggy before"
"""Names that this connector has defects for: it raises what no connector may raise."""

MISSING = 404
GONE = 410
CONFLICT = 409
REFUSED = 400
WRONG = 422


class Find(Arguments):
    query: Annotated[str, Arg(title="Words")] = ""


class Item(Result):
    id: Annotated[str, Out(Label.RECORD, id_kind="counting.item")]
    name: Annotated[str | None, Out(Label.OUTSIDE)]
    domain: Annotated[str | None, Out(Label.RECORD)]
    size: Annotated[str | None, Out(Label.RECORD)]


class Items(Result):
    items: Annotated[list[Item], Out(Label.OUTSIDE)]
    total: Annotated[int, Out(Label.RECORD)]


class Add(Arguments):
    name: Annotated[str, Arg(title="Name")]
    parent_id: Annotated[str | None, Arg(title="Parent", id_kind="counting.item")] = None
    guests: Annotated[list[str], Arg(title="Guests", recipient=True)] = Field(default=[])
    is_own: Annotated[bool, Arg(title="Mine")] = False
    size: Annotated[Annotated[str, Field(pattern=r"^[^?]*$")] | None, Arg(title="Size")] = None


class Change(Arguments):
    item_id: Annotated[str, Arg(title="Item", id_kind="counting.item")]
    size: Annotated[str, Arg(title="Size")]
    guests: Annotated[list[str], Arg(title="Guests", recipient=True)] = Field(default=[])


class Remove(Arguments):
    item_id: Annotated[str, Arg(title="Item", id_kind="counting.item")]


class Removed(Result):
    id: Annotated[str, Out(Label.RECORD)]


@dataclass
class Provider:
    """What the provider holds, what happened to it, and how it is told to misbehave."""

    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    effects: list[str] = field(default_factory=list)
    """The name in every write that took effect, in order."""
    keys: list[str] = field(default_factory=list)
    """The key of every write that arrived, in order."""
    reads: int = 0
    faults: list[str] = field(default_factory=list)
    """What the next requests suffer: ok, busy, lost (after the effect), down (before it), refused,
    wrong_size, unauthorized, read_down (the next read alone)."""
    sizes: tuple[str, ...] = ()
    """The only sizes that a write may give, where any are named."""
    lost_names: set[str] = field(default_factory=set)
    """Writes of these names take effect, and their reply is lost."""
    held: threading.Event = field(default_factory=threading.Event)
    """Writes wait until this is set."""
    arrived: threading.Event = field(default_factory=threading.Event)
    most_at_once: int = 0
    changed: list[str] = field(default_factory=list)
    """The ids of items that were changed by hand, in order: what a poll tells."""
    polls: int = 0
    forgets: bool = False
    """True: the cursor of the next poll has expired."""
    channels: dict[str, str] = field(default_factory=dict)
    """The open channels, id to address."""
    channels_asked: int = 0
    refuses_channels: bool = False
    _now: int = 0

    def __post_init__(self) -> None:
        self.held.set()

    def reset(self) -> None:
        """Forget everything; the server keeps this very object."""
        fresh = Provider()
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(fresh, name))

    def put(self, name: str, *, domain: str | None = None, size: str | None = None) -> str:
        """Add an item by hand, as a person in the provider's own pages would."""
        made = str(len(self.items) + 1)
        self.items[made] = {"id": made, "name": name, "domain": domain, "size": size}
        return made

    def grow(self, item_id: str, size: str) -> None:
        """Change an item by hand; the next poll tells."""
        self.items[item_id]["size"] = size
        self.changed.append(item_id)

    async def _changes(self, request: Request) -> Response:
        self.polls += 1
        if self.forgets:
            self.forgets = False
            return JSONResponse({}, status_code=410)
        since = int(request.query_params["since"])
        return JSONResponse({"ids": self.changed[since:], "next": len(self.changed)})

    async def _watch(self, request: Request) -> Response:
        self.channels_asked += 1
        if self.refuses_channels:
            return JSONResponse({}, status_code=REFUSED)
        wanted = await request.json()
        self.channels[wanted["id"]] = wanted["address"]
        return JSONResponse({})

    async def _unwatch(self, request: Request) -> Response:
        del self.channels[request.path_params["id"]]
        return JSONResponse({})

    def app(self) -> Starlette:
        routes = [
            Route("/channels", self._watch, methods=["POST"]),
            Route("/channels/{id}", self._unwatch, methods=["DELETE"]),
            Route("/items", self._list),
            Route("/items", self._add, methods=["POST"]),
            Route("/changes", self._changes),
            Route("/items/{id}", self._get),
            Route("/items/{id}", self._change, methods=["PATCH"]),
            Route("/items/{id}", self._remove, methods=["DELETE"]),
            Route("/keys/{key}", self._by_key),
        ]
        routes.append(Route("/token", self._renew, methods=["POST"]))
        return Starlette(routes=routes)

    async def _renew(self, _request: Request) -> Response:
        return JSONResponse({"error": "invalid_grant"}, status_code=REFUSED)

    async def _list(self, request: Request) -> Response:
        if self._read_fails():
            return Response(status_code=503)
        words = request.query_params.get("query", "").casefold()
        found = [item for item in self.items.values() if words in item["name"].casefold()]
        return JSONResponse({"items": found, "total": len(found)})

    async def _get(self, request: Request) -> Response:
        if self._read_fails():
            return Response(status_code=503)
        item = self.items.get(request.path_params["id"])
        return JSONResponse(item, status_code=200 if item else MISSING)

    async def _by_key(self, request: Request) -> Response:
        if self._read_fails():
            return Response(status_code=503)
        key = request.path_params["key"]
        made = next((item for item in self.items.values() if item.get("key") == key), None)
        return JSONResponse(made, status_code=200 if made else MISSING)

    async def _add(self, request: Request) -> Response:
        body = await request.json()
        return await self._write(body, body["name"], lambda: self._made(body))

    async def _change(self, request: Request) -> Response:
        body = await request.json()
        item = self.items.get(request.path_params["id"])
        if item is None:
            return Response(status_code=MISSING)
        return await self._write(body, f"change {item['name']}", lambda: {**item, **body})

    async def _remove(self, request: Request) -> Response:
        item = self.items.get(request.path_params["id"])
        if item is None:
            return Response(status_code=MISSING)
        answer = await self._write({}, f"remove {item['name']}", lambda: item)
        self.items.pop(item["id"])
        return answer

    def _made(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"id": str(len(self.items) + 1), "domain": None, "size": None, **body}

    async def _write(self, body: dict[str, Any], what: str, make: Any) -> Response:
        self.keys.append(body.get("key", ""))
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        self.arrived.set()
        while not self.held.is_set():  # noqa: ASYNC110 -- set in another thread
            await asyncio.sleep(0.005)
        self._now -= 1
        fault = self._fault()
        if fault in _BEFORE:
            return Response(status_code=_BEFORE[fault], headers={"retry-after": "0"})
        is_wrong = self.sizes and body.get("size") not in (None, *self.sizes)
        if is_wrong or fault == "wrong_size":
            refusal = {"field": "size", "allowed": [*self.sizes]}
            return JSONResponse(refusal, status_code=WRONG)
        key = body.get("dedupe") and body.get("key")
        if key and any(item.get("key") == key for item in self.items.values()):
            made = next(item for item in self.items.values() if item.get("key") == key)
        else:
            made = make()
            self.items[made["id"]] = made
            self.effects.append(what)
        is_lost = fault == "lost" or what in self.lost_names
        return Response(status_code=500) if is_lost else JSONResponse(made)

    def _fault(self) -> str:
        if self.faults and self.faults[0] != "read_down":
            return self.faults.pop(0)
        return "ok"

    def _read_fails(self) -> bool:
        self.reads += 1
        if self.faults and self.faults[0] == "read_down":
            self.faults.pop(0)
            return True
        return False


_BEFORE = {"busy": 429, "down": 500, "refused": REFUSED, "unauthorized": 401}


@contextmanager
def run_provider(provider: Provider) -> Iterator[str]:
    """Serve the provider on a free loopback port and give its URL."""
    with serve_app(provider.app()) as url:
        try:
            yield url
        finally:
            provider.held.set()


async def _send(http: Http, method: str, path: str, json: Any = None) -> Any:
    answer = await http.request(method, path, json=json)
    if answer.status_code == MISSING:
        raise RejectedError("It is not there any more.", kind="not_found")
    if answer.status_code == WRONG:
        refusal = answer.json()
        raise RejectedError(
            "Counting does not know this size.",
            kind="invalid",
            fields=(refusal["field"],),
            allowed={refusal["field"]: tuple(refusal["allowed"])},
        )
    if answer.status_code == REFUSED:
        raise RejectedError("The provider refuses this name; choose another.")
    return answer.json()


def _item(data: dict[str, Any]) -> Item:
    return Item(**{name: data.get(name) for name in ("id", "name", "domain", "size")})


class DefectError(Exception):
    """A defect in this connector."""


async def _find(context: RunContext, arguments: Find) -> Items:
    if arguments.query == BUGGY:
        raise DefectError
    if arguments.query == "?":
        raise RejectedError("Counting looks for words.", kind="invalid", fields=("query",))
    found = await context.http.request("GET", "/items", params={"query": arguments.query})
    rows = found.json()
    return Items(items=[_item(row) for row in rows["items"]], total=rows["total"])


async def _add(context: RunContext, arguments: Add) -> Item:
    dedupe = context.idempotency is Idempotency.KEYED
    body = {"name": arguments.name, "size": arguments.size, "key": context.key, "dedupe": dedupe}
    made = _item(await _send(context.http, "POST", "/items", body))
    if arguments.name == BUGGY:
        raise DefectError
    return made


async def _verify_add(context: RunContext, arguments: Add) -> Item | None:
    if arguments.name == BUGGY:
        raise DefectError
    found = await context.http.request("GET", f"/keys/{context.key}")
    return None if found.status_code == MISSING else _item(found.json())


async def _parent(context: ReadContext, arguments: Add) -> dict[str, JsonValue]:
    if arguments.name == BUGGY_BEFORE:
        raise DefectError
    if arguments.parent_id is None:
        return {}
    item = await _send(context.http, "GET", f"/items/{arguments.parent_id}")
    return {"parent": item["name"]}


async def _before(context: ReadContext, arguments: Change) -> dict[str, JsonValue]:
    item = await _send(context.http, "GET", f"/items/{arguments.item_id}")
    return {"size": item["size"], "name": item["name"]}


async def _change(context: RunContext, arguments: Change) -> Item:
    if await _before(context, arguments) != context.precondition:
        raise RejectedError("Somebody changed it meanwhile.", kind="changed")
    body = {"size": arguments.size}
    return _item(await _send(context.http, "PATCH", f"/items/{arguments.item_id}", body))


async def _verify_change(context: RunContext, arguments: Change) -> Item | None:
    item = await _send(context.http, "GET", f"/items/{arguments.item_id}")
    return _item(item) if item["size"] == arguments.size else None


def _undo_change(arguments: Change, _result: Item, before: Any) -> UndoCall | None:
    back = {"item_id": arguments.item_id, "size": before["size"], "guests": arguments.guests}
    return UndoCall("change", back, expects={"size": arguments.size})


async def _size(context: ReadContext, arguments: Remove) -> dict[str, JsonValue]:
    item = await _send(context.http, "GET", f"/items/{arguments.item_id}")
    return {"size": item["size"]}


async def _remove(context: RunContext, arguments: Remove) -> Removed:
    await _send(context.http, "DELETE", f"/items/{arguments.item_id}")
    return Removed(id=arguments.item_id)


def _undo_add(_arguments: Add, result: Item, _before: Any) -> UndoCall:
    return UndoCall("remove", {"item_id": result.id}, expects={"size": result.size})


def _effect(arguments: Any) -> Effect:
    if arguments.guests:
        return Effect.IRREVERSIBLE
    return Effect.OWN if getattr(arguments, "is_own", False) else Effect.SHARED


def _preview_add(arguments: Add, context: PreviewContext) -> Preview:
    parent = (context.before or {}).get("parent")
    details = [Detail("Name", arguments.name, pointer="/name")]
    if arguments.parent_id is not None:
        details.append(Detail("Parent", str(parent or "the chosen one"), pointer="/parent_id"))
    if arguments.size is not None:
        details.append(Detail("Size", arguments.size, pointer="/size"))
    mailed = f"Counting mails {', '.join(arguments.guests)}" if arguments.guests else None
    return Preview(f"Add “{arguments.name}”", tuple(details), mailed)


def _preview_change(arguments: Change, context: PreviewContext) -> Preview:
    before = (context.before or {}).get("size")
    detail = Detail("Size", arguments.size, str(before) if before else None, "/size")
    return Preview(f"Set the size to {arguments.size}", (detail,))


def _scopes(arguments: Any) -> frozenset[str]:
    return (
        frozenset({"write", "mail"}) if getattr(arguments, "guests", None) else frozenset({"write"})
    )


def _adding(name: str, idempotency: Idempotency) -> Action:
    return Action(
        connector="counting",
        name=name,
        summary="Add an item",
        arguments=Add,
        result=Item,
        effect=_effect,
        scopes=_scopes,
        idempotency=idempotency,
        run=_add,
        preview=_preview_add,
        precondition=_parent,
        verify=_verify_add if idempotency is Idempotency.VERIFIABLE else None,
        undo=_undo_add,
        links=lambda item: (Link("Open it", f"https://counting.example/{item.id}"),),
    )


FIND = Action(
    connector="counting",
    name="find_items",
    summary="Find items",
    arguments=Find,
    result=Items,
    effect=lambda _arguments: Effect.READ,
    scopes=lambda _arguments: frozenset({"read"}),
    idempotency=Idempotency.READ,
    run=_find,
    preview=lambda find, _context: Preview(f"Look for “{find.query}”"),
)
CHANGE = Action(
    connector="counting",
    name="change",
    summary="Change an item",
    arguments=Change,
    result=Item,
    effect=_effect,
    scopes=_scopes,
    idempotency=Idempotency.VERIFIABLE,
    run=_change,
    preview=_preview_change,
    precondition=_before,
    verify=_verify_change,
    undo=_undo_change,
)
REMOVE = Action(
    connector="counting",
    name="remove",
    summary="Remove an item",
    arguments=Remove,
    result=Removed,
    effect=lambda _arguments: Effect.SHARED,
    scopes=lambda _arguments: frozenset({"write"}),
    idempotency=Idempotency.UNSAFE,
    run=_remove,
    preview=lambda remove, _context: Preview(f"Remove item {remove.item_id}"),
    precondition=_size,
    undo=lambda _arguments, _result, _before: None,
    deletes=True,
    planned=False,
)

_WRITES = {
    "scopes": ["write", "mail"],
    "effects": [
        "own_silent_reversible",
        "shared_reversible",
        "irreversible_or_seen_by_others",
    ],
}
MANIFEST = Manifest.model_validate(
    {
        "name": "counting",
        "title": "Counting",
        "api_url": "https://api.counting.example",
        "web_url": "https://counting.example",
        "hosts": ["api.counting.example"],
        "oauth": {
            "authorize_url": "https://counting.example/authorize",
            "token_url": "https://counting.example/token",
            "revoke_url": "https://counting.example/revoke",
            "account_url": "https://api.counting.example/me",
        },
        "scopes": {"read": "See items", "write": "Add items", "mail": "Mail guests"},
        "actions": {
            "find_items": {"scopes": ["read"], "effects": ["read"]},
            "add_keyed": _WRITES,
            "add_verifiable": _WRITES,
            "add_unsafe": _WRITES,
            "change": _WRITES,
            "remove": {"scopes": ["write"], "effects": ["shared_reversible"]},
        },
        "rate_limit": {"requests": 10000, "per_s": 1.0},
        "quality": {},
    }
)


async def _poll(context: ReadContext, cursor: Cursor | None) -> Changes:
    since = str((cursor or {}).get("next", 10**6))
    answer = await context.http.request("GET", "/changes", params={"since": since})
    if answer.status_code == GONE:
        return Changes(None, {"next": 0})
    found = answer.json()
    return Changes(frozenset(found["ids"]), {"next": found["next"]})


async def _has_grown(context: ReadContext, sought: Sought) -> Seen:
    answer = await context.http.request("GET", f"/items/{sought.subject}")
    if answer.status_code == MISSING:
        raise RejectedError("There is no such item any more.", kind="not_found")
    size = answer.json()["size"]
    return Seen(size == sought.value, {"size": size})


async def _watch(context: ReadContext, wanted: ChannelWanted) -> Channel:
    await _send(
        context.http, "POST", "/channels", json={"id": wanted.id, "address": wanted.address}
    )
    return Channel({"id": wanted.id}, datetime.now(UTC) + timedelta(days=7))


async def _unwatch(context: ReadContext, handle: Cursor) -> None:
    await _send(context.http, "DELETE", f"/channels/{handle['id']}")


def _read_webhook(delivery: Delivery, secret: str) -> tuple[Hint, ...]:
    if delivery.headers.get("x-secret") != secret:
        raise HookRefusedError(401, "The secret is wrong.")
    said = delivery.headers
    return (Hint(said["x-number"], stream="items", channel=said["x-channel"]),)


ITEM_CHANGES = Stream(
    name="items",
    scopes=frozenset({"read"}),
    poll=_poll,
    watch=_watch,
    unwatch=_unwatch,
)
ITEM_GROWS = Event(
    connector="counting",
    name="item_grows",
    summary="An item gets a size",
    subject="counting.item",
    words=lambda size: f"the item is {size}",
    value="size",
    stream="items",
    scopes=frozenset({"read"}),
    check=_has_grown,
)
CONNECTOR = Connector(
    name="counting",
    title="Counting",
    manifest=MANIFEST,
    actions=(
        FIND,
        _adding("add_keyed", Idempotency.KEYED),
        _adding("add_verifiable", Idempotency.VERIFIABLE),
        _adding("add_unsafe", Idempotency.UNSAFE),
        CHANGE,
        REMOVE,
    ),
    events=(ITEM_GROWS,),
    streams=(ITEM_CHANGES,),
    webhook=_read_webhook,
)
