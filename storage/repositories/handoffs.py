"""What was handed to a human."""

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from storage.errors import NotFoundError
from storage.tables.recovery import Handoff


class HandoffRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, *, team_id: str, goal_id: int, task_id: int | None, reference: str) -> int:
        """Store that something was handed over; return its id."""
        rows = await self._session.scalars(
            insert(Handoff)
            .values(team_id=team_id, goal_id=goal_id, task_id=task_id, reference=reference)
            .returning(Handoff.id)
        )
        return rows.one()

    async def get(self, team_id: str, handoff_id: int) -> Handoff:
        """Return what was handed over.

        Raises:
            NotFoundError: when this team has none of that id.
        """
        found = await self._session.scalar(
            select(Handoff)
            .where(Handoff.team_id == team_id, Handoff.id == handoff_id)
            .execution_options(populate_existing=True)
        )
        if found is None:
            raise NotFoundError("handoff", handoff_id)
        return found

    async def settle(self, team_id: str, handoff_id: int, *, by: str) -> bool:
        """Mark it as settled; False when somebody was first."""
        settled = await self._session.scalar(
            update(Handoff)
            .where(
                Handoff.team_id == team_id,
                Handoff.id == handoff_id,
                Handoff.settled_at.is_(None),
            )
            .values(settled_at=func.now(), settled_by=by)
            .returning(Handoff.id)
            .execution_options(synchronize_session=False)
        )
        return settled is not None
