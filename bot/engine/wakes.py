"""Waits end here: what is due goes on, on whichever replica sees it first."""

from datetime import timedelta

import structlog

from bot.engine.awaits import defer_check
from bot.engine.drive import defer_drive
from bot.goals.lifecycle import move_task
from storage import outbox
from storage.database import Database, Transaction
from storage.errors import NotFoundError
from storage.queue import Priority
from storage.tables.goals import Goal, GoalStatus, Task, TaskStatus
from storage.tables.waits import Wait, WaitEnding

CLAIM_S = 30.0
"""How long a replica may take for the waits that it claimed; then another one sees to them."""

CLAIMED_AT_ONCE = 200

LONG = timedelta(hours=1)
"""Who waited longer than this has turned to something else and is told that it goes on."""

_log = structlog.get_logger(__name__)


class Wakes:
    """Lets tasks go on whose instant has come. Every replica runs it; each wait ends once."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def wake_due(self) -> int:
        """End the waits whose time has come; return how many this replica ended."""
        async with self._database.transaction() as tx:
            due = await tx.waits.claim_due(lease_s=CLAIM_S, limit=CLAIMED_AT_ONCE)
        ended = 0
        for wait in due:
            ended += await self._wake(wait)
        return ended

    async def _wake(self, wait: Wait) -> bool:
        async with self._database.transaction() as tx:
            if wait.event is not None:
                # One last look decides whether it waited in vain.
                await defer_check(tx, wait)
                return False
            try:
                goal = await tx.goals.lock(wait.team_id, wait.goal_id)
            except NotFoundError:
                return await tx.waits.end(wait, ending=WaitEnding.CANCELLED)
            is_held = goal.status is GoalStatus.PAUSED
            ending = WaitEnding.HELD if is_held else WaitEnding.REACHED
            return await end_wait(tx, goal, wait, ending=ending)


async def end_wait(tx: Transaction, goal: Goal, wait: Wait, *, ending: WaitEnding) -> bool:
    """End a wait and let its task go on; False when somebody was first.

    The caller holds the goal's row. A wait that nobody waits for any more ends as cancelled.
    """
    task = await tx.tasks.find(wait.team_id, wait.task_id)
    if task is None or task.status is not TaskStatus.WAITING:
        await tx.waits.end(wait, ending=WaitEnding.CANCELLED)
        return False
    if not await tx.waits.end(wait, ending=ending):
        return False
    await move_task(tx, task, to=TaskStatus.READY, audit={"wait": ending.value})
    await tell(tx, goal, task, wait)
    await defer_drive(tx, goal.team_id, goal.id, priority=Priority.BACKGROUND)
    _log.info("wait_ended", goal_id=goal.id, wait_id=wait.id, ending=ending.value)
    return True


async def give_up(tx: Transaction, goal: Goal, wait: Wait, *, code: str, message: str) -> bool:
    """End a wait without what it waited for: its task fails, and its requester is told."""
    task = await tx.tasks.find(wait.team_id, wait.task_id)
    if task is None or task.status is not TaskStatus.WAITING:
        await tx.waits.end(wait, ending=WaitEnding.CANCELLED)
        return False
    if not await tx.waits.end(wait, ending=WaitEnding.IN_VAIN):
        return False
    failure = {"code": code, "message": message}
    await move_task(tx, task, to=TaskStatus.FAILED, failure=failure, finished_at=wait.ended_at)
    await tell(tx, goal, task, wait)
    await defer_drive(tx, goal.team_id, goal.id, priority=Priority.BACKGROUND)
    _log.info("wait_given_up", goal_id=goal.id, wait_id=wait.id, code=code)
    return True


async def tell(tx: Transaction, goal: Goal, task: Task, wait: Wait) -> None:
    """Redraw the goal's card; after a long wait say in its thread what became of it.

    The rows of one list whose waits end at one instant are one message.
    """
    await outbox.touch(tx, team_id=goal.team_id, noun="goal", subject=goal.id, priority=2)
    if goal.status is GoalStatus.PAUSED and wait.ending is not WaitEnding.IN_VAIN:
        return  # It does not go on before its requester resumes it.
    is_short = wait.ended_at is None or wait.ended_at - wait.started_at < LONG
    if is_short and wait.ending is not WaitEnding.IN_VAIN:
        return
    which = f"{wait.due_at:%Y%m%dT%H%M}" if wait.event is None else str(wait.id)
    await outbox.show(
        tx,
        team_id=goal.team_id,
        noun="awaited",
        subject=f"{goal.id}:{task.parent_key or task.key}:{which}",
        channel_id=goal.channel_id,
        thread_ts=goal.thread_ts,
        data={"wait_id": wait.id},
        priority=3,
    )
