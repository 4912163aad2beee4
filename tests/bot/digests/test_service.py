"""A person's own digest: now, at another time, off and on."""

from datetime import UTC, datetime

import pytest

from bot.goals.clicks import Click
from storage.tables.goals import GoalStatus
from tests.bot.digests.conftest import DANA, MONDAY_9, TEAM, World

CLICK = Click(TEAM, DANA)


async def test_digest_now_with_nothing_to_read_says_so_and_posts_nothing(world: World) -> None:
    """An answer costs less of a person's time than an empty message."""
    answer = await world.service.send_now(CLICK)

    assert answer.text == "Nothing waits on you, and nothing is stuck."
    assert await world.cards() == []


async def test_person_who_was_just_seen_is_subscribed_once(world: World) -> None:
    """Home shows the digest's time from the first look on; a stranger is ignored."""
    for person in (DANA, DANA, "U0NOBODY"):
        await world.service.subscribe(team_id=TEAM, person_id=person)

    async with world.database.transaction() as tx:
        assert await tx.digests.find(TEAM, DANA) is not None
        assert await tx.digests.find(TEAM, "U0NOBODY") is None


async def test_digest_now_is_posted_and_leaves_the_schedule_alone(world: World) -> None:
    """Asking by hand comes on top of the scheduled digest."""
    await world.add_goal("Create a deal", GoalStatus.PROPOSED)

    await world.service.send_now(CLICK)
    world.now = MONDAY_9
    await world.delivery.send_due()

    assert [card.channel_id for card in await world.cards()] == ["D0DANA", "D0DANA"]


async def test_new_time_moves_the_next_digest(world: World) -> None:
    """`/countersign digest at 8:30` counts from the next workday on."""
    answer = await world.service.set_time(CLICK, hour_minute="08:30", weekdays=(1, 2, 3, 4, 5))

    assert answer.text == "Your digest comes at 08:30 on workdays (Europe/Berlin)."
    async with world.database.transaction() as tx:
        subscription = await tx.digests.find(TEAM, DANA)
    assert subscription is not None
    assert subscription.next_at == datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize("wrong", ["25:00", "8:61", "soon", "", "-1:30"])
async def test_time_that_is_none_changes_nothing(world: World, wrong: str) -> None:
    """A wrong time is answered with how to say it."""
    answer = await world.service.set_time(CLICK, hour_minute=wrong, weekdays=None)

    assert not answer.ok
    assert "8:30" in answer.text


async def test_digest_turned_off_is_not_sent_until_turned_on(world: World) -> None:
    """Off is off; on again begins with the next slot, not with those missed."""
    await world.add_goal("Create a deal", GoalStatus.PROPOSED)
    await world.service.turn(CLICK, on=False)
    world.now = MONDAY_9
    assert await world.delivery.send_due() == 0

    answer = await world.service.turn(CLICK, on=True)

    assert await world.delivery.send_due() == 0
    assert answer.text == "Your digest comes at 09:00 on workdays (Europe/Berlin)."
