"""What undos have taken back or still may, and how old an effect is."""

from collections.abc import Sequence

from storage.repositories.direct import Direct

_UNDONE = (
    "SELECT undoes_task_id FROM tasks WHERE team_id = %(team)s "
    "AND undoes_task_id = ANY(%(tasks)s) "
    "AND status NOT IN ('failed', 'skipped', 'declined', 'cancelled')"
)
_ENDED_WITHIN = (
    "SELECT finished_at > now() - make_interval(secs => %(seconds)s) FROM tasks "
    "WHERE team_id = %(team)s AND id = %(task)s"
)


class UndoRepository:
    """Reads about undos; undos themselves are goals and tasks."""

    def __init__(self, direct: Direct) -> None:
        self._direct = direct

    async def find_undone(self, team_id: str, task_ids: Sequence[int]) -> frozenset[int]:
        """Return which of these tasks an undo has taken back or may still take back.

        One that failed, or that never began, does not count: it may be tried again.
        """
        rows = await self._direct.rows(_UNDONE, {"team": team_id, "tasks": list(task_ids)})
        return frozenset(row[0] for row in rows)

    async def ended_within(self, team_id: str, task_id: int, seconds: float) -> bool:
        """Whether a task ended no longer ago than this, by the database's clock."""
        wanted = {"team": team_id, "task": task_id, "seconds": seconds}
        return bool(await self._direct.value(_ENDED_WITHIN, wanted))
