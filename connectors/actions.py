"""What an action is: a typed function of a connector, declared with everything the gate needs."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, JsonValue

from connectors.labels import Label


class Effect(StrEnum):
    """What a call does, computed from its arguments; the tiers of ARCHITECTURE.md, section 6."""

    READ = "read"
    OWN = "own_silent_reversible"
    SHARED = "shared_reversible"
    IRREVERSIBLE = "irreversible_or_seen_by_others"


class Idempotency(StrEnum):
    """How a call whose reply was lost is settled."""

    READ = "read"
    """Repeat it: it changes nothing."""
    KEYED = "keyed"
    """Repeat it with the same key: the provider deduplicates."""
    VERIFIABLE = "verifiable"
    """Look it up by the key; repeat only when it is certain not to have happened."""
    UNSAFE = "unsafe"
    """Only a human can tell: the outcome is `unknown`."""


class Arguments(BaseModel):
    """Base of argument models: closed, immutable; what runs is the model's canonical JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Result(BaseModel):
    """Base of result models: ours, so closed; each field declares its label with `Out`."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Arg:
    """Annotation of an argument field: `Annotated[str, Arg(title="Deal name")]`.

    Attributes:
        title: what a card and the edit modal call it.
        id_kind: set when the value is an id: its type as `connector.kind` (S5).
        recipient: True when somebody outside this call is notified at this address.
        multiline: True when the edit modal shows a text area.
        choices: Value → what people call it. The edit modal offers these names; a value that is
            not among them stays as it is typed.
    """

    title: str
    id_kind: str | None = None
    recipient: bool = False
    multiline: bool = False
    choices: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Out:
    """Annotation of a result field: which label its value has; undeclared means `outside`."""

    label: Label
    id_kind: str | None = None


@dataclass(frozen=True, slots=True)
class Detail:
    """One line of a card: a named value, and what it was before where something changes."""

    name: str
    value: str
    before: str | None = None
    pointer: str | None = None
    """JSON pointer of the argument it shows, so that a card can mark its label."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a card says a call will do; made by code from the frozen call alone (S17)."""

    sentence: str
    details: tuple[Detail, ...] = ()
    notifies: str | None = None
    """Who hears of it outside Countersign, for example "Google Calendar mails jane@…"."""


@dataclass(frozen=True, slots=True)
class PreviewContext:
    """What a preview may use besides the arguments."""

    zone: ZoneInfo
    before: dict[str, JsonValue] | None
    """The precondition that was read when the call was frozen."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Argument that is an id → the name of what was found. Only before a call is frozen, where it
    makes the plan's card readable; what runs is shown by `before`."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link to what was made or found."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class UndoCall:
    """The call that takes an effect back: an action of the same connector."""

    action: str
    arguments: dict[str, JsonValue]
    expects: dict[str, JsonValue] | None = None
    """The precondition it must find; otherwise somebody edited since and it is refused."""


class Slot(StrEnum):
    """What a placeholder of an example phrasing may stand for; `connectors` only names the kinds.

    `{name}` gives the value; where parts are listed, `{name.part}` gives one of them.
    """

    TEXT = "text"
    """One to six plain words, or anything in quotation marks: the title of an event."""
    NAME = "name"
    """A proper name: Acme, Jane Doe, Procter & Gamble, or anything in quotation marks."""
    EMAIL = "email"
    EMAILS = "emails"
    """E-mail addresses, or names of colleagues, joined by commas or "and": a list."""
    MONEY = "money"
    """`.amount` ("48000.00") and `.currency` ("USD", or null when none was written)."""
    DURATION = "duration"
    """A length of time: it gives `{when.end}` its distance from `{when.start}`."""
    WHEN = "when"
    """A day and a time of day: `.start` and `.end`, RFC 3339 in the person's zone. As a part it
    may stand twice, once with the day and once with the time."""
    PERIOD = "period"
    """A day or a week: `.start` and `.end`, midnight to midnight in the person's zone."""
    CHOICE = "choice"
    """One of the phrases in `Example.choices`."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A read that comes first, and which field of its result an argument takes.

    Two lookups of one example with equal action and arguments are one task.
    """

    action: str
    arguments: Mapping[str, "Fill"]
    path: tuple[str | int, ...]
    every: bool = False
    """True: not the row that `path` names by its index but each row, in a call of its own. All such
    lookups of one example go through the same list."""


Fill: TypeAlias = JsonValue | Lookup | tuple[str, ...]
"""How an argument gets its value: a literal; "{slot}" or "{slot.part}"; a lookup; or a tuple of
placeholders, of which the first that was written counts."""


