"""Halts: rows whose mere existence keeps every write from starting (S39)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from storage.repositories.tasks import seconds
from storage.tables.calls import Attempt, AttemptStatus, Permit, PermitStatus
from storage.tables.goals import DRIVEN_STATUSES, Goal, Task, TaskStatus
from storage.tables.halts import EVERY_TEAM, Halt

_BARRIER = text("LOCK TABLE permits IN SHARE MODE")


class HaltRepository:
    """Adds and removes halts, and says what they hold up."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, team_id: str, *, halted_by: str, reason: str) -> bool:
        """Halt a team, or `EVERY_TEAM`; False when it is halted already, which stays as it is."""
        added = await self._session.scalar(
            insert(Halt)
            .values(team_id=team_id, halted_by=halted_by, reason=reason)
            .on_conflict_do_nothing(index_elements=["team_id"])
            .returning(Halt.team_id)
        )
        return added is not None

    async def remove(self, team_id: str) -> datetime | None:
        """End a halt; return since when it stood, None when there is none."""
        return await self._session.scalar(
            delete(Halt).where(Halt.team_id == team_id).returning(Halt.halted_at)
        )

    async def find(self, team_id: str) -> Halt | None:
        """Return what halts a team: everybody's halt before its own."""
        return await self._session.scalar(
            select(Halt)
            .where(Halt.team_id.in_((EVERY_TEAM, team_id)))
            .order_by(Halt.team_id != EVERY_TEAM)
            .limit(1)
        )

    async def list_(self) -> Sequence[Halt]:
        rows = await self._session.scalars(select(Halt).order_by(Halt.team_id))
        return rows.all()

    async def pass_barrier(self) -> None:
        """Return once every permit that was being spent when this began is spent or refused.

        A halt is seen by each statement that begins after its commit; a statement that began
        before may still be under way. This waits for those, in a transaction of its own that
        does nothing else: it holds others up for as long as it waits, and they hold no lock
        that it could need.
        """
        await self._session.execute(_BARRIER)

    async def count_in_flight(self, team_id: str, *, grace_s: float) -> int:
        """Return how many writes may be under way: sent, or about to be, by a live attempt.

        Args:
            team_id: one team's, or `EVERY_TEAM`.
            grace_s: the longest call; one sent as its lease ended may act so much later.
        """
        found = await self._session.scalar(
            select(func.count())
            .select_from(Attempt)
            .join(Permit, Permit.attempt_id == Attempt.id)
            .where(
                Attempt.status == AttemptStatus.RUNNING,
                Attempt.idempotency != "read",
                Attempt.lease_until > func.now() - seconds(grace_s),
                Permit.status == PermitStatus.USED,
                _of(team_id, Attempt.team_id),
            )
        )
        return found or 0

    async def list_held(
        self, team_id: str, *, after_id: int = 0, limit: int = 200
    ) -> Sequence[tuple[str, int]]:
        """Return (team, goal) of goals with a step that could run but that nobody has claimed.

        Args:
            team_id: one team's, or `EVERY_TEAM`.
            after_id: only goals with a higher id, for the next page.
            limit: how many at most.
        """
        rows = await self._session.execute(
            select(Goal.team_id, Goal.id)
            .where(
                Goal.status.in_(DRIVEN_STATUSES),
                Goal.settled_at.is_(None),
                Goal.id > after_id,
                _of(team_id, Goal.team_id),
                _held_task(),
            )
            .order_by(Goal.id)
            .limit(limit)
        )
        return [(row.team_id, row.id) for row in rows]

    async def count_held(self, team_id: str) -> int:
        """Return how many goals have a step that could run but that nobody has claimed."""
        found = await self._session.scalar(
            select(func.count())
            .select_from(Goal)
            .where(
                Goal.status.in_(DRIVEN_STATUSES),
                Goal.settled_at.is_(None),
                _of(team_id, Goal.team_id),
                _held_task(),
            )
        )
        return found or 0


def _held_task() -> ColumnElement[bool]:
    return exists().where(
        Task.team_id == Goal.team_id,
        Task.goal_id == Goal.id,
        Task.status == TaskStatus.READY,
        or_(Task.lease_until.is_(None), Task.lease_until < func.now()),
        or_(Task.not_before.is_(None), Task.not_before <= func.now()),
    )


def _of(team_id: str, column: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    return column.is_not(None) if team_id == EVERY_TEAM else column == team_id
