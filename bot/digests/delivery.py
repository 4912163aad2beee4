"""Sending digests: those whose time has come, once each, and late rather than never."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeGuard

from bot.digests.queries import DigestQueries
from bot.digests.schedule import next_slot
from bot.digests.subscriptions import ensure
from storage import outbox
from storage.database import Database, Transaction
from storage.tables.people import Person
from storage.tables.records import DigestSubscription

FIRST_DIGEST_COVERS = timedelta(days=1)


class DigestDelivery:
    """The tick's part of digests. Any number of replicas may run it."""

    def __init__(
        self, *, database: Database, queries: DigestQueries, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._queries = queries
        self._now = now

    async def keep_up(self) -> None:
        """Subscribe whoever was seen since, and move whoever changed zone."""
        async with self._database.transaction() as tx:
            for person in await tx.digests.list_unfitting():
                await ensure(tx, person, now=self._now())

    async def send_due(self) -> int:
        """Send every digest that is due, one transaction each; return how many were sent.

        Slots that were missed become one digest, which says that it is late. One with nothing to
        read is not sent: a person's time is the scarce thing.
        """
        sent = 0
        while True:
            async with self._database.transaction() as tx:
                subscription = await tx.digests.claim_due(self._now())
                if subscription is None:
                    return sent
                sent += await self._serve(tx, subscription)

    async def _serve(self, tx: Transaction, subscription: DigestSubscription) -> bool:
        now, slot = self._now(), subscription.next_at
        person = await tx.people.find(subscription.team_id, subscription.person_id)
        await tx.digests.change(
            subscription,
            zone=subscription.zone,
            at=subscription.at,
            weekdays=subscription.weekdays,
            enabled=subscription.enabled,
            next_at=next_slot(
                at=subscription.at,
                weekdays=subscription.weekdays,
                zone=subscription.zone,
                after=now,
            ),
        )
        if not reads_digests(person):
            return False
        since = await last_time(tx, subscription)
        digest = await self._queries.compose(tx, person, since=since, until=now)
        if digest.is_empty:
            return False
        slot_name = slot.astimezone(UTC).isoformat()
        return await deliver(tx, subscription, slot=slot_name, since=since)


async def deliver(
    tx: Transaction,
    subscription: DigestSubscription,
    *,
    slot: str,
    since: datetime,
    priority: int = 5,
) -> bool:
    """Put a digest into the person's direct messages, once per slot."""
    run = await tx.digests.add_run(subscription, slot=slot, since=since)
    if run is None:
        return False
    await outbox.show(
        tx,
        team_id=run.team_id,
        noun="digest",
        subject=str(run.id),
        channel_id=run.person_id,
        priority=priority,
    )
    return True


async def last_time(tx: Transaction, subscription: DigestSubscription) -> datetime:
    """Return up to when the person has read: their last digest, or before everything we did.

    Somebody is subscribed after their first message, sometimes only by asking for a digest.
    """
    run = await tx.digests.last_run(subscription.team_id, subscription.person_id)
    return run.created_at if run is not None else subscription.created_at - FIRST_DIGEST_COVERS


def reads_digests(person: Person | None) -> TypeGuard[Person]:
    """Whether somebody is sent digests: neither guests nor bots nor who left."""
    return person is not None and person.is_active and not person.is_guest and not person.is_bot
