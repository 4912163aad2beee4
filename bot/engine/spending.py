"""Spending: what a goal has used of its budgets so far, counted from its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import JsonValue

from bot.engine.progress import is_read
from bot.engine.rows import is_list
from connectors.actions import Action, Arg
from connectors.registry import Registry
from storage.tables.goals import Task, TaskStatus

BEGUN = frozenset(
    {
        TaskStatus.RUNNING,
        TaskStatus.SUCCEEDED,
        TaskStatus.UNKNOWN,
        TaskStatus.FAILED,
        TaskStatus.UNDONE,
    }
)
"""Of a task that was frozen: its call was made, or may have been."""


@dataclass(frozen=True, slots=True)
class Spending:
    """What a goal has used.

    Attributes:
        tasks: steps of all plan versions; rows of a list are no steps.
        calls: requests to providers: each task that began, and its repeats. A wait for a
            provider that does not answer is none.
        writes: tasks that began and change something.
        recipients: addresses that stand in the plan for writes that began; what a reference
            brings is not among them.
    """

    tasks: int
    calls: int
    writes: int
    recipients: int

    def with_call(self, *, is_write: bool) -> "Spending":
        """Return it with one more call."""
        return replace(self, calls=self.calls + 1, writes=self.writes + is_write)


def has_begun(task: Task) -> bool:
    """Whether a call of a task was made, or may have been."""
    return task.status in BEGUN and task.call_id is not None


def spending(tasks: Sequence[Task], registry: Registry) -> Spending:
    """Return what a goal has used."""
    outside = [t for t in tasks if not is_list(t) and not t.action.startswith("builtin.")]
    begun = [task for task in outside if has_begun(task)]
    writes = [task for task in begun if not is_read(task, registry)]
    reached: set[str] = set()
    for task in writes:
        reached |= recipients_of(registry.stored_action(task.action), task.spec["arguments"])
    return Spending(
        tasks=sum(task.parent_key is None for task in tasks),
        calls=len(begun) + sum(task.tries for task in outside),
        writes=len(writes),
        recipients=len(reached),
    )


def recipients_of(action: Action, arguments: Mapping[str, JsonValue]) -> set[str]:
    """Return the addresses in those arguments whose people are notified, case folded."""
    found: set[str] = set()
    for name, info in action.arguments.model_fields.items():
        if any(isinstance(note, Arg) and note.recipient for note in info.metadata):
            value = arguments.get(name)
            values = value if isinstance(value, list) else [value]
            found |= {item.casefold() for item in values if isinstance(item, str)}
    return found
