"""The planner protocol: what a planner is asked, and every way in which it may answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from bot.planning.parse.addresses import Colleague
from bot.planning.plan import Question
from bot.planning.valid import ValidPlan
from connectors.actions import Result


@dataclass(frozen=True, slots=True)
class Clarification:
    """A question that was asked before, and what the requester answered or clicked."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class PastTask:
    """A task that ended or runs, as a planner may read it: no outside text, only handles.

    Attributes:
        key: never used again.
        action: the short name.
        arguments: as planned, references in the form of a plan.
        state: done, failed, rejected, skipped or running.
        result: clipped; None unless done.
        problem: one line; None where nothing went wrong.
        sees: what references to it see; None where it has no result to refer to.
        is_read: whether it only read.
    """

    key: str
    action: str
    arguments: JsonValue
    state: str
    result: JsonValue
    problem: str | None
    sees: type[Result] | None
    is_read: bool


@dataclass(frozen=True, slots=True)
class LeftTask:
    """A task that did not run yet. It stays if the answer has it under its id."""

    key: str
    call: JsonValue
    """The whole task in the form of a plan."""
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """What became of a plan so far, for the round that plans the rest.

    Attributes:
        problem: the deviation that led here, in a line; None in a second round.
        past: fixed tasks, in plan order.
        left: what was still to do.
        writes: the write actions that the committed plan announced.
        is_last: no further round follows: the answer is final.
        has_outside: names that strangers wrote are among the results (S3).
        budget: which budget of the goal is nearly used up, in a line; None while there is enough.
    """

    problem: str | None
    past: Sequence[PastTask]
    left: Sequence[LeftTask]
    writes: Sequence[str]
    is_last: bool
    has_outside: bool
    budget: str | None = None


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What somebody wants, and what its meaning depends on. It holds no token and no record.

    Attributes:
        text: the requester's message, as Slack sent it or as typed.
        zone: the requester's time zone.
        now: an aware instant.
        person_name: how the requester is called.
        team_id: for the usage row.
        goal_id: for the usage row; None before there is a goal.
        people: colleagues whom the message may name.
        clarifications: earlier questions about this goal, oldest first.
        progress: what became of the plan so far; None before there is one.
    """

    text: str
    zone: ZoneInfo
    now: datetime
    person_name: str
    team_id: str = ""
    goal_id: int | None = None
    people: Sequence[Colleague] = ()
    clarifications: Sequence[Clarification] = ()
    progress: Progress | None = None

    @property
    def said(self) -> str:
        """Everything the requester wrote about this goal: what provenance may point into."""
        return "\n".join([self.text, *(item.answer for item in self.clarifications)])


class TalkKind(StrEnum):
    GREETING = "greeting"
    HELP = "help"
    THANKS = "thanks"


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan to show or run. `author` is `offline` or `model:<name>`."""

    plan: ValidPlan
    author: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Something is missing. A choice is a complete message that may replace the requester's."""

    question: Question
    author: str


@dataclass(frozen=True, slots=True)
class Declined:
    """Nothing will be done; `reason` is a sentence for the requester, `examples` what can be."""

    reason: str
    examples: tuple[str, ...]
    author: str
    unexplained: str = ""
    """The words that no reading explains, where that is why."""


@dataclass(frozen=True, slots=True)
class SmallTalk:
    """No goal: a greeting, a thank-you, a call for help; `examples` are worth clicking."""

    kind: TalkKind
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """The requester wants the goal of this thread cancelled."""


@dataclass(frozen=True, slots=True)
class NothingLeft:
    """A later round found that nothing remains to be done; `say` tells the requester why."""

    say: str
    author: str


PlanOutcome: TypeAlias = Planned | NothingLeft | Asked | Declined | SmallTalk | CancelRequested


class Planner(Protocol):
    """Turns a request into a validated plan, or says why not. It runs nothing."""

    @property
    def can_replan(self) -> bool:
        """Whether it can go on with a plan: later rounds, and re-plans after a deviation."""
        ...

    async def plan(self, request: PlanRequest) -> PlanOutcome:
        """Return the outcome; a text that cannot be planned is `Declined` or `Asked`, no error."""
        ...
