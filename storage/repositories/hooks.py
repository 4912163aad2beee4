"""Webhook addresses, deliveries taken once, and streams polled by one replica at a time."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Update, case, delete, func, or_, select, update
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

    async def find_path(self, team_id: str, connector: str) -> str | None:
        """Return the path at which a connector's webhooks for a team arrive, if there is one."""
        hook_id = await self._session.scalar(
            select(Hook.id).where(Hook.team_id == team_id, Hook.connector == connector)
        )
        return None if hook_id is None else f"/hooks/{connector}/{hook_id}"

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
                is_hinted=False,
            )
            .on_conflict_do_update(
                index_elements=["connection_id", "stream"],
                set_={"next_at": func.least(Poll.next_at, soon), "is_hinted": True},
            )
        )

    async def claim_polls(self, *, lease_s: float, limit: int) -> Sequence[Poll]:
        """Take streams whose turn has come and that no other replica polls."""
        due = (
            select(Poll.connection_id, Poll.stream)
            .where(
                Poll.next_at <= func.now(),
                or_(Poll.claimed_until.is_(None), Poll.claimed_until < func.now()),
            )
            .order_by(Poll.next_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        rows = await self._session.scalars(
            update(Poll)
            .where(Poll.connection_id == due.c.connection_id, Poll.stream == due.c.stream)
            .values(claimed_until=from_now(lease_s), is_hinted=False)
            .returning(Poll)
            .execution_options(synchronize_session=False, populate_existing=True)
        )
        return rows.all()

    async def finish_poll(
        self, poll: Poll, *, cursor: Mapping[str, Any] | None, again_in_s: float
    ) -> None:
        """Store where the next poll begins and when: at once where there was a hint meanwhile."""
        await self._session.execute(
            _of(poll)
            .values(
                cursor=cursor,
                next_at=case((Poll.is_hinted, func.now()), else_=from_now(again_in_s)),
                claimed_until=None,
            )
            .execution_options(synchronize_session=False)
        )

    async def drop_poll(self, poll: Poll) -> bool:
        """Stop polling because nobody waits; False where somebody began to since the claim."""
        gone = await self._session.execute(
            delete(Poll)
            .where(
                Poll.connection_id == poll.connection_id,
                Poll.stream == poll.stream,
                Poll.is_hinted.is_(False),
            )
            .returning(Poll.connection_id)
            .execution_options(synchronize_session=False)
        )
        if gone.one_or_none() is not None:
            return True
        await self._session.execute(
            _of(poll).values(claimed_until=None).execution_options(synchronize_session=False)
        )
        return False

    async def hint_channel(self, team_id: str, connector: str, channel_id: str) -> None:
        """Let the stream of a channel be polled now; an unknown channel is nobody's."""
        await self._session.execute(
            update(Poll)
            .where(
                Poll.channel_id == channel_id,
                Poll.team_id == team_id,
                Poll.connector == connector,
            )
            .values(is_hinted=True, next_at=func.least(Poll.next_at, func.now()))
            .execution_options(synchronize_session=False)
        )

    async def keep_channel(
        self,
        poll: Poll,
        *,
        channel_id: str,
        handle: Mapping[str, Any],
        expires_at: datetime | None,
        renew_before_s: float,
        at_most_every_s: float,
    ) -> None:
        """Remember a stream's channel, and to ask for the next one before it expires.

        Of a channel whose end is unknown the next one is asked for as soon as may be.
        """
        renew_at = expires_at and expires_at - timedelta(seconds=renew_before_s)
        await self._session.execute(
            _of(poll)
            .values(
                channel_id=channel_id,
                channel_handle=handle,
                watch_at=func.greatest(renew_at, from_now(at_most_every_s)),
            )
            .execution_options(synchronize_session=False)
        )

    async def ask_later(self, poll: Poll, *, again_in_s: float) -> None:
        """Leave a stream with what it has: a channel was refused."""
        await self._session.execute(
            _of(poll)
            .values(watch_at=from_now(again_in_s))
            .execution_options(synchronize_session=False)
        )


def _of(poll: Poll) -> Update:
    return update(Poll).where(Poll.connection_id == poll.connection_id, Poll.stream == poll.stream)
