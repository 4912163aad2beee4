"""Goals that take too long: they end with what they have, and say so."""

from bot.engine.budgets import NEAR, Budgets
from bot.goals.lifecycle import SETTLED
from storage import outbox
from storage.database import Database
from storage.tables.goals import Goal

_DAY_S = 86_400

_TOLD = "time:"
"""With the goal's id the subject of the note that its time is nearly up."""


class Overdue:
    """Ends open goals whose time is up, and says so before.

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

    async def warn(self) -> int:
        """Tell requesters, in the thread and once, whose goal's time is nearly up; return how many.

        As with every budget from four fifths on: while there is time to finish or to ask anew.
        """
        near_s = NEAR * self._days * _DAY_S
        async with self._database.transaction() as tx:
            found = await tx.goals.list_overdue(older_than_s=near_s, untold=_TOLD)
        for goal in found:
            await self._warn(goal)
        return len(found)

    async def _warn(self, near: Goal) -> None:
        text = (
            f"This has been open for most of the {self._days:g} days that one goal may take. When "
            "they are over I drop what is not done, and say what was. Look at what it waits for, "
            "or cancel it if you do not need it any more."
        )
        async with self._database.transaction() as tx:
            goal = await tx.goals.lock(near.team_id, near.id)
            if goal.status in SETTLED or goal.stopped_because is not None:
                return
            await outbox.show(
                tx,
                team_id=goal.team_id,
                noun="note",
                subject=f"{_TOLD}{goal.id}",
                channel_id=goal.channel_id,
                thread_ts=goal.thread_ts,
                data={"text": text},
            )

    async def _stop(self, team_id: str, goal_id: int) -> None:
        async with self._database.transaction() as tx:
            goal = await tx.goals.lock(team_id, goal_id)
            if goal.status in SETTLED or goal.stopped_because is not None:
                return
            reason = f"I stopped here: it was not finished within {self._days:g} days."
            await self._budgets.stop_for(tx, goal, reason)
