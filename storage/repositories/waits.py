"""Waits: begun with their task, claimed when due, ended once."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.instants import from_now
from storage.repositories.rows import update_object
from storage.tables.waits import Wait, WaitEnding


class WaitRepository:
    """Reads, claims and ends waits. Who begins or ends one holds the goal's row."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def now(self) -> datetime:
        """Return the database's present instant, by which every wait is judged."""
        found: datetime = (await self._session.execute(select(func.clock_timestamp()))).scalar_one()
        return found

    async def add(self, *, ending: WaitEnding | None = None, **values: Any) -> Wait:
        """Begin a task's wait; with an ending it is over already."""
        ended_at = None if ending is None else func.now()
        added = await self._session.scalars(
            insert(Wait).values(**values, ending=ending, ended_at=ended_at).returning(Wait)
        )
        return added.one()

    async def find(self, team_id: str, wait_id: int) -> Wait | None:
        return await self._session.scalar(
            select(Wait)
            .where(Wait.team_id == team_id, Wait.id == wait_id)
            .execution_options(populate_existing=True)
        )

    async def list_(self, team_id: str, goal_id: int) -> Sequence[Wait]:
        """Return all waits of a goal's tasks, oldest first."""
        rows = await self._session.scalars(
            select(Wait)
            .where(Wait.team_id == team_id, Wait.goal_id == goal_id)
            .order_by(Wait.id)
            .execution_options(populate_existing=True)
        )
        return rows.all()

    async def claim_due(self, *, lease_s: float, limit: int) -> Sequence[Wait]:
        """Take waits whose time has come and that no other replica sees to; the oldest first.

        Should this process die, another one takes them when the lease is over. (`now()` and not
        `clock_timestamp()`: an index can be searched only for what a statement keeps the same.)
        """
        due = (
            select(Wait.id)
            .where(
                Wait.ended_at.is_(None),
                Wait.due_at <= func.now(),
                or_(Wait.claimed_until.is_(None), Wait.claimed_until < func.now()),
            )
            .order_by(Wait.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = await self._session.scalars(
            update(Wait)
            .where(Wait.id.in_(due.scalar_subquery()))
            .values(claimed_until=from_now(lease_s))
            .returning(Wait)
            .execution_options(synchronize_session=False, populate_existing=True)
        )
        return rows.all()

    async def end(self, wait: Wait, *, ending: WaitEnding) -> bool:
        """End a wait; False when somebody was first."""
        ended = await self._session.execute(
            update(Wait)
            .where(Wait.team_id == wait.team_id, Wait.id == wait.id, Wait.ended_at.is_(None))
            .values(ended_at=func.clock_timestamp(), ending=ending, claimed_until=None)
            .returning(*Wait.__table__.columns)
            .execution_options(synchronize_session=False)
        )
        return update_object(wait, ended.mappings().one_or_none())

    async def cancel(self, team_id: str, task_id: int) -> None:
        """End whatever a task waits for: it does not wait any more."""
        await self._session.execute(
            update(Wait)
            .where(Wait.team_id == team_id, Wait.task_id == task_id, Wait.ended_at.is_(None))
            .values(ended_at=func.clock_timestamp(), ending=WaitEnding.CANCELLED)
            .execution_options(synchronize_session=False)
        )

    async def owe_look(self, wait: Wait) -> None:
        """Remember that somebody has to look, until one did: jobs and answers can be lost."""
        await self._session.execute(
            update(Wait)
            .where(Wait.team_id == wait.team_id, Wait.id == wait.id, Wait.ended_at.is_(None))
            .values(hinted_at=func.clock_timestamp())
            .execution_options(synchronize_session=False)
        )

    async def remember(self, wait: Wait, *, cursor: dict[str, Any]) -> None:
        """Keep what a look for an event saw. A hint since it began is still owed a look.

        Args:
            wait: as it was read before the look.
            cursor: what the look saw.
        """
        hinted_since = Wait.hinted_at.is_distinct_from(wait.hinted_at)
        await self._session.execute(
            update(Wait)
            .where(Wait.team_id == wait.team_id, Wait.id == wait.id, Wait.ended_at.is_(None))
            .values(cursor=cursor, hinted_at=case((hinted_since, Wait.hinted_at), else_=None))
            .execution_options(synchronize_session=False)
        )

    async def list_awaiting(
        self,
        team_id: str,
        connector: str,
        *,
        subjects: Collection[str] | None,
        person_id: str | None = None,
        events: Collection[str] | None = None,
    ) -> Sequence[Wait]:
        """Return the open waits for events of a connector.

        Args:
            team_id: whose waits.
            connector: the provider.
            subjects: only about these ids; None: about any.
            person_id: only of this person; None: of anybody in the team.
            events: only for these events; None: for any.
        """
        wanted = select(Wait).where(
            Wait.team_id == team_id,
            Wait.connector == connector,
            Wait.event.is_not(None),
            Wait.ended_at.is_(None),
        )
        if subjects is not None:
            wanted = wanted.where(Wait.subject.in_(subjects))
        if person_id is not None:
            wanted = wanted.where(Wait.person_id == person_id)
        if events is not None:
            wanted = wanted.where(Wait.event.in_(events))
        rows = await self._session.scalars(
            wanted.order_by(Wait.id).execution_options(populate_existing=True)
        )
        return rows.all()
