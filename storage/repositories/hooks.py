"""Webhook addresses, deliveries taken once, and streams polled by one replica at a time."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from storage.instants import from_now
from storage.tables.hooks import Hook, HookDelivery, Poll


class HookRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def ensure(self, *, team_id: str, connector: str, hook_id: str) -> str:
        """Return the id of a team's address for a connector; `hook_id` where there was none."""
        await self._session.execute(
            insert(Hook)
            .values(id=hook_id, team_id=team_id, connector=connector)
            .on_conflict_do_nothing(index_elements=["team_id", "connector"])
        )
        found: str = (
            await self._session.execute(
                select(Hook.id).where(Hook.team_id == team_id, Hook.connector == connector)
            )
        ).scalar_one()
        return found

    async def list_paths(self, connector: str) -> Sequence[str]:
        """Return the paths of a connector's addresses, of all teams, for whoever sets them up."""
        rows = await self._session.scalars(
            select(Hook.id).where(Hook.connector == connector).order_by(Hook.created_at)
        )
        return [f"/hooks/{connector}/{hook_id}" for hook_id in rows]

    async def find(self, connector: str, hook_id: str) -> Hook | None:
        return await self._session.scalar(
            select(Hook).where(Hook.id == hook_id, Hook.connector == connector)
        )

    async def take(self, hook_id: str, deliveries: Sequence[str]) -> frozenset[str]:
        """Record deliveries and return those that are new."""
        if not deliveries:
            return frozenset()
        rows = await self._session.scalars(
            insert(HookDelivery)
            .values([{"hook_id": hook_id, "delivery": one} for one in dict.fromkeys(deliveries)])
            .on_conflict_do_nothing(index_elements=["hook_id", "delivery"])
            .returning(HookDelivery.delivery)
        )
        return frozenset(rows.all())

    async def want_poll(
        self,
        *,
        connection_id: int,
        stream: str,
        team_id: str,
        person_id: str,
        connector: str,
        within_s: float,
    ) -> None:
        """Let a stream be polled at the latest so soon; others may wait for it already."""
        soon = from_now(within_s)
        await self._session.execute(
            insert(Poll)
            .values(
                connection_id=connection_id,
                stream=stream,
                team_id=team_id,
                person_id=person_id,
                connector=connector,
                next_at=soon,
            )
            .on_conflict_do_update(
                index_elements=["connection_id", "stream"],
                set_={"next_at": func.least(Poll.next_at, soon)},
            )
        )

    async def claim_polls(self, *, lease_s: float, limit: int) -> Sequence[Poll]:
        """Take streams whose turn has come and that no other replica polls."""
        due = (
            select(Poll.connection_id, Poll.stream)
            .where(
                Poll.next_at <= func.clock_timestamp(),
                or_(Poll.claimed_until.is_(None), Poll.claimed_until < func.clock_timestamp()),
            )
            .order_by(Poll.next_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        rows = await self._session.scalars(
            update(Poll)
            .where(Poll.connection_id == due.c.connection_id, Poll.stream == due.c.stream)
            .values(claimed_until=from_now(lease_s))
            .returning(Poll)
            .execution_options(synchronize_session=False, populate_existing=True)
        )
        return rows.all()

    async def finish_poll(
        self, poll: Poll, *, cursor: Mapping[str, Any] | None, again_in_s: float
    ) -> None:
        """Store where a stream's next poll begins and when it is."""
        await self._session.execute(
            update(Poll)
            .where(Poll.connection_id == poll.connection_id, Poll.stream == poll.stream)
            .values(cursor=cursor, next_at=from_now(again_in_s), claimed_until=None)
            .execution_options(synchronize_session=False)
        )

    async def drop_poll(self, poll: Poll) -> None:
        """Stop polling: nobody waits for anything in this stream."""
        await self._session.execute(
            delete(Poll)
            .where(Poll.connection_id == poll.connection_id, Poll.stream == poll.stream)
            .execution_options(synchronize_session=False)
        )
