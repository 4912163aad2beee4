"""Pauses: what runs finishes, nothing new starts, and everything stays where it is until resumed.

Approvals stay open and may be decided; their deadlines run on: who paused may resume. A wait that
comes due meanwhile ends, its step runs when the goal goes on, and its card says why it is late.
"""

from bot.engine.drive import defer_drive
from bot.goals.clicks import Answer, Click
from bot.goals.lifecycle import SETTLED, move_goal
from storage import outbox
from storage.database import Database, Transaction
from storage.tables.goals import Goal, GoalStatus

_RUNS = frozenset({GoalStatus.RUNNING, GoalStatus.WAITING})
_CHANGED = "It goes on; if what you changed needs your word, the card asks for it first."
_NOT_YOURS = "Only the person who asked for this can do that."


class PauseService:
    """Pauses and resumes goals; a second click changes nothing."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def pause(self, click: Click, goal_id: int) -> Answer:
        """Let a goal rest: what is being sent finishes, nothing else starts."""
        async with self._database.transaction() as tx:
            goal = await tx.goals.lock(click.team_id, goal_id)
            return await self.pause_locked(tx, goal, person_id=click.person_id)

    async def resume(self, click: Click, goal_id: int) -> Answer:
        """Let a paused goal go on where it stands."""
        async with self._database.transaction() as tx:
            goal = await tx.goals.lock(click.team_id, goal_id)
            return await self.resume_locked(tx, goal, person_id=click.person_id)

    async def pause_locked(self, tx: Transaction, goal: Goal, *, person_id: str) -> Answer:
        """Do the same in a transaction that holds the goal's row."""
        if goal.requester_id != person_id:
            return Answer(_NOT_YOURS, ok=False)
        if goal.status is GoalStatus.PAUSED:
            return Answer("It is paused already; nothing changed.", ok=False)
        if goal.status in SETTLED:
            return Answer("It is over already; nothing changed.", ok=False)
        if goal.status is GoalStatus.PROPOSED:
            return Answer("It rests already, until you press Run on its card.", ok=False)
        if goal.status not in _RUNS:
            return Answer("Nothing of it runs yet, so there is nothing to pause.", ok=False)
        await move_goal(tx, goal, to=GoalStatus.PAUSED, actor=person_id)
        await _redraw(tx, goal)
        return Answer("Paused. What is being sent finishes; nothing else starts until you resume.")

    async def resume_locked(self, tx: Transaction, goal: Goal, *, person_id: str) -> Answer:
        """Do the same in a transaction that holds the goal's row.

        What was changed during the pause is judged first, and shown where it has to be.
        """
        if goal.requester_id != person_id:
            return Answer(_NOT_YOURS, ok=False)
        if goal.status is not GoalStatus.PAUSED:
            return Answer("It is not paused; nothing changed.", ok=False)
        await move_goal(tx, goal, to=GoalStatus.RUNNING, actor=person_id)
        is_changed = goal.plan_version > goal.started_version
        if is_changed:
            await move_goal(tx, goal, to=GoalStatus.PLANNING, actor=person_id)
        await defer_drive(tx, goal.team_id, goal.id)
        await _redraw(tx, goal)
        return Answer(_CHANGED if is_changed else "It goes on.")


async def _redraw(tx: Transaction, goal: Goal) -> None:
    await outbox.touch(tx, team_id=goal.team_id, noun="goal", subject=goal.id, priority=1)
