"""The audit log: written with the change, in its transaction; the sealer chains it later (S34)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from storage.pending import Pending
from storage.tables.records import AuditRow


class AuditRepository:
    def __init__(self, session: AsyncSession, pending: Pending) -> None:
        self._session = session
        self._pending = pending

    async def record(
        self,
        *,
        team_id: str,
        tag: str,
        actor: str,
        goal_id: int | None = None,
        data: dict[str, Any],
    ) -> None:
        """Write one change, with the others of this transaction just before it commits.

        Args:
            team_id: whose it is.
            tag: `source:subject:action`, for example `slack:approval:approve`.
            actor: a person id, or `system`.
            goal_id: the goal it belongs to, if any.
            data: ids and short facts; never a token or the text of a message.
        """
        self._pending.audit(team_id=team_id, tag=tag, actor=actor, goal_id=goal_id, data=data)

    async def list_(self, team_id: str, goal_id: int) -> Sequence[AuditRow]:
        """Return what happened to a goal, in order."""
        await self._pending.write()
        rows = await self._session.scalars(
            select(AuditRow)
            .where(AuditRow.team_id == team_id, AuditRow.goal_id == goal_id)
            .order_by(AuditRow.id)
        )
        return rows.all()
