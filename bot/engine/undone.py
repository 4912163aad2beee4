"""What an undo changes in the goal that it is about, once it has happened or ended."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from bot.goals.lifecycle import ENDED_TASKS, move_task
from storage import outbox
from storage.database import Transaction
from storage.tables.goals import Goal, Task, TaskStatus

LEFT = "left"
"""The failure's code of an undo that was not tried."""


def kept_back() -> dict[str, JsonValue]:
    """Return why nothing is taken back under what stays."""
    return {"code": LEFT, "message": "Left as it is: what builds on it was not undone."}


def is_behind(task: Task, by_key: Mapping[str, Task]) -> bool:
    """Whether the undo that is to end before this one, however it ends, has not."""
    before = (by_key[key] for key in task.spec.get("follows", ()))
    return any(item.status not in ENDED_TASKS for item in before)


async def mark_undone(tx: Transaction, goal: Goal, task: Task) -> None:
    """Mark what a task took back, and the list that it was the last row of; else do nothing.

    Holds the other goal's row as well. Whoever starts an undo holds that row first, but nobody
    else sees the undo's own row by then, so the order cannot deadlock.
    """
    if task.undoes_task_id is None:
        return
    goal_id = (await tx.tasks.get(goal.team_id, task.undoes_task_id)).goal_id
    await tx.goals.lock(goal.team_id, goal_id)
    tasks = await tx.tasks.list_(goal.team_id, goal_id)
    undone = next(item for item in tasks if item.id == task.undoes_task_id)
    if undone.status is not TaskStatus.SUCCEEDED:
        return
    by = {"by": task.id}
    await move_task(tx, undone, to=TaskStatus.UNDONE, actor=goal.requester_id, audit=by)
    await _mark_list(tx, goal, undone)
    await _touch(tx, goal.team_id, goal_id)


async def _mark_list(tx: Transaction, goal: Goal, row: Task) -> None:
    """Mark a list's step once nothing that its rows did is left."""
    if row.parent_key is None:
        return
    tasks = await tx.tasks.list_(row.team_id, row.goal_id)
    rows = [item for item in tasks if item.parent_key == row.parent_key]
    parent = next(item for item in tasks if item.key == row.parent_key)
    left = {TaskStatus.SUCCEEDED, TaskStatus.UNKNOWN, TaskStatus.RUNNING}
    if parent.status is TaskStatus.SUCCEEDED and not left & {item.status for item in rows}:
        await move_task(tx, parent, to=TaskStatus.UNDONE, actor=goal.requester_id)


async def touch_undone(tx: Transaction, goal: Goal, tasks: Sequence[Task]) -> None:
    """Draw the cards of the goal that an undo was about anew: what failed may be tried again."""
    about = next((task.undoes_task_id for task in tasks if task.undoes_task_id is not None), None)
    if about is not None:
        undone = await tx.tasks.get(goal.team_id, about)
        await _touch(tx, goal.team_id, undone.goal_id)


async def _touch(tx: Transaction, team_id: str, goal_id: int) -> None:
    await outbox.touch(tx, team_id=team_id, noun="goal", subject=goal_id)
    await outbox.touch(tx, team_id=team_id, noun="summary", subject=goal_id)
