"""What of a goal can be taken back, what cannot and why, and in which order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from bot.engine.arguments import arguments_of_task
from bot.engine.progress import is_read
from bot.engine.rows import is_list
from connectors.actions import UndoCall
from connectors.registry import Registry
from storage.database import Transaction
from storage.tables.goals import Task, TaskStatus

_HOUR_S = 3600
_TWO_DAYS_S = 172_800
_NOT_SAID = {
    TaskStatus.UNKNOWN: "Left as it is: first say on its card whether it happened.",
    TaskStatus.RUNNING: "Left as it is: it is still running. Undo it once it has ended.",
    TaskStatus.FAILED: "Left as it is: nobody could say whether it happened. Look and decide.",
}
_UNDER_WAY = "Its own undo is under way already."
_UNCLEAR = "I cannot tell any more what exactly it did. Change it back by hand if you want to."
_NO_UNDO = "This cannot be taken back by me. Change it back by hand if you want to."


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that a goal did, or may have done, and that has not been taken back.

    Attributes:
        task: what did it.
        undo: the call that takes it back, or why there is none, in a sentence.
        above: keys of the other effects that build on it.
    """

    task: Task
    undo: UndoCall | str
    above: frozenset[str]


async def undo_of(tx: Transaction, task: Task, registry: Registry) -> UndoCall | str:
    """Return the call that would take a task's effect back, or why there is none."""
    action = registry.stored_action(task.action)
    if task.status is not TaskStatus.SUCCEEDED:
        return _NOT_SAID.get(task.status, "There is nothing to undo.")
    if action.undo is None:
        return _UNCLEAR if action.is_removed else _NO_UNDO
    if task.result is None or task.call_id is None:
        return _UNCLEAR
    window = action.undo_within_s
    if window is not None and not await tx.undos.ended_within(task.team_id, task.id, window):
        return f"Too late: it can be undone for {_length(window)} only."
    await tx.results.load([task])
    call = await tx.calls.get(task.team_id, task.call_id)
    try:
        arguments, result = arguments_of_task(action, call.body["arguments"], task.result)
    except ValidationError:
        # Another version stored it; what it would take back is not known any more.
        return _UNCLEAR
    return action.undo(arguments, result, call.body["precondition"]) or _NO_UNDO


async def effects_of(tx: Transaction, tasks: Sequence[Task], registry: Registry) -> list[Effect]:
    """Return what a goal's tasks did and what is not undone, the newest first.

    Rows of a list stand for themselves. What had ended later comes first, so what builds on
    something comes before it, and so does a later change of the same record.
    """
    done = [task for task in tasks if _may_have_done(task, registry)]
    done.sort(key=_when, reverse=True)
    under_way = await tx.undos.find_undone(done[0].team_id, [t.id for t in done]) if done else ()
    built_on = {task.key: _built_on(task, tasks) for task in done}
    return [
        Effect(
            task,
            _UNDER_WAY if task.id in under_way else await undo_of(tx, task, registry),
            frozenset(key for key, below in built_on.items() if task.key in below),
        )
        for task in done
    ]


def _may_have_done(task: Task, registry: Registry) -> bool:
    if is_read(task, registry) or is_list(task):
        return False
    if task.status is TaskStatus.FAILED:
        return (task.failure or {}).get("verdict") == "leave"
    return task.status in (TaskStatus.SUCCEEDED, TaskStatus.UNKNOWN, TaskStatus.RUNNING)


def _when(task: Task) -> tuple[bool, float, int, int, int]:
    """Return when a task ended, for sorting: what has not ended yet is the newest."""
    at = task.finished_at
    return (at is None, at.timestamp() if at else 0.0, task.position, task.row or 0, task.id)


def _built_on(task: Task, tasks: Sequence[Task]) -> frozenset[str]:
    """Return the keys of every task that one needed, however many steps before it."""
    by_key = {item.key: item for item in tasks}
    found: set[str] = set()
    left = list(_needs(task, tasks))
    while left:
        key = left.pop()
        if key not in found and key in by_key:
            found.add(key)
            left += _needs(by_key[key], tasks)
    return frozenset(found - {task.key})


def _needs(task: Task, tasks: Sequence[Task]) -> Iterator[str]:
    """Yield the tasks that one needed; who needs a list needs its rows."""
    yield from task.depends_on
    for other in tasks:
        if other.parent_key in task.depends_on:
            yield other.key


def _length(seconds: float) -> str:
    if seconds < 2 * _HOUR_S:
        return f"{round(seconds / 60)} minutes"
    if seconds < _TWO_DAYS_S:
        return f"{round(seconds / _HOUR_S)} hours"
    return f"{round(seconds / 86_400)} days"
