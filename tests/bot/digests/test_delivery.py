"""Each slot gives one digest, late rather than never, and none that is empty."""

import asyncio
from datetime import UTC, datetime, time, timedelta

from storage.tables.goals import GoalStatus
from tests.bot.digests.conftest import DANA, MONDAY_9, TEAM, World


async def _next_at(world: World) -> datetime:
    async with world.database.transaction() as tx:
        subscription = await tx.digests.find(TEAM, DANA)
    assert subscription is not None
    return subscription.next_at


async def test_person_seen_first_is_subscribed_for_nine_on_workdays(world: World) -> None:
    """Nobody has to ask for a digest."""
    assert await _next_at(world) == MONDAY_9


async def test_due_digest_is_sent_once_to_the_person(world: World) -> None:
    """Replicas that tick together send one digest, into the person's direct messages."""
    await world.add_goal("Create a deal", GoalStatus.PROPOSED)
    world.now = MONDAY_9 + timedelta(seconds=30)

    sent = await asyncio.gather(*(world.delivery.send_due() for _ in range(3)))

    (card,) = await world.cards()
    assert sum(sent) == 1
    assert card.channel_id == "D0DANA"
    assert await _next_at(world) == MONDAY_9 + timedelta(days=1)


async def test_digest_before_its_time_is_not_sent(world: World) -> None:
    """Nothing comes early."""
    await world.add_goal("Create a deal", GoalStatus.PROPOSED)
    world.now = MONDAY_9 - timedelta(seconds=1)

    assert await world.delivery.send_due() == 0


async def test_empty_digest_is_not_sent(world: World) -> None:
    """A person's time is the scarce thing: no news is no message."""
    world.now = MONDAY_9

    assert await world.delivery.send_due() == 0
    assert await _next_at(world) == MONDAY_9 + timedelta(days=1)


async def test_missed_slots_become_one_digest_that_says_it_is_late(world: World) -> None:
    """After three days down one digest comes, with the reason."""
    await world.add_goal("Create a deal", GoalStatus.PROPOSED)
    world.now = datetime.now(UTC) + timedelta(days=30)

    assert await world.delivery.send_due() == 1
    (card,) = await world.cards()
    async with world.database.transaction() as tx:
        run = await tx.digests.find_run(TEAM, int(card.subject))
        assert run is not None
        run.created_at = world.now
        person = await tx.people.get(TEAM, DANA)
        digest = await world.queries.load(tx, TEAM, run.id)
        tx.session.expunge(run)
    assert person.name == "Dana Reyes"
    assert digest.late_note == (
        "This should have come Mon 23 Nov 09:00 CET; Countersign was not up."
    )
    assert await _next_at(world) > world.now


async def test_changed_zone_moves_the_next_digest(world: World) -> None:
    """Nine in Lisbon, once the profile says Lisbon."""
    await world.add_person(DANA, "Dana Reyes", zone="Europe/Lisbon")

    await world.delivery.keep_up()

    assert await _next_at(world) == MONDAY_9 + timedelta(hours=1)


async def test_changed_zone_keeps_the_chosen_time(world: World) -> None:
    """Who chose 07:15 gets it at 07:15 wherever they are."""
    async with world.database.transaction() as tx:
        subscription = await tx.digests.find(TEAM, DANA)
        assert subscription is not None
        await tx.digests.change(
            subscription,
            zone=subscription.zone,
            at=time(7, 15),
            weekdays=[1],
            enabled=True,
            next_at=subscription.next_at,
        )
    await world.add_person(DANA, "Dana Reyes", zone="Europe/Lisbon")

    await world.delivery.keep_up()

    assert await _next_at(world) == datetime(2026, 11, 23, 7, 15, tzinfo=UTC)


async def test_person_who_left_or_a_guest_gets_none(world: World) -> None:
    """Digests tell private things: only active members read them (S13)."""
    await world.add_goal("Create a deal", GoalStatus.PROPOSED)
    await world.add_person(DANA, "Dana Reyes", is_active=False)
    await world.add_person("U0GUS", "Gus Guest", is_guest=True)
    world.now = MONDAY_9

    await world.delivery.keep_up()

    assert await world.delivery.send_due() == 0
    async with world.database.transaction() as tx:
        assert await tx.digests.find(TEAM, "U0GUS") is None
