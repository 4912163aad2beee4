"""The planner protocol: what a planner is asked, and every way in which it may answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias
from zoneinfo import ZoneInfo

from bot.planning.parse.addresses import Colleague
from bot.planning.plan import Question
from bot.planning.valid import ValidPlan


@dataclass(frozen=True, slots=True)
class Clarification:
    """A question that was asked before, and what the requester answered or clicked."""

    question: str
    answer: str


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
    """

    text: str
    zone: ZoneInfo
    now: datetime
    person_name: str
    team_id: str = ""
    goal_id: int | None = None
    people: Sequence[Colleague] = ()
    clarifications: Sequence[Clarification] = ()

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


PlanOutcome: TypeAlias = Planned | Asked | Declined | SmallTalk | CancelRequested


class Planner(Protocol):
    """Turns a request into a validated plan, or says why not. It runs nothing."""

    async def plan(self, request: PlanRequest) -> PlanOutcome:
        """Return the outcome; a text that cannot be planned is `Declined` or `Asked`, no error."""
        ...
