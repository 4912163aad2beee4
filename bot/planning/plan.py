"""The plan format: what a planner returns, before anything is checked against the registry."""

from enum import StrEnum
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictInt, StrictStr

EACH = "each"
"""The task name that a reference uses for the current element of a `for_each`."""


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Ref(_Closed):
    """A value of an earlier task's result. The path is a list: keys contain spaces and dots."""

    task: str
    path: list[StrictStr | StrictInt]

    def __str__(self) -> str:
        return ".".join([self.task, *map(str, self.path)])


class GuardOp(StrEnum):
    EXISTS = "exists"
    EMPTY = "empty"
    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    CONTAINS = "contains"


Scalar = str | int | float | bool | None


class Guard(_Closed):
    """Runs its task only if it holds; false skips the task and what needs it, without failure."""

    left: Ref
    op: GuardOp
    right: Scalar


class WaitUntil(_Closed):
    """Waits for an instant, or for a time of day on a date, in the requester's zone.

    `at` is "09:00"; null means 09:00 on a date and the very instant otherwise.
    """

    until: Ref | str
    at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] | None


class WaitFor(_Closed):
    """Waits for an ISO 8601 duration after everything that its task depends on has ended."""

    duration: str = Field(alias="for")


class WaitEvent(_Closed):
    """Waits until something happens outside, at most so long.

    `subject` is the id of what it is about, looked up by an earlier task. `value` says which of
    such events, where the event has several: the stage that is reached.
    """

    event: str
    subject: Ref
    value: str | None
    at_most: str


Wait: TypeAlias = WaitUntil | WaitFor | WaitEvent


class Question(_Closed):
    """What a planner asks instead of inventing a value."""

    text: str
    choices: list[str]


class PlannedTask(_Closed):
    """One action of a plan. `call` has exactly one key: the action's name."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,19}$")]
    call: Annotated[dict[str, dict[str, JsonValue]], Field(min_length=1, max_length=1)]
    after: list[str]
    for_each: Ref | None
    when: Guard | None
    wait: Wait | None
    why: str

    @property
    def action(self) -> str:
        return next(iter(self.call))

    @property
    def arguments(self) -> dict[str, JsonValue]:
        return next(iter(self.call.values()))


class Plan(_Closed):
    """A planner's whole answer. `final` false means: run the reads, then let me plan the rest."""

    say: str
    tasks: list[PlannedTask]
    writes: list[str]
    question: Question | None
    final: bool


def as_ref(value: Any) -> Ref | None:
    """Return the reference that an argument value is, or None for a literal.

    An object with exactly the keys `task` and `path` is a reference, well-formed or not; no
    argument model may have these two fields alone.

    Raises:
        pydantic.ValidationError: when it has the shape of a reference and is not one.
    """
    if isinstance(value, dict) and value.keys() == {"task", "path"}:
        return Ref.model_validate(value)
    return None