@dataclass(frozen=True, slots=True)
class Example:
    """A phrasing that the offline planner understands; it adds nothing to what an action may do.

    Patterns: plain words match themselves, in any case; `[a|the]` may be left out; `(for|with)`
    is one of these; `{slot}` is a placeholder; both brackets nest. Commas and the closing
    punctuation of a clause need no mention. An argument that is not in `fills`, or whose
    placeholder was not written, is null or its default.

    Attributes:
        text: how the clause begins, for example "create [a|the] deal (for|with) {company}".
        slots: the kind of every placeholder in `text` and `parts`. `{zone}` (the person's IANA
            zone) and `{clause}` (their words) need no declaration and stand in `fills` only.
        fills: argument → where its value comes from.
        parts: phrases that may follow in any order, each at most once: "worth {amount}".
        choices: placeholder of kind CHOICE → phrase → value.
        asks: argument → the question to ask when nothing fills it and it may not be null.
        shown: a complete sentence that people are shown and may click; a test plans it.
    """

    text: str
    slots: Mapping[str, Slot] = field(default_factory=dict)
    fills: Mapping[str, Fill] = field(default_factory=dict)
    parts: tuple[str, ...] = ()
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    asks: Mapping[str, str] = field(default_factory=dict)
    shown: str = ""


class HttpResponse(Protocol):
    """The part of an HTTP response that a connector reads."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Any: ...
    def json(self) -> Any: ...


class Http(Protocol):
    """An HTTP client bound to one person's connection, one provider and its allowed hosts."""

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        json: Any = None,
        headers: dict[str, str] | None = None,
        reads: bool = False,
    ) -> HttpResponse:
        """Send and return the response of any status but 401, 429 and 5xx.

        `reads` is True for a request that changes nothing although its method could, such as a
        search by POST.

        Raises:
            RetryLaterError: nothing was sent (not connected, breaker open, lease over).
            OutcomeUnknownError: something was sent and no complete answer came.
            ReconnectRequiredError: the token is gone and could not be renewed.
        """
        ...


@dataclass(frozen=True, slots=True)
class ReadContext:
    """What a read may use (precondition, verify, probes): the person's client and its account."""

    http: Http
    account: str
    web_url: str
    """Where the provider's own pages live, for links."""


@dataclass(frozen=True, slots=True)
class RunContext(ReadContext):
    """What a run may use besides: the key of this call and how it is to be deduplicated."""

    key: str
    """Stable for one frozen call: 32 lower-case hexadecimal digits."""
    idempotency: Idempotency
    precondition: dict[str, JsonValue] | None


Run: TypeAlias = Callable[[RunContext, Any], Awaitable[Result]]
Verify: TypeAlias = Callable[[RunContext, Any], Awaitable[Result | None]]
Precondition: TypeAlias = Callable[[ReadContext, Any], Awaitable[dict[str, JsonValue]]]
PreviewOf: TypeAlias = Callable[[Any, PreviewContext], Preview]
UndoOf: TypeAlias = Callable[[Any, Any, dict[str, JsonValue] | None], UndoCall | None]
Probe: TypeAlias = Callable[[ReadContext], Awaitable[Idempotency]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A declared action. Registration refuses a write without preview, or reversible without undo.

    Attributes:
        connector: the provider's name, or `builtin`.
        name: unique in all connectors, snake case: what a plan calls.
        version: raise it when arguments or their meaning change; it is part of the hash.
        summary: one line for the planner and for people: "Create a deal".
        effect: computed from validated arguments.
        scopes: computed from validated arguments: the least that this call needs (S27).
        idempotency: how a lost reply is settled; a probe may weaken it per account.
        precondition: what must still hold at execution, read when the call is frozen (S18).
        verify: look an effect up by key; None means "certainly not there".
        undo: the call that takes the effect back, from (arguments, result, precondition).
        undo_within_s: how long after it ended it can be taken back; None: as long as it is
            unchanged.
        links: what a card links to once it has run.
        examples: phrasings for the offline planner.
        deletes: True for what always asks whatever the policy says (S6).
    """

    connector: str
    name: str
    version: int = 1
    summary: str
    arguments: type[Arguments]
    result: type[Result]
    effect: Callable[[Any], Effect]
    scopes: Callable[[Any], frozenset[str]]
    idempotency: Idempotency
    run: Run
    preview: PreviewOf
    precondition: Precondition | None = None
    verify: Verify | None = None
    undo: UndoOf | None = None
    undo_within_s: float | None = None
    probe: Probe | None = None
    links: Callable[[Any], tuple[Link, ...]] = field(default=lambda _result: ())
    examples: tuple[Example, ...] = ()
    deletes: bool = False
    planned: bool = True
    """False: never offered to a planner (an action that exists only to undo another)."""
    is_removed: bool = False
    """True: an upgrade removed it; see `connectors.removed`."""

    @property
    def qualified_name(self) -> str:
        return f"{self.connector}.{self.name}"


def always(effect: Effect) -> Callable[[Any], Effect]:
    """Return an effect function for actions whose arguments do not matter."""
    return lambda _arguments: effect


def needs(*scopes: str) -> Callable[[Any], frozenset[str]]:
    """Return a scopes function for actions whose arguments do not matter."""
    fixed = frozenset(scopes)
    return lambda _arguments: fixed
