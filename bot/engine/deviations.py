"""Deviations: what a plan did not foresee, which goes to the planner once."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from storage.tables.goals import Task, TaskStatus

MAX_REPLANS = 2
"""At most so many re-plans of a goal, whatever the settings say (PLAN_FORMAT)."""

_NEVER_REPLANNED = frozenset(
    # What policy or an upgrade refuses, another plan must not go around.
    {"denied", "nobody_to_ask", "tampered", "removed", "budget", "defect", "unknown"}
    # An undo's own words; and what a person settled or ended.
    | {"changed", "settled", "cancelled", "expired"}
)


class Kind(StrEnum):
    NEXT_ROUND = "next_round"
    """No deviation: the plan itself asked to see results."""
    FAILED = "failed"
    REJECTED = "rejected"
    EDITED = "edited"
    """An approver changed a call: the rest may have to change with it."""
    BUDGET = "budget"
    WISH = "wish"
    """Its requester wants more, or something else; no re-plan that counts."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """Why the planner is asked again; stored with the goal until it has answered."""

    kind: Kind
    task: str | None
    message: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(Kind(data["kind"]), data["task"], data["message"])


NEXT_ROUND = Deviation(Kind.NEXT_ROUND, None, "")


def find_deviation(tasks: Sequence[Task]) -> Deviation | None:
    """Return the first task that went otherwise than planned, among those the plan still has.

    Retries exhausted, a reference without a value, a result that fails its type, an empty list
    that a later task needs and a provider's refusal end a task as failed; a decision that
    rejected it as declined. A deadline that passed is none: nobody said no.
    """
    for task in tasks:
        failure = task.failure or {}
        code = failure.get("code")
        if task.dropped_in is not None or task.parent_key is not None or code in _NEVER_REPLANNED:
            continue
        message = str(failure.get("message") or "It was not done.")
        if task.status is TaskStatus.FAILED:
            return Deviation(Kind.FAILED, task.key, message)
        if task.status is TaskStatus.DECLINED:
            return Deviation(Kind.REJECTED, task.key, message)
    return None
