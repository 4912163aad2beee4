"""Events: what can happen at a provider that a task waits for, declared beside its actions.

What a provider pushes, or tells when it is polled, is only a hint that something may have changed.
Whether an event happened is always seen by a read through the waiting person's own connection, so
a forged, stale or misunderstood hint can never let a task go on.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from pydantic import JsonValue

from connectors.actions import ReadContext

Cursor: TypeAlias = dict[str, JsonValue]
"""What a connector remembers from one look to the next; stored as it is, never interpreted."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What one wait looks for.

    Attributes:
        subject: the id of what it is about.
        value: which of several such events, where there are several: the stage.
        cursor: what the last look remembered; None at the first one.
    """

    subject: str
    value: str | None
    cursor: Cursor | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look saw: whether it happened, and what the next look has to know."""

    happened: bool
    cursor: Cursor


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed in a stream since its cursor.

    Attributes:
        subjects: the ids that may have changed; None where the provider cannot tell any more
            (its token expired), so that everything that is waited for must be looked at.
        cursor: where the next poll begins.
    """

    subjects: frozenset[str] | None
    cursor: Cursor


@dataclass(frozen=True, slots=True)
class ChannelWanted:
    """A channel to open, on which a provider tells that something in a stream changed.

    Attributes:
        id: random, of letters, digits, `-` and `_`.
        address: the public address that it is to post to.
        secret: the app's client secret; what proves a delivery is derived from it.
    """

    id: str
    address: str
    secret: str


@dataclass(frozen=True, slots=True)
class Channel:
    """An open channel.

    Attributes:
        handle: what closes it.
        expires_at: until when the provider keeps it; None where it does not say.
    """

    handle: Cursor
    expires_at: datetime | None


Check: TypeAlias = Callable[[ReadContext, Sought], Awaitable[Seen]]
Poll: TypeAlias = Callable[[ReadContext, Cursor | None], Awaitable[Changes]]
Watch: TypeAlias = Callable[[ReadContext, ChannelWanted], Awaitable[Channel]]
Unwatch: TypeAlias = Callable[[ReadContext, Cursor], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What one poll of one person's connection tells about all subjects of a kind.

    Attributes:
        name: unique in its connector: "deals".
        scopes: the least that polling needs (S27).
        poll: the changes since a cursor; with None it only says where "from now on" begins.
        watch: opens a channel, where the provider tells each connection by itself; None where
            it does not. It changes nothing that a person could see.
        unwatch: closes one, by its handle.
    """

    name: str
    scopes: frozenset[str]
    poll: Poll
    watch: Watch | None = None
    unwatch: Unwatch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that can be waited for.

    Attributes:
        connector: the provider's name.
        name: unique in all connectors, snake case: what a plan's `wait` names.
        summary: one line for the planner: "a deal reaches a stage".
        subject: the kind of id that it is about, as `connector.kind` (S5).
        words: what a card says after "waits until", from the value: "the deal reaches Won".
        value: what the value is called ("stage"); None where the event has no value.
        stream: the stream that hints at it.
        scopes: the least that `check` needs (S27).
        check: whether it happened, read through the person's own connection.
    """

    connector: str
    name: str
    summary: str
    subject: str
    words: Callable[[str | None], str]
    value: str | None = None
    stream: str
    scopes: frozenset[str]
    check: Check


@dataclass(frozen=True, slots=True)
class Hint:
    """What a webhook says may have changed; nothing of it is believed.

    Attributes:
        delivery: the provider's own id of this delivery, or a digest of it: it is taken once.
        stream: which stream it is about; None where nothing of it can be waited for.
        subjects: the ids that it names; none where the provider only says that something changed.
        channel: the channel that it came on, whose stream is polled then; None without one.
    """

    delivery: str
    stream: str | None
    subjects: frozenset[str] = frozenset()
    channel: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A webhook as it arrived, before anything of it is believed.

    Attributes:
        method: in upper case.
        url: the public address that the provider was given.
        headers: by lower-case names.
        body: byte for byte.
        now_s: seconds since the epoch, by the database's clock.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    now_s: float


class HookRefusedError(Exception):
    """A webhook is not what its provider sends; nothing of it was taken."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


Webhook: TypeAlias = Callable[[Delivery, str], tuple[Hint, ...]]
"""Verifies a delivery over its raw bytes with the app's client secret, in constant time and within
five minutes, and returns what it hints at; raises `HookRefusedError`."""
