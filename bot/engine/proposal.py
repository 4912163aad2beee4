"""Proposing: a plan whose writes are all allowed starts; any other is shown as one card first."""

from collections.abc import Sequence

from approvals.policy import Answer
from bot.engine.forecast import Forecaster
from bot.engine.rows import is_list
from bot.goals.lifecycle import ENDED_TASKS, move_goal
from storage.database import Transaction
from storage.tables.goals import Goal, GoalStatus, Task, TaskStatus


class Proposals:
    """Decides, once a plan's first reads are done, whether it may start by itself."""

    def __init__(self, *, forecaster: Forecaster) -> None:
        self._forecaster = forecaster

    async def propose(self, tx: Transaction, goal: Goal, tasks: Sequence[Task]) -> bool:
        """Move a planned goal on: to running (True), or to its requester as a card."""
        open_reads = [
            task
            for task in tasks
            if task.status not in ENDED_TASKS
            and task.status is not TaskStatus.PENDING
            # Its rows speak for it.
            and not is_list(task)
        ]
        if open_reads:
            return False
        waiting = [task for task in tasks if task.status is TaskStatus.PENDING]
        requester = await tx.people.get(goal.team_id, goal.requester_id)
        for task in waiting:
            forecast = await self._forecaster.forecast(tx, goal, task, tasks, requester=requester)
            # What can never run is not asked about: driven, it fails with the reason.
            if forecast.problem is None and forecast.verdict.answer is not Answer.ALLOW:
                await move_goal(tx, goal, to=GoalStatus.PROPOSED)
                return False
        return await move_goal(tx, goal, to=GoalStatus.RUNNING)
