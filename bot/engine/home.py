"""What a person's Home shows: typed, no Slack in it."""

from dataclasses import dataclass
from datetime import time
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class HomeLine:
    """One thing in one sentence, with a link to its card."""

    text: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class HomeGoal:
    """One of the person's goals; `status` is in words."""

    goal_id: int
    text: str
    status: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class HomeConnection:
    """One provider: `status` in words, `account` as the provider names it."""

    provider: str
    title: str
    status: str
    account: str | None
    is_connected: bool
    trouble: str | None = None
    """That it does not answer, since when, and what waits for it, in a sentence."""


@dataclass(frozen=True, slots=True)
class HomeDigest:
    """When the person's digest comes; `weekdays` are ISO weekdays, Monday is 1."""

    at: time
    weekdays: tuple[int, ...]
    zone: ZoneInfo
    is_on: bool


@dataclass(frozen=True, slots=True)
class HomeHalt:
    """Whether every write is halted, for an admin."""

    said: str | None
    """Who halted, since when and why; None while nothing is halted."""
    held: int
    """How many goals could go on but for the halt."""
    can_resume: bool
    """False where it was halted from the command line: it ends there."""


@dataclass(frozen=True, slots=True)
class HomeView:
    """Everything on one person's Home."""

    waiting_for_you: tuple[HomeLine, ...]
    goals: tuple[HomeGoal, ...]
    connections: tuple[HomeConnection, ...]
    digest: HomeDigest | None
    examples: tuple[str, ...]
    halt: HomeHalt | None = None
    """None for everybody who is no admin."""
