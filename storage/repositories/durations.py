"""Durations: a median of recent calls for each action, measured at most once in a while."""

from collections.abc import Collection

from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from storage.repositories.tasks import seconds
from storage.tables.calls import Attempt, AttemptStatus
from storage.tables.durations import Duration
from storage.tables.goals import Task

RECENT = 2_000
"""So many of the newest successful attempts count; the newest are found by their key."""


class DurationRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def medians(self, actions: Collection[str]) -> dict[str, float]:
        """Return action → its usual duration in seconds, of those that were measured."""
        rows = await self._session.execute(
            select(Duration.action, Duration.median_s).where(Duration.action.in_(actions))
        )
        return {row.action: row.median_s for row in rows}

    async def measure(self, *, every_s: float) -> int:
        """Measure anew unless that was done less than `every_s` ago; return how many actions.

        Two replicas may do it at the same time: both store the same.
        """
        if await self._session.scalar(
            select(exists().where(Duration.measured_at > func.now() - seconds(every_s)))
        ):
            return 0
        took = func.extract("epoch", Attempt.finished_at - Attempt.started_at).label("took")
        recent = (
            select(Attempt.task_id, took)
            .where(Attempt.status == AttemptStatus.SUCCEEDED, Attempt.finished_at.is_not(None))
            .order_by(Attempt.id.desc())
            .limit(RECENT)
            .subquery()
        )
        found = await self._session.execute(
            select(
                Task.action,
                func.percentile_cont(0.5).within_group(recent.c.took).label("median_s"),
                func.count().label("samples"),
            )
            .join(recent, recent.c.task_id == Task.id)
            .group_by(Task.action)
        )
        rows = [dict(row) for row in found.mappings()]
        if rows:
            added = insert(Duration).values(rows)
            await self._session.execute(
                added.on_conflict_do_update(
                    index_elements=["action"],
                    set_={
                        "median_s": added.excluded.median_s,
                        "samples": added.excluded.samples,
                        "measured_at": func.now(),
                    },
                )
            )
        return len(rows)
