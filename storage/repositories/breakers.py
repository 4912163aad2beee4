"""Breakers: which hosts are left alone, shared by all processes and written on changes only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Interval, delete, func, select, type_coerce, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from storage.instants import Deadline, elapsed_s, from_now
from storage.tables.goals import Goal, GoalStatus, Task, TaskStatus
from storage.tables.recovery import Breaker


@dataclass(frozen=True, slots=True)
class OpenBreaker:
    """A host that is left alone until `retry`, when one process may try."""

    host: str
    provider: str
    opened_at: datetime
    retry: Deadline
    probes: int


class BreakerRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list_(self) -> Sequence[OpenBreaker]:
        """Return the hosts that are left alone."""
        since_s = elapsed_s()
        left = type_coerce(Breaker.retry_at - func.clock_timestamp(), Interval())
        rows = await self._session.execute(
            select(
                Breaker.host,
                Breaker.provider,
                Breaker.opened_at,
                left.label("left"),
                Breaker.probes,
            )
        )
        return [
            OpenBreaker(
                row.host, row.provider, row.opened_at, _deadline(row.left, since_s), row.probes
            )
            for row in rows
        ]

    async def open(self, *, host: str, provider: str, for_s: float) -> bool:
        """Leave a host alone for so long; False when somebody was first."""
        opened = await self._session.scalar(
            insert(Breaker)
            .values(host=host, provider=provider, retry_at=from_now(for_s), probes=0)
            .on_conflict_do_nothing(index_elements=["host"])
            .returning(Breaker.host)
        )
        return opened is not None

    async def claim_probe(self, host: str, *, lease_s: float) -> bool:
        """Win the right to try a host once; until `lease_s` have passed nobody else may."""
        claimed = await self._session.scalar(
            update(Breaker)
            .where(Breaker.host == host, Breaker.retry_at <= func.clock_timestamp())
            .values(retry_at=from_now(lease_s))
            .returning(Breaker.host)
            .execution_options(synchronize_session=False)
        )
        return claimed is not None

    async def keep_open(self, host: str, *, for_s: float) -> None:
        """Leave a host alone for longer: the one try failed."""
        await self._session.execute(
            update(Breaker)
            .where(Breaker.host == host)
            .values(retry_at=from_now(for_s), probes=Breaker.probes + 1)
            .execution_options(synchronize_session=False)
        )

    async def close(self, host: str) -> bool:
        """Forget that a host failed; False when somebody was first."""
        closed = await self._session.scalar(
            delete(Breaker).where(Breaker.host == host).returning(Breaker.host)
        )
        return closed is not None

    async def count_held(self, team_id: str, person_id: str, provider: str) -> int:
        """Return how many steps of a person's open goals wait for a provider to answer again."""
        found = await self._session.scalar(
            select(func.count())
            .select_from(Task)
            .join(Goal, Goal.id == Task.goal_id)
            .where(
                Goal.team_id == team_id,
                Goal.requester_id == person_id,
                Goal.status.in_((GoalStatus.PLANNING, GoalStatus.RUNNING, GoalStatus.WAITING)),
                Task.status == TaskStatus.READY,
                Task.held_since.is_not(None),
                Task.failure["provider"].astext == provider,
            )
        )
        return found or 0


def _deadline(left: timedelta, since_s: float) -> Deadline:
    return Deadline.after(left, since_s=since_s)
