"""How goals and tasks may change: the tables, and the only functions that make a move."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from storage import outbox
from storage.database import Transaction
from storage.tables.goals import Goal, Task
from storage.tables.goals import GoalStatus as G
from storage.tables.goals import TaskStatus as T


class IllegalMoveError(Exception):
    """A goal or task cannot make this move; this is a defect."""


_ENDS = frozenset({G.CANCELLED})

GOAL_TRANSITIONS: dict[G, frozenset[G]] = {
    G.RECEIVED: frozenset({G.PLANNING}) | _ENDS,
    G.PLANNING: frozenset({G.ASKING, G.PROPOSED, G.RUNNING, G.FAILED}) | _ENDS,
    G.ASKING: frozenset({G.PLANNING}) | _ENDS,
    G.PROPOSED: frozenset({G.RUNNING, G.PLANNING}) | _ENDS,
    G.RUNNING: frozenset({G.WAITING, G.PLANNING, G.PAUSED, G.DONE, G.PARTLY_DONE, G.FAILED})
    | _ENDS,
    G.WAITING: frozenset({G.RUNNING, G.PLANNING, G.PAUSED}) | _ENDS,
    G.PAUSED: frozenset({G.RUNNING}) | _ENDS,
    G.DONE: frozenset(),
    G.PARTLY_DONE: frozenset(),
    G.FAILED: frozenset(),
    G.CANCELLED: frozenset(),
}

SETTLED = frozenset(status for status, after in GOAL_TRANSITIONS.items() if not after)

TASK_TRANSITIONS: dict[T, frozenset[T]] = {
    T.PENDING: frozenset({T.READY, T.SKIPPED, T.CANCELLED}),
    T.READY: frozenset(
        {
            T.PENDING,
            T.NEEDS_CONNECTION,
            T.ASKING,
            T.NEEDS_APPROVAL,
            T.WAITING,
            T.RUNNING,
            T.UNKNOWN,
            T.FAILED,
            T.CANCELLED,
        }
    ),
    T.NEEDS_CONNECTION: frozenset({T.PENDING, T.READY, T.UNKNOWN, T.CANCELLED}),
    T.ASKING: frozenset({T.PENDING, T.CANCELLED}),
    T.WAITING: frozenset({T.PENDING, T.READY, T.SUCCEEDED, T.FAILED, T.CANCELLED}),
    T.NEEDS_APPROVAL: frozenset({T.PENDING, T.READY, T.DECLINED, T.UNKNOWN, T.CANCELLED}),
    T.RUNNING: frozenset({T.SUCCEEDED, T.FAILED, T.UNKNOWN, T.READY, T.ASKING}),
    T.UNKNOWN: frozenset({T.SUCCEEDED, T.READY, T.FAILED, T.CANCELLED}),
    T.SUCCEEDED: frozenset({T.UNDONE}),
    T.SKIPPED: frozenset(),
    T.FAILED: frozenset(),
    T.DECLINED: frozenset(),
    T.CANCELLED: frozenset(),
    T.UNDONE: frozenset(),
}
"""ARCHITECTURE.md, section 3; besides, a ready task fails when nothing could be frozen for it, or
becomes unknown where an earlier try may have happened, and a waiting one ends with what it waited
for: the rows of its list, or an instant that never came. Back to pending goes what a new plan
version changes before it ran: its references and its approval are waited for anew. One that asks
did nothing; its answer is a new version, which it goes through from the start."""

ENDED_TASKS = frozenset({T.SUCCEEDED, T.SKIPPED, T.FAILED, T.DECLINED, T.CANCELLED, T.UNDONE})


async def move_goal(
    tx: Transaction, goal: Goal, *, to: G, actor: str = "system", reason: str | None = None
) -> bool:
    """Move a goal and write its audit row; False when somebody was first.

    The requester's Home, if they have opened it, is drawn anew.

    Raises:
        IllegalMoveError: when the table does not allow it.
    """
    before = goal.status
    if to not in GOAL_TRANSITIONS[before]:
        message = f"goal {goal.id} cannot move from {before} to {to}"
        raise IllegalMoveError(message)
    if not await tx.goals.move(goal, to=to, reason=reason, settled=to in SETTLED):
        return False
    await tx.audit.record(
        team_id=goal.team_id,
        tag=f"{_source(actor)}:goal:{to.value}",
        actor=actor,
        goal_id=goal.id,
        data={"from": before.value, "reason": reason},
    )
    await outbox.touch(tx, team_id=goal.team_id, noun="home", subject=goal.requester_id)
    return True


async def move_task(
    tx: Transaction,
    task: Task,
    *,
    to: T,
    actor: str = "system",
    audit: dict[str, Any] | None = None,
    **values: Any,
) -> bool:
    """Move a task and write its audit row; False when somebody was first.

    Whatever it waited for it does not wait for any more.

    Raises:
        IllegalMoveError: when the table does not allow it.
    """
    before = task.status
    if to not in TASK_TRANSITIONS[before]:
        message = f"task {task.id} cannot move from {before} to {to}"
        raise IllegalMoveError(message)
    if not await tx.tasks.move(task, to=to, **values):
        return False
    if before is T.WAITING:
        await tx.waits.cancel(task.team_id, task.id)
    elif before is T.ASKING:
        await outbox.touch(tx, team_id=task.team_id, noun="question", subject=task.id, priority=2)
    await _record(tx, task, actor, before, audit or {})
    return True


@dataclass(frozen=True, slots=True)
class Move:
    """What one of several tasks gets as they move together, and says in its audit row."""

    task: Task
    values: Mapping[str, Any] = field(default_factory=dict)
    audit: Mapping[str, Any] = field(default_factory=dict)


async def move_tasks(tx: Transaction, moves: Sequence[Move], *, to: T) -> bool:
    """Move tasks of one team that wait for nothing, in one statement; True when one moved.

    Each with its audit row, as `move_task` does; all of them get values of the same columns.

    Raises:
        IllegalMoveError: when the table does not allow it.
    """
    before = {move.task.id: move.task.status for move in moves}
    for move in moves:
        status = before[move.task.id]
        if to not in TASK_TRANSITIONS[status] or status is T.WAITING:
            message = f"task {move.task.id} cannot move from {status} to {to}"
            raise IllegalMoveError(message)
    moved = await tx.tasks.move_many([(move.task, move.values) for move in moves], to=to)
    ids = {task.id for task in moved}
    for move in moves:
        if move.task.id in ids:
            await _record(tx, move.task, "system", before[move.task.id], move.audit)
    return bool(ids)


@dataclass(frozen=True, slots=True)
class Success:
    """A running task, its attempt that succeeded, and what that answered."""

    task: Task
    attempt_id: int
    result: Mapping[str, Any]


async def succeed_tasks(tx: Transaction, successes: Sequence[Success]) -> Sequence[Task]:
    """Move running tasks of one team to succeeded with their attempts, in one statement.

    Each with its audit row, as `move_task` does. Return those that moved: a task whose attempt
    was taken over stays as it is.
    """
    if not successes:
        return []
    moved = await tx.tasks.succeed(
        [(item.task, item.attempt_id, item.result) for item in successes]
    )
    for task in moved:
        await _record(tx, task, "system", T.RUNNING, {})
    return moved


async def _record(
    tx: Transaction, task: Task, actor: str, before: T, audit: Mapping[str, Any]
) -> None:
    await tx.audit.record(
        team_id=task.team_id,
        tag=f"{_source(actor)}:task:{task.status.value}",
        actor=actor,
        goal_id=task.goal_id,
        data={"task": task.key, "action": task.action, "from": before.value, **audit},
    )


def _source(actor: str) -> str:
    return "engine" if actor == "system" else "slack"
