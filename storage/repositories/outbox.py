"""The outbox: which cards are to be shown where, and how far that has come."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from storage.repositories.direct import Direct, as_json, returned
from storage.repositories.tasks import seconds
from storage.tables.slack import OutboxCard, ParkedChannel

HOME = "home"
"""The noun of a person's Home: published for the person, never posted into a channel."""

MAX_TRIES = 12
"""With the pump's doubling waits, a card is tried for about an hour before it is left alone."""


_SHOW = returned(
    OutboxCard,
    """
    INSERT INTO outbox (
        team_id, noun, subject, channel_id, thread_ts, recipient_id, data, wanted, sent, priority,
        tries
    ) VALUES (
        %(team)s, %(noun)s, %(subject)s, %(channel)s, %(thread)s, %(recipient)s, %(data)s::jsonb,
        1, 0, %(priority)s, 0
    ) ON CONFLICT (team_id, noun, subject, channel_id) DO UPDATE SET
        wanted = outbox.wanted + 1,
        priority = CASE WHEN outbox.wanted > outbox.sent
            THEN least(outbox.priority, excluded.priority) ELSE excluded.priority END,
        tries = least(outbox.tries, 1),
        not_before = NULL,
        data = outbox.data || excluded.data
    """,
)
"""The more urgent wish counts until it has been sent. A card that is wanted anew gets all its tries
back, but one that was made stays known: it may have posted a message whose reply was lost."""

_DM = "SELECT dm_channel_id FROM people WHERE team_id = %(team)s AND person_id = %(person)s"


def is_person(channel_id: str) -> bool:
    """Whether an outbox channel is a person id, which stands for the DM with that person."""
    return channel_id.startswith(("U", "W"))


