"""Unknown outcomes: a human looks and says what became of a call whose reply was lost."""

from typing import Literal

from bot.engine.drive import defer_drive
from bot.engine.undone import mark_undone
from bot.goals.clicks import Answer, Click
from bot.goals.lifecycle import SETTLED, move_task
from storage import outbox
from storage.database import Database, Transaction
from storage.tables.calls import Attempt, AttemptStatus
from storage.tables.goals import Goal, Task, TaskStatus

UnknownVerdict = Literal["happened", "run_again", "leave"]


class UnknownService:
    """Settles tasks whose outcome nobody but a human can know."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def settle(self, click: Click, task_id: int, verdict: UnknownVerdict) -> Answer:
        """Take the word of the requester or of whoever approved it, once."""
        async with self._database.transaction() as tx:
            task = await tx.tasks.find(click.team_id, task_id)
            if task is None:
                return Answer("I cannot find that step any more.", ok=False)
            goal = await tx.goals.lock(click.team_id, task.goal_id)
            task = await tx.tasks.get(click.team_id, task_id)
            if not await self._may(tx, goal, task, click.person_id):
                return Answer("Only the people whom I asked can settle this.", ok=False)
            attempt = await tx.calls.latest_attempt(click.team_id, task_id)
            if task.status is not TaskStatus.UNKNOWN or attempt is None:
                return Answer("This was settled already; nothing changed.", ok=False)
            if verdict == "run_again" and goal.status in SETTLED:
                return Answer("This goal has ended, so it is not run again.", ok=False)
            await self._apply(tx, task, attempt, verdict, click.person_id)
            if verdict == "happened":
                await mark_undone(tx, goal, task)
            await outbox.touch(
                tx, team_id=goal.team_id, noun="unknown", subject=task.id, priority=1
            )
            await outbox.touch(tx, team_id=goal.team_id, noun="goal", subject=goal.id)
            await defer_drive(tx, goal.team_id, goal.id)
        return Answer(_WORDS[verdict])

    async def _may(self, tx: Transaction, goal: Goal, task: Task, person_id: str) -> bool:
        if person_id == goal.requester_id:
            return True
        item = await tx.approvals.latest_item(goal.team_id, task.id)
        decision = await tx.approvals.find_decision(goal.team_id, item.id) if item else None
        return decision is not None and decision.person_id == person_id

    async def _apply(
        self,
        tx: Transaction,
        task: Task,
        attempt: Attempt,
        verdict: UnknownVerdict,
        person_id: str,
    ) -> None:
        after, status = _MOVES[verdict]
        person = await tx.people.get(task.team_id, person_id)
        message = f"{_WORDS[verdict]} {person.name} said so."
        await tx.calls.settle_unknown(
            team_id=task.team_id,
            attempt_id=attempt.id,
            status=status,
            error={"code": "settled", "verdict": verdict, "by": person_id},
        )
        await move_task(
            tx,
            task,
            to=after,
            actor=person_id,
            audit={"verdict": verdict},
            tries=0,
            failure={"code": "settled", "message": message, "verdict": verdict, "by": person_id},
        )


_WORDS: dict[UnknownVerdict, str] = {
    "happened": "Noted: it happened.",
    "run_again": "Noted: it did not happen, so it is run now.",
    "leave": "Noted: it is left as it is.",
}
_MOVES: dict[UnknownVerdict, tuple[TaskStatus, AttemptStatus]] = {
    "happened": (TaskStatus.SUCCEEDED, AttemptStatus.SUCCEEDED),
    "run_again": (TaskStatus.READY, AttemptStatus.FAILED),
    "leave": (TaskStatus.FAILED, AttemptStatus.FAILED),
}
