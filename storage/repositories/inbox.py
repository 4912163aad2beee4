"""The inbox: what Slack sent, stored before it is acknowledged."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from storage.repositories.tasks import seconds
from storage.tables.slack import InboxEvent, InboxStatus


class InboxRepository:
    """Stores events once, hands them out in the order of their thread, settles them."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(
        self, *, team_id: str, event_id: str, thread_key: str, body: dict[str, Any]
    ) -> int | None:
        """Return the new row's id, or None when this event was stored before (S19)."""
        return await self._session.scalar(
            insert(InboxEvent)
            .values(
                team_id=team_id,
                event_id=event_id,
                thread_key=thread_key,
                body=body,
                status=InboxStatus.RECEIVED,
            )
            .on_conflict_do_nothing(index_elements=["team_id", "event_id"])
            .returning(InboxEvent.id)
        )

    async def add_trigger(self, *, team_id: str, trigger_id: str) -> bool:
        """Remember an interaction that is handled in its request; False when it was seen (S19)."""
        return await self._remember(team_id, f"trigger:{trigger_id}", "trigger")

    async def take_message(self, *, team_id: str, channel_id: str, ts: str) -> bool:
        """Remember that a message is acted on in this transaction; False when it was before.

        An event is settled after its listener has committed, so it may be handled again.
        """
        return await self._remember(team_id, f"message:{channel_id}:{ts}", "message")

    async def _remember(self, team_id: str, event_id: str, thread_key: str) -> bool:
        added = await self._session.scalar(
            insert(InboxEvent)
            .values(
                team_id=team_id,
                event_id=event_id,
                thread_key=thread_key,
                body={},
                status=InboxStatus.HANDLED,
                handled_at=func.now(),
            )
            .on_conflict_do_nothing(index_elements=["team_id", "event_id"])
            .returning(InboxEvent.id)
        )
        return added is not None

    async def claim(self, inbox_id: int, *, lease_s: float) -> InboxEvent | None:
        """Take an event, count the try, and hold it for `lease_s` seconds.

        Returns None when it is settled, when somebody else holds it, or when an earlier event of
        its thread is still unsettled: whoever settles that one goes on with this one.
        """
        earlier = aliased(InboxEvent)
        claimed = await self._session.scalars(
            update(InboxEvent)
            .where(
                InboxEvent.id == inbox_id,
                InboxEvent.status == InboxStatus.RECEIVED,
                or_(InboxEvent.lease_until.is_(None), InboxEvent.lease_until < func.now()),
                ~exists().where(
                    earlier.team_id == InboxEvent.team_id,
                    earlier.thread_key == InboxEvent.thread_key,
                    earlier.status == InboxStatus.RECEIVED,
                    earlier.id < InboxEvent.id,
                ),
            )
            .values(tries=InboxEvent.tries + 1, lease_until=func.now() + seconds(lease_s))
            .returning(InboxEvent)
            .execution_options(synchronize_session=False, populate_existing=True)
        )
        return claimed.one_or_none()

    async def release(self, event: InboxEvent) -> None:
        """Give an event back, to be tried again."""
        await self._session.execute(
            update(InboxEvent)
            .where(InboxEvent.id == event.id)
            .values(lease_until=None)
            .execution_options(synchronize_session=False)
        )

    async def settle(self, event: InboxEvent, *, to: InboxStatus) -> int | None:
        """Settle an event and return the id of the next one of its thread, if any waits."""
        await self._session.execute(
            update(InboxEvent)
            .where(InboxEvent.id == event.id, InboxEvent.status == InboxStatus.RECEIVED)
            .values(status=to, handled_at=func.now(), lease_until=None)
            .execution_options(synchronize_session=False)
        )
        return await self._session.scalar(
            select(InboxEvent.id)
            .where(
                InboxEvent.team_id == event.team_id,
                InboxEvent.thread_key == event.thread_key,
                InboxEvent.status == InboxStatus.RECEIVED,
            )
            .order_by(InboxEvent.id)
            .limit(1)
        )

    async def list_abandoned(self, *, older_than_s: float, limit: int = 200) -> Sequence[int]:
        """Return the first unsettled event of each thread that nobody holds: the sweeper's."""
        firsts = (
            select(func.min(InboxEvent.id))
            .where(InboxEvent.status == InboxStatus.RECEIVED)
            .group_by(InboxEvent.team_id, InboxEvent.thread_key)
        )
        rows = await self._session.scalars(
            select(InboxEvent.id)
            .where(
                InboxEvent.id.in_(firsts),
                or_(InboxEvent.lease_until.is_(None), InboxEvent.lease_until < func.now()),
                InboxEvent.received_at < func.now() - seconds(older_than_s),
            )
            .order_by(InboxEvent.id)
            .limit(limit)
        )
        return rows.all()