class OutboxRepository:
    """Wants, claims and settles cards. `storage.outbox` also wakes the pump."""

    def __init__(self, session: AsyncSession, direct: Direct) -> None:
        self._session = session
        self._direct = direct

    async def show(
        self,
        *,
        team_id: str,
        noun: str,
        subject: str,
        channel_id: str,
        thread_ts: str | None = None,
        recipient_id: str | None = None,
        data: dict[str, Any] | None = None,
        priority: int = 5,
    ) -> OutboxCard:
        """Want a card to be shown, or shown anew when it is there already; return its row."""
        channel_id = await self._direct_messages(team_id, noun, channel_id)
        [card] = await self._direct.objects(
            OutboxCard,
            _SHOW,
            {
                "team": team_id,
                "noun": noun,
                "subject": subject,
                "channel": channel_id,
                "thread": thread_ts,
                "recipient": recipient_id,
                "data": as_json(data or {}),
                "priority": priority,
            },
        )
        return card

    async def list_for(self, team_id: str, noun: str, subject: str) -> Sequence[OutboxCard]:
        """Return the cards of a subject, oldest first; `data["permalink"]` links to the message."""
        rows = await self._session.scalars(
            select(OutboxCard)
            .where(
                OutboxCard.team_id == team_id,
                OutboxCard.noun == noun,
                OutboxCard.subject == subject,
            )
            .order_by(OutboxCard.id)
            .execution_options(populate_existing=True)
        )
        return rows.all()

    async def claim(
        self, team_id: str, channel_id: str, *, owner: str, lease_s: float
    ) -> OutboxCard | None:
        """Take the next due card of a channel, count the try, and hold it for `lease_s` seconds.

        None while the channel is parked or another worker posts into it: one at a time keeps the
        channel's order and one message a card.
        """
        key = func.hashtextextended(f"outbox:{team_id}:{channel_id}", 0)
        await self._session.execute(select(func.pg_advisory_xact_lock(key)))
        held = aliased(OutboxCard)
        due = (
            select(OutboxCard.id)
            .where(
                OutboxCard.team_id == team_id,
                OutboxCard.channel_id == channel_id,
                *_due(),
                ~exists().where(
                    ParkedChannel.team_id == team_id,
                    ParkedChannel.channel_id == channel_id,
                    ParkedChannel.until > func.now(),
                ),
                ~exists().where(
                    held.team_id == team_id,
                    held.channel_id == channel_id,
                    held.lease_until > func.now(),
                ),
            )
            .order_by(OutboxCard.priority, OutboxCard.id)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        rows = await self._session.scalars(
            update(OutboxCard)
            .where(OutboxCard.id == due)
            .values(
                tries=OutboxCard.tries + 1,
                lease_owner=owner,
                lease_until=func.now() + seconds(lease_s),
            )
            .returning(OutboxCard)
            .execution_options(synchronize_session=False, populate_existing=True)
        )
        return rows.one_or_none()

    async def sent(
        self, card: OutboxCard, *, owner: str, wanted_seen: int, message_ts: str | None
    ) -> bool:
        """Settle a card at the state that was rendered; a touch meanwhile keeps it due.

        False when somebody else has taken the card over since.
        """
        return await self._settle(
            card,
            owner=owner,
            sent=wanted_seen,
            message_ts=message_ts,
            tries=0,
            not_before=None,
            last_error=None,
        )

    async def retry(self, card: OutboxCard, *, owner: str, error: str, wait_s: float) -> bool:
        """Give a card back to be tried again after `wait_s`."""
        not_before = func.now() + seconds(wait_s)
        return await self._settle(card, owner=owner, last_error=error, not_before=not_before)

    async def release(self, card: OutboxCard, *, owner: str) -> bool:
        """Give a card back as if it had not been claimed: certainly nothing was posted."""
        return await self._settle(card, owner=owner, tries=OutboxCard.tries - 1)

    async def give_up(self, card: OutboxCard, *, owner: str, error: str) -> bool:
        """Leave a card alone until somebody touches it."""
        return await self._settle(card, owner=owner, last_error=error, sent=OutboxCard.wanted)

    async def forget_message(self, card: OutboxCard, *, owner: str) -> bool:
        """Post a card anew: its message was deleted."""
        return await self._settle(card, owner=owner, message_ts=None)

    async def redirect(self, card: OutboxCard, *, owner: str, channel_id: str, error: str) -> bool:
        """Show a card to a person instead, once; False when that person has it already."""
        target = await self._direct_messages(card.team_id, card.noun, channel_id)
        twin = aliased(OutboxCard)
        taken = exists().where(
            twin.team_id == card.team_id,
            twin.noun == card.noun,
            twin.subject == card.subject,
            twin.channel_id == target,
        )
        moved = await self._session.scalar(
            update(OutboxCard)
            .where(OutboxCard.id == card.id, OutboxCard.lease_owner == owner, ~taken)
            .values(
                channel_id=target,
                thread_ts=None,
                recipient_id=None,
                message_ts=None,
                tries=0,
                last_error=error,
                data=OutboxCard.data.op("||")({"redirected": True}),
                lease_owner=None,
                lease_until=None,
            )
            .returning(OutboxCard.id)
            .execution_options(synchronize_session=False)
        )
        return moved is not None

    async def set_permalink(self, card: OutboxCard, permalink: str) -> None:
        await self._session.execute(
            update(OutboxCard)
            .where(OutboxCard.id == card.id)
            .values(data=OutboxCard.data.op("||")({"permalink": permalink}))
            .execution_options(synchronize_session=False)
        )

    async def move_to_dm(self, team_id: str, person_id: str, channel_id: str) -> None:
        """Put what was meant for a person into the DM that was just opened, each card once."""
        twin = aliased(OutboxCard)
        mine = (
            OutboxCard.team_id == team_id,
            OutboxCard.channel_id == person_id,
            OutboxCard.noun != HOME,
        )
        same = and_(
            twin.team_id == OutboxCard.team_id,
            twin.noun == OutboxCard.noun,
            twin.subject == OutboxCard.subject,
            twin.channel_id == channel_id,
        )
        other = aliased(OutboxCard)
        wanted_twice = exists().where(
            other.team_id == team_id,
            other.channel_id == person_id,
            other.noun != HOME,
            other.noun == OutboxCard.noun,
            other.subject == OutboxCard.subject,
        )
        await self._session.execute(
            update(OutboxCard)
            .where(OutboxCard.team_id == team_id, OutboxCard.channel_id == channel_id, wanted_twice)
            .values(wanted=OutboxCard.wanted + 1)
            .execution_options(synchronize_session=False)
        )
        await self._session.execute(
            delete(OutboxCard)
            .where(*mine, exists().where(same))
            .execution_options(synchronize_session=False)
        )
        await self._session.execute(
            update(OutboxCard)
            .where(*mine)
            .values(channel_id=channel_id)
            .execution_options(synchronize_session=False)
        )

    async def park(self, team_id: str, channel_id: str, *, for_s: float) -> None:
        """Leave a channel alone for so long; an earlier, longer parking stays."""
        until = func.now() + seconds(for_s)
        added = insert(ParkedChannel).values(team_id=team_id, channel_id=channel_id, until=until)
        await self._session.execute(
            added.on_conflict_do_update(
                index_elements=["team_id", "channel_id"],
                set_={"until": func.greatest(ParkedChannel.until, added.excluded.until)},
            )
        )

    async def list_due(self, *, limit: int = 500) -> Sequence[tuple[str, str]]:
        """Return (team, channel) where a card is due that nobody is posting."""
        rows = await self._session.execute(
            select(OutboxCard.team_id, OutboxCard.channel_id)
            .where(
                *_due(),
                ~exists().where(
                    ParkedChannel.team_id == OutboxCard.team_id,
                    ParkedChannel.channel_id == OutboxCard.channel_id,
                    ParkedChannel.until > func.now(),
                ),
            )
            .distinct()
            .limit(limit)
        )
        return [(row[0], row[1]) for row in rows]

    async def _direct_messages(self, team_id: str, noun: str, channel_id: str) -> str:
        if noun == HOME or not is_person(channel_id):
            return channel_id
        known: str | None = await self._direct.value(_DM, {"team": team_id, "person": channel_id})
        return known or channel_id

    async def _settle(self, card: OutboxCard, *, owner: str, **values: Any) -> bool:
        settled = await self._session.scalar(
            update(OutboxCard)
            .where(OutboxCard.id == card.id, OutboxCard.lease_owner == owner)
            .values(lease_owner=None, lease_until=None, **values)
            .returning(OutboxCard.id)
            .execution_options(synchronize_session=False)
        )
        return settled is not None


def _due() -> tuple[Any, ...]:
    return (
        OutboxCard.wanted > OutboxCard.sent,
        OutboxCard.tries < MAX_TRIES,
        or_(OutboxCard.not_before.is_(None), OutboxCard.not_before <= func.now()),
        or_(OutboxCard.lease_until.is_(None), OutboxCard.lease_until < func.now()),
    )
