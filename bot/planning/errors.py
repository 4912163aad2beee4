"""What is wrong with a plan, in words that a planner can act on."""

from dataclasses import dataclass
from enum import StrEnum


class PlanningError(Exception):
    """Root of the errors of `bot.planning`."""


class PlanFlaw(StrEnum):
    """The kinds of error, in the order in which the validator looks for them."""

    JSON = "json"
    SCHEMA = "schema"
    DUPLICATE_ID = "duplicate_id"
    UNKNOWN_ACTION = "unknown_action"
    ARGUMENT = "argument"
    REFERENCE = "reference"
    WAIT = "wait"
    CYCLE = "cycle"
    BUDGET = "budget"
    SCOPE = "scope"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Flaw:
    """One error: what, where, and how to mend it. `message` never quotes free text at length."""

    kind: PlanFlaw
    message: str
    task: str | None = None
    field: str | None = None

    def __str__(self) -> str:
        where = ".".join(part for part in (self.task, self.field) if part)
        return f"{where}: {self.message}" if where else self.message
