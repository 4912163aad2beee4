"""Proposing: a plan whose writes are all allowed starts; any other is shown as one card first."""

from collections.abc import Sequence

from approvals.policy import Answer
from bot.engine.forecast import Forecaster
from bot.engine.progress import is_read
from bot.engine.rounds import Rounds
from bot.engine.rows import is_list
from bot.goals.lifecycle import ENDED_TASKS, move_goal
from connectors.registry import Registry
from storage.database import Transaction
from storage.tables.goals import Goal, GoalStatus, Task, TaskStatus

_MOVING = frozenset({TaskStatus.READY, TaskStatus.RUNNING})


class Proposals:
    """Decides, once a plan's first reads are done, whether it may start by itself."""

    def __init__(self, *, forecaster: Forecaster, registry: Registry, rounds: Rounds) -> None:
        self._forecaster = forecaster
        self._registry = registry
        self._rounds = rounds

    async def propose(self, tx: Transaction, goal: Goal, tasks: Sequence[Task]) -> bool:
        """Move a planned goal on: to running (True), to its requester as a card, or to a planner.

        What was started already, and did not change since, was shown or needed no showing. A read
        that has to wait long does not hold up what can do without it: the card then shows its
        value as still open, no Run answers for it, and it is asked about once it is known.
        """
        open_reads = [
            task
            for task in tasks
            if task.status not in ENDED_TASKS
            and task.status is not TaskStatus.PENDING
            # Its rows speak for it.
            and not is_list(task)
            and is_read(task, self._registry)
        ]
        await tx.goals.rest(goal, is_resting=not any(task.status in _MOVING for task in tasks))
        if not all(map(_waits_long, open_reads)):
            return False
        if open_reads and not self._goes_on_without(open_reads, tasks):
            return False
        if await self._rounds.turn(tx, goal, tasks):
            return False
        waiting = [
            task
            for task in tasks
            if task.status is TaskStatus.PENDING and task.plan_version > goal.started_version
        ]
        if goal.started_version or goal.rounds > 1 or goal.plan_version > 1:
            plan = await tx.goals.find_plan(goal.team_id, goal.id, goal.plan_version)
            if waiting and plan is not None and plan.body.get("shown_because"):
                await move_goal(tx, goal, to=GoalStatus.PROPOSED)
                return False
        requester = await tx.people.get(goal.team_id, goal.requester_id)
        for task in waiting:
            forecast = await self._forecaster.forecast(tx, goal, task, tasks, requester=requester)
            # What can never run is not asked about: driven, it fails with the reason.
            if forecast.problem is None and forecast.verdict.answer is not Answer.ALLOW:
                await move_goal(tx, goal, to=GoalStatus.PROPOSED)
                return False
        await tx.goals.mark_started(goal)
        return await move_goal(tx, goal, to=GoalStatus.RUNNING)

    def _goes_on_without(self, reads: Sequence[Task], tasks: Sequence[Task]) -> bool:
        """Whether something that changes anything needs none of these reads."""
        behind = {task.key for task in reads} | {task.parent_key for task in reads}
        while more := {t.key for t in tasks if behind & {*t.depends_on}} - behind:
            behind |= more
        return any(
            task.status is TaskStatus.PENDING
            and task.key not in behind
            and not is_read(task, self._registry)
            for task in tasks
        )


def _waits_long(read: Task) -> bool:
    """Whether a read waits for a provider that is down, or for its requester's answer."""
    is_down = read.status is TaskStatus.READY and "provider" in (read.failure or {})
    return is_down or read.status is TaskStatus.ASKING
