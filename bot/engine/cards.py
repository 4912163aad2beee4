"""What the cards show: typed, no Slack in it. `card_queries` fills them, `bot.views` draws them."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.goals.lifecycle import SETTLED
from connectors.actions import Detail, Link
from connectors.labels import Label
from storage.tables.approvals import ApprovalStatus
from storage.tables.goals import GoalStatus, TaskStatus
from storage.tables.remarks import RemarkStatus


@dataclass(frozen=True, slots=True)
class ShownDetail:
    """A value on a card and where it came from (ARCHITECTURE.md, section 5)."""

    detail: Detail
    label: Label | None = None
    source: str = ""


BY_RUN = "you, by pressing Run"
NOBODY = "nobody can give it yet, an admin must be named"
"""What `Step.asked` says where no other person is waited for."""


@dataclass(frozen=True, slots=True)
class Step:
    """One task of a plan as a person reads it."""

    key: str
    task_id: int
    sentence: str
    details: tuple[ShownDetail, ...]
    status: TaskStatus
    asked: str | None
    """Who will be or was asked, in words: "you (Run)", "Mo Haddad"; None when nobody is."""
    notifies: str | None = None
    problem: str | None = None
    """Why it failed, was declined or waits, in a sentence with the remedy."""
    links: tuple[Link, ...] = ()
    can_undo: bool = False
    is_read: bool = False
    changed: bool = False
    """True when this version of the plan changed it."""
    waits: str | None = None
    """What it waits for before it runs: "waits until Tue 1 Dec 09:00 CET"; None when it is over."""
    note: str | None = None
    """That it ran late, or did not wait, in a sentence."""
    provider: str = ""
    """What people call the provider that it uses; "" for a built-in."""
    rows: tuple["Step", ...] = ()
    """Its rows, where it is done once for each element of a list."""


@dataclass(frozen=True, slots=True)
class GoalCard:
    """A goal's card: one per goal, updated in place."""

    goal_id: int
    requester_id: str
    text: str
    status: GoalStatus
    version: int
    author: str
    """`offline`, `model:<name>`, `person:<id>`; "" before there is a plan."""
    say: str
    steps: tuple[Step, ...]
    changes: tuple[str, ...]
    """How this version differs from the one before, in sentences."""
    question: str | None
    choices: tuple[str, ...]
    reason: str | None
    zone: ZoneInfo
    can_run: bool
    can_edit: bool
    can_cancel: bool
    can_pause: bool = False
    can_resume: bool = False
    estimate_s: float | None = None
    """How long what is left takes, in seconds, besides what people take; None once it ended."""
    decides_alone: bool = False
    """True when nobody else could be asked: a team of one is told so."""
    halted: str | None = None
    """Who halted every write, since when and why, where that holds this goal."""
    is_undo: bool = False
    """True for a goal that takes back what another one did."""
    ran_at_once: bool = False
    """True when nobody was asked: all of it was the requester's own, silent and reversible."""

    @property
    def undoable(self) -> tuple[Step, ...]:
        """The steps that one click may take back together, once the goal has ended."""
        found = tuple(step for step in self.every_step if step.can_undo)
        return found if self.status in SETTLED and len(found) > 1 else ()

    @property
    def every_step(self) -> tuple[Step, ...]:
        """The steps, each followed by its rows."""
        return tuple(item for step in self.steps for item in (step, *step.rows))


@dataclass(frozen=True, slots=True)
class ApprovalLine:
    """One call of an approval."""

    item_id: int
    sentence: str
    details: tuple[ShownDetail, ...]
    notifies: str | None
    status: ApprovalStatus
    status_reason: str | None
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None
    links: tuple[Link, ...] = ()
    task_status: TaskStatus | None = None
    difference: tuple[Detail, ...] = ()
    """What changed since it was last shown (S18), when it is asked again."""


@dataclass(frozen=True, slots=True)
class ApprovalCard:
    """An approval's card, for the people who may decide."""

    approval_id: int
    goal_id: int
    requester_id: str
    requester_name: str
    goal_text: str
    provider_title: str
    account: str
    lines: tuple[ApprovalLine, ...]
    people: tuple[str, ...]
    why: str
    """Why these people are asked: the policy rule in words."""
    deadline_at: datetime
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class ConnectCard:
    """Asks one person to connect a provider; the link is made anew when it is rendered."""

    provider: str
    title: str
    scopes: tuple[str, ...]
    """What each asked scope allows, in plain words."""
    why: str
    url: str
    connected_as: str | None
    """Set once connected: the card then says so."""


@dataclass(frozen=True, slots=True)
class UnknownCard:
    """Asks a human whether a call took effect whose reply was lost."""

    task_id: int
    goal_id: int
    sentence: str
    details: tuple[ShownDetail, ...]
    provider_title: str
    look_url: str | None
    settled: str | None
    """How it was settled and by whom; None while open."""
    can_run_again: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionCard:
    """Asks a requester for another value, in the goal's thread; nothing of the step was done."""

    task_id: int
    goal_id: int
    requester_id: str
    sentence: str
    message: str
    """Why the value was refused, in a sentence."""
    fields: tuple[str, ...]
    """What people call the values that may be changed; words answer the first."""
    choices: tuple[str, ...]
    version: int
    answered: str | None
    """What became of it; None while it is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffCard:
    """Something that a defect of ours stopped; `position` is None where it was a whole goal."""

    handoff_id: int
    requester: str
    asked: str
    position: int | None
    step: str | None
    """What the step was to do, in a sentence; None where nothing was frozen yet."""
    is_unknown: bool
    is_failed: bool
    """Neither: a human has said meanwhile what became of it."""
    provider_title: str | None
    look_url: str | None
    reference: str
    settled_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemarkCard:
    """A message about a goal under way: what it may mean, or what became of it."""

    remark_id: int
    requester_id: str
    text: str
    """What the person wrote."""
    status: RemarkStatus
    said: str
    options: tuple[tuple[str, str], ...]
    """What a button says, and what it would do."""
    goal: GoalCard | None = None
    """How the goal stands, where the person asked that."""


@dataclass(frozen=True, slots=True)
class AwaitedCard:
    """Tells a requester that a long wait is over."""

    requester_id: str
    text: str


@dataclass(frozen=True, slots=True)
class AnswerCard:
    """An answer for the requester alone, rendered by code from rows."""

    question: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int
    links: tuple[Link, ...]
    outside: bool
    """True when text of strangers is among the rows; the card marks it."""


@dataclass(frozen=True, slots=True)
class FormField:
    """One input of an edit modal, made from an argument model."""

    name: str
    title: str
    kind: str
    """text, multiline, number, date, datetime, emails, select, checkbox, readonly."""
    value: str
    options: tuple[str, ...] = ()
    required: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class StepForm:
    key: str
    title: str
    can_drop: bool
    fields: tuple[FormField, ...]
    is_row: bool = False
    """True for one element of a list's step, which stands before it."""


@dataclass(frozen=True, slots=True)
class PlanForm:
    """The edit modal of a plan (all its steps) or of one call of an approval (one step)."""

    goal_id: int
    version: int
    item_id: int | None
    steps: tuple[StepForm, ...]
