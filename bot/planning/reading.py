"""What a message about a goal under way is read as, and what whoever reads it may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias
from zoneinfo import ZoneInfo

GOES_ON = "goes_on"
"""The field of a step that waits for an instant; no argument is called so."""


class MessageKind(StrEnum):
    CHANGE = "change"
    GOAL = "goal"
    EITHER = "either"
    QUESTION = "question"
    SMALL_TALK = "small_talk"


@dataclass(frozen=True, slots=True)
class FieldSeen:
    """One input of an open step's form.

    Attributes:
        value: as the form shows it; a handle («…») for a reference and a stranger's words.
    """

    name: str
    title: str
    kind: str
    value: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepSeen:
    """A step as a model may read it: the action's own words, no preview, no stranger's text."""

    key: str
    does: str
    is_open: bool
    fields: tuple[FieldSeen, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """One message, and the goal that it may be about.

    Attributes:
        text: the message.
        goal: everything that the person wrote about the goal so far.
        zone: the person's.
        now: an aware instant.
        steps: the writes of the plan, in order.
        team_id: for the usage row.
        goal_id: for the usage row.
        asked: the step and the field about whose value the person is asked now.
    """

    text: str
    goal: str
    zone: ZoneInfo
    now: datetime
    steps: Sequence[StepSeen]
    team_id: str
    goal_id: int
    asked: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class NewValue:
    step: str
    field: str
    value: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model made of a message. A proposal: nothing of it is checked but its form."""

    kind: MessageKind
    drop: tuple[str, ...] = ()
    values: tuple[NewValue, ...] = ()
    add: bool = False


@dataclass(frozen=True, slots=True)
class Unread:
    """Nobody could read it; `reason` is a sentence for the person."""

    reason: str


Read: TypeAlias = Reading | Unread


class Reader(Protocol):
    """Reads one message. It changes nothing."""

    async def read(self, request: ReadRequest) -> Read:
        """Return what the message means; a model that fails is `Unread`, no error."""
        ...
