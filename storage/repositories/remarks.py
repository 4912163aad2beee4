"""What requesters wrote about goals under way, and what became of it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from storage.errors import NotFoundError
from storage.tables.goals import Goal, GoalStatus
from storage.tables.remarks import Remark, RemarkStatus


class RemarkRepository:
    """Whoever changes a remark holds its goal's row."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, **values: Any) -> int | None:
        """Store a message once, however often it arrives; None when it is known.

        Args:
            values: the columns of `Remark` that its maker knows.
        """
        rows = await self._session.scalars(
            insert(Remark).values(**values).on_conflict_do_nothing().returning(Remark.id)
        )
        return rows.one_or_none()

    async def get(self, team_id: str, remark_id: int) -> Remark:
        """Return a remark as it is now.

        Raises:
            NotFoundError: when this team has none of that id.
        """
        found = await self._session.scalar(
            select(Remark)
            .where(Remark.team_id == team_id, Remark.id == remark_id)
            .execution_options(populate_existing=True)
        )
        if found is None:
            raise NotFoundError("remark", remark_id)
        return found

    async def find(self, team_id: str, channel_id: str, ts: str) -> Remark | None:
        """Return what became of a message, None where it is no remark."""
        found: Remark | None = await self._session.scalar(
            select(Remark).where(
                Remark.team_id == team_id, Remark.channel_id == channel_id, Remark.ts == ts
            )
        )
        return found

    async def ask(
        self, remark: Remark, *, said: str, options: list[dict[str, Any]], version: int
    ) -> None:
        """Store what the person is asked about it."""
        await self._change(
            remark, status=RemarkStatus.ASKING, said=said, options=options, version=version
        )

    async def tell(self, remark: Remark) -> None:
        """Store that its card shows how the goal stands."""
        await self._change(remark, status=RemarkStatus.TOLD, settled_at=func.now())

    async def settle(self, remark: Remark, *, said: str) -> None:
        """Store what became of it; nothing can be chosen any more."""
        await self._change(
            remark, status=RemarkStatus.SETTLED, said=said, options=[], settled_at=func.now()
        )

    async def list_unread(self, *, older_than_s: float, limit: int = 200) -> Sequence[Remark]:
        """Return remarks that wait to be read and that nobody looked at for so long."""
        rows = await self._session.scalars(
            select(Remark)
            .where(
                Remark.status == RemarkStatus.READING,
                Remark.touched_at < func.now() - func.make_interval(0, 0, 0, 0, 0, 0, older_than_s),
            )
            .order_by(Remark.touched_at)
            .limit(limit)
        )
        return rows.all()

    async def hold(self, remark: Remark, *, said: str) -> None:
        """Store that it is read once its goal's plan is made, and what its writer is told."""
        await self._change(remark, said=said, touched_at=func.now())

    async def list_held(self, *, limit: int = 200) -> Sequence[Remark]:
        """Return remarks that were held and whose goals are not planned any more."""
        rows = await self._session.scalars(
            select(Remark)
            .join(Goal, Goal.id == Remark.goal_id)
            .where(
                Remark.status == RemarkStatus.READING,
                Remark.said != "",
                Goal.status != GoalStatus.PLANNING,
            )
            .order_by(Remark.touched_at)
            .limit(limit)
        )
        return rows.all()

    async def release(self, remark: Remark) -> None:
        """Store that a held one is read now."""
        await self._change(remark, said="", touched_at=func.now())

    async def touch(self, remark: Remark) -> None:
        """Store that somebody sees to it that it is read."""
        await self._change(remark, touched_at=func.now())

    async def _change(self, remark: Remark, **values: Any) -> None:
        await self._session.execute(
            update(Remark)
            .where(Remark.team_id == remark.team_id, Remark.id == remark.id)
            .values(**values)
            .execution_options(synchronize_session=False)
        )
        await self._session.refresh(remark)
