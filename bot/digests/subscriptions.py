"""Everybody's digest subscription: made when a person is first seen, moved with their zone."""

from datetime import datetime

from bot.digests.schedule import DEFAULT_AT, WORKDAYS, next_slot
from storage.database import Transaction
from storage.tables.people import Person
from storage.tables.records import DigestSubscription


async def ensure(tx: Transaction, person: Person, *, now: datetime) -> DigestSubscription:
    """Return a person's subscription, held until commit: 09:00 on workdays unless they chose.

    When their profile names another zone than before, the next digest moves with them.
    """
    subscription = await tx.digests.ensure(
        team_id=person.team_id,
        person_id=person.person_id,
        zone=person.zone,
        at=DEFAULT_AT,
        weekdays=WORKDAYS,
        next_at=next_slot(at=DEFAULT_AT, weekdays=WORKDAYS, zone=person.zone, after=now),
    )
    if subscription.zone != person.zone:
        at, weekdays = subscription.at, subscription.weekdays
        await tx.digests.change(
            subscription,
            zone=person.zone,
            at=at,
            weekdays=weekdays,
            enabled=subscription.enabled,
            next_at=next_slot(at=at, weekdays=weekdays, zone=person.zone, after=now),
        )
    return subscription
