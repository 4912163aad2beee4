"""Large results: stored beside their tasks, loaded only where something refers to them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from storage.tables.goals import Task
from storage.tables.results import STORED, StoredResult


def is_stored(result: dict[str, Any] | None) -> bool:
    """Whether a task's result is a reference to a stored one."""
    return result is not None and result.keys() == {STORED}


class ResultRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, task: Task, body: dict[str, Any], *, size: int) -> dict[str, Any]:
        """Store a result and return what stands for it in `tasks.result`; a repeat replaces it."""
        values = {"body": body, "bytes": size}
        await self._session.execute(
            insert(StoredResult)
            .values(task_id=task.id, team_id=task.team_id, goal_id=task.goal_id, **values)
            .on_conflict_do_update(index_elements=["task_id"], set_=values)
        )
        return {STORED: size}

    async def load(self, tasks: Sequence[Task]) -> None:
        """Put stored results into these tasks as if they had been read with them.

        Asks nothing where no task has one. The tasks are not changed in the database.
        """
        wanted = {task.id: task for task in tasks if is_stored(task.result)}
        if not wanted:
            return
        rows = await self._session.scalars(
            select(StoredResult).where(StoredResult.task_id.in_(wanted))
        )
        for row in rows:
            task = wanted[row.task_id]
            if row.team_id == task.team_id:
                set_committed_value(task, "result", row.body)
