"""The digest as a person uses it: now, at another time, off and on."""

from collections.abc import Callable
from datetime import datetime, time

from bot.digests.delivery import deliver, last_time, reads_digests
from bot.digests.queries import DigestQueries
from bot.digests.schedule import next_slot
from bot.digests.subscriptions import ensure
from bot.goals.clicks import Answer, Click
from storage import outbox
from storage.database import Database, Transaction
from storage.tables.records import DigestSubscription

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WORKDAYS = [1, 2, 3, 4, 5]
_WEEK = [1, 2, 3, 4, 5, 6, 7]


class DigestService:
    """Answers clicks and commands about one's own digest; nobody can touch another's."""

    def __init__(
        self, *, database: Database, queries: DigestQueries, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._queries = queries
        self._now = now

    async def subscribe(self, *, team_id: str, person_id: str) -> None:
        """Subscribe somebody who was just seen; the tick does it within a minute otherwise."""
        async with self._database.transaction() as tx:
            person = await tx.people.find(team_id, person_id)
            if reads_digests(person):
                await ensure(tx, person, now=self._now())

    async def send_now(self, click: Click) -> Answer:
        """Send the digest at once, or say that there is nothing to read."""
        now = self._now()
        async with self._database.transaction() as tx:
            person = await tx.people.get(click.team_id, click.person_id)
            subscription = await ensure(tx, person, now=now)
            since = await last_time(tx, subscription)
            digest = await self._queries.compose(tx, person, since=since, until=now)
            if digest.is_empty:
                return Answer("Nothing waits on you, and nothing is stuck.")
            await deliver(tx, subscription, slot=f"now:{now.isoformat()}", since=since, priority=1)
        return Answer("Your digest is on its way to our direct messages.")

    async def set_time(
        self, click: Click, *, hour_minute: str, weekdays: tuple[int, ...] | None
    ) -> Answer:
        """Set the time of day ("08:30") and, unless None, the ISO weekdays; this turns it on."""
        at, is_week = _time(hour_minute), weekdays is None or set(weekdays) <= set(_WEEK)
        if at is None or not is_week or weekdays == ():
            return Answer("Give a time such as 8:30, and at least one day.", ok=False)
        async with self._database.transaction() as tx:
            subscription = await self._change(
                tx, click, at=at, weekdays=list(weekdays) if weekdays else None, enabled=True
            )
        return Answer(f"Your digest comes {_when(subscription)}.")

    async def turn(self, click: Click, *, on: bool) -> Answer:
        """Turn the scheduled digest on or off; asking for one by hand works either way."""
        async with self._database.transaction() as tx:
            subscription = await self._change(tx, click, enabled=on)
        if not on:
            return Answer("Your digest is off. /countersign digest still shows one at any time.")
        return Answer(f"Your digest comes {_when(subscription)}.")

    async def _change(
        self,
        tx: Transaction,
        click: Click,
        *,
        enabled: bool,
        at: time | None = None,
        weekdays: list[int] | None = None,
    ) -> DigestSubscription:
        now = self._now()
        person = await tx.people.get(click.team_id, click.person_id)
        subscription = await ensure(tx, person, now=now)
        at, weekdays = at or subscription.at, weekdays or subscription.weekdays
        await tx.digests.change(
            subscription,
            zone=person.zone,
            at=at,
            weekdays=weekdays,
            enabled=enabled,
            next_at=next_slot(at=at, weekdays=weekdays, zone=person.zone, after=now),
        )
        await outbox.touch(
            tx, team_id=click.team_id, noun="home", subject=click.person_id, priority=1
        )
        return subscription


def _time(text: str) -> time | None:
    try:
        return time.fromisoformat(text.strip().zfill(5)).replace(second=0, microsecond=0)
    except ValueError:
        return None


def _when(subscription: DigestSubscription) -> str:
    days = sorted(subscription.weekdays)
    named = {tuple(_WORKDAYS): "on workdays", tuple(_WEEK): "every day"}.get(tuple(days))
    if named is None:
        named = "on " + ", ".join(_DAYS[day - 1] for day in days)
    return f"at {subscription.at:%H:%M} {named} ({subscription.zone})"
