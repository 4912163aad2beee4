"""Cancelling: a goal ends; what runs finishes, what has not begun is dropped."""

from approvals.decisions import DecisionService
from bot.engine.asks import ask_human
from bot.engine.doubt import doubtful
from bot.goals.lifecycle import ENDED_TASKS, move_goal, move_task
from connectors.actions import Idempotency
from storage import outbox
from storage.database import Transaction
from storage.tables.calls import AttemptStatus
from storage.tables.goals import Goal, GoalStatus, TaskStatus


async def cancel_goal(
    tx: Transaction, goal: Goal, *, decisions: DecisionService, actor: str, reason: str
) -> bool:
    """End an open goal and all of it that does not run; whether anything may have been done.

    A task whose outcome is unknown stays so: a human is still asked what became of it.
    """
    await drop_open_tasks(
        tx, goal, decisions=decisions, actor=actor, reason="the goal was cancelled"
    )
    await move_goal(tx, goal, to=GoalStatus.CANCELLED, actor=actor, reason=reason)
    await outbox.touch(tx, team_id=goal.team_id, noun="goal", subject=goal.id, priority=1)
    attempts = await tx.calls.list_attempts(goal.team_id, goal.id)
    lost = doubtful(attempts)
    return any(
        attempt.idempotency != Idempotency.READ
        and (attempt.status is not AttemptStatus.FAILED or attempt.task_id in lost)
        for attempt in attempts
    )


async def drop_open_tasks(
    tx: Transaction, goal: Goal, *, decisions: DecisionService, actor: str, reason: str
) -> None:
    """Cancel what has not begun and withdraw what was asked for it; approvers read `reason`.

    A step that is to be tried again because its answer was lost may have happened: it is not
    cancelled but put to a human.
    """
    lost = doubtful(await tx.calls.list_attempts(goal.team_id, goal.id))
    for task in await tx.tasks.list_(goal.team_id, goal.id):
        if task.status in ENDED_TASKS or task.status in (TaskStatus.RUNNING, TaskStatus.UNKNOWN):
            continue
        item = await tx.approvals.latest_item(task.team_id, task.id)
        if item is not None and await decisions.withdraw(tx, item, reason=reason):
            await outbox.touch(tx, team_id=task.team_id, noun="approval", subject=item.approval_id)
        if task.id in lost:
            latest = await tx.calls.latest_attempt(task.team_id, task.id) or lost[task.id]
            await tx.calls.mark_unknown(team_id=task.team_id, attempt_id=latest.id)
            await ask_human(tx, goal, task, "The goal ended after its answer was lost.")
        else:
            await move_task(tx, task, to=TaskStatus.CANCELLED, actor=actor)
