"""Goals that take too long: they end with what they have, and say so."""

from bot.engine.budgets import Budgets
from bot.goals.lifecycle import SETTLED
from storage.database import Database

_DAY_S = 86_400


class Overdue:
    """Ends open goals whose time is up.

    The time that a goal takes counts from its message, or from the end of its last wait: what a
    plan waits for, for months if need be, does not count, nor does a goal that a person paused.
    """

    def __init__(self, *, database: Database, budgets: Budgets, days: float) -> None:
        self._database = database
        self._budgets = budgets
        self._days = days

    async def stop(self) -> int:
        """End what took longer than the settings allow; return how many goals that were."""
        async with self._database.transaction() as tx:
            found = await tx.goals.list_overdue(older_than_s=self._days * _DAY_S)
        for goal in found:
            await self._stop(goal.team_id, goal.id)
        return len(found)

    async def _stop(self, team_id: str, goal_id: int) -> None:
        async with self._database.transaction() as tx:
            goal = await tx.goals.lock(team_id, goal_id)
            if goal.status in SETTLED or goal.stopped_because is not None:
                return
            reason = f"I stopped here: it was not finished within {self._days:g} days."
            await self._budgets.stop_for(tx, goal, reason)
