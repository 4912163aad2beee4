"""The sweeper: re-derives every nudge from the tables, so that a lost job loses nothing."""

from bot.engine.drive import defer_drive
from bot.engine.progress import Timing
from connectors.actions import Idempotency
from connectors.registry import Registry
from storage.database import Database
from storage.errors import NotFoundError
from storage.queue import Priority
from storage.tables.goals import Goal, GoalStatus


class Sweeper:
    """Finds goals that nobody drives although they could move."""

    def __init__(self, *, database: Database, timing: Timing, registry: Registry) -> None:
        self._database = database
        self._timing = timing
        self._reads = [
            action.qualified_name for action in registry if action.idempotency is Idempotency.READ
        ]

    async def sweep(self) -> int:
        """Nudge goals whose task came due, whose drive died or whose job was lost.

        What a halt holds up is left alone until it is over.
        """
        async with self._database.transaction() as tx:
            due = await tx.tasks.list_due_goals(
                grace_s=self._timing.call_timeout_s, reads=self._reads
            )
            stale = await tx.goals.list_stale(older_than_s=self._timing.stale_s)
        for team_id, goal_id in due:
            await self.nudge(team_id, goal_id)
        for goal in stale:
            await self._nudge_stale(goal)
        return len(due) + len(stale)

    async def nudge(self, team_id: str, goal_id: int) -> None:
        """Defer a drive of one goal."""
        async with self._database.transaction() as tx:
            try:
                await tx.goals.lock(team_id, goal_id)
            except NotFoundError:
                return
            await defer_drive(tx, team_id, goal_id, priority=Priority.BACKGROUND)

    async def _nudge_stale(self, stale: Goal) -> None:
        async with self._database.transaction() as tx:
            goal = await tx.goals.lock(stale.team_id, stale.id)
            await tx.goals.touch(goal.team_id, goal.id)
            awaits = goal.status is GoalStatus.PLANNING and goal.deviation is not None
            if goal.plan_version == 0 or awaits:
                once = str(goal.id)
                await tx.defer("plan_goal", once=once, team_id=goal.team_id, goal_id=goal.id)
            else:
                await defer_drive(tx, goal.team_id, goal.id, priority=Priority.BACKGROUND)
