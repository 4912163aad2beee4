"""The outbox: what is wanted, claimed and settled."""

from storage import outbox
from storage.database import Database
from storage.repositories.people import PersonFacts
from storage.tables.people import Role
from storage.tables.slack import OutboxCard
from tests.bot.jobs import deferred_jobs

TEAM = "T0NORTH"


async def show(
    database: Database, subject: str = "17", *, channel: str = "C0SALES", priority: int = 5
) -> int:
    async with database.transaction() as tx:
        return await outbox.show(
            tx,
            team_id=TEAM,
            noun="goal",
            subject=subject,
            channel_id=channel,
            priority=priority,
        )


async def claim(
    database: Database, *, channel: str = "C0SALES", owner: str = "me", lease_s: float = 30
) -> OutboxCard | None:
    async with database.transaction() as tx:
        return await tx.outbox.claim(TEAM, channel, owner=owner, lease_s=lease_s)


async def sent(database: Database, card: OutboxCard, *, owner: str = "me") -> bool:
    async with database.transaction() as tx:
        return await tx.outbox.sent(
            card, owner=owner, wanted_seen=card.wanted, message_ts="1.000100"
        )


async def test_shown_card_comes_with_its_job(database: Database, database_url: str) -> None:
    """The row and the job that posts it are one transaction."""
    await show(database)
    assert deferred_jobs(database_url) == [
        ("post_cards", {"team_id": TEAM, "channel_id": "C0SALES"})
    ]


async def test_many_changes_are_one_card(database: Database) -> None:
    """Whatever is wanted while nothing was sent coalesces to one message."""
    ids = {await show(database) for _ in range(3)}
    async with database.transaction() as tx:
        await outbox.touch(tx, team_id=TEAM, noun="goal", subject=17)
    card = await claim(database)
    assert card is not None
    assert ids == {card.id}
    assert await sent(database, card)
    assert await claim(database) is None


async def test_change_while_sending_keeps_the_card_due(database: Database) -> None:
    """What changed after it was rendered is sent again."""
    await show(database)
    card = await claim(database)
    assert card is not None
    await show(database)
    await sent(database, card)
    again = await claim(database)
    assert again is not None
    assert again.message_ts == "1.000100"


async def test_channel_has_one_poster_at_a_time(database: Database) -> None:
    """A second worker gets nothing of a channel that somebody is posting into, but of others."""
    await show(database, "1")
    await show(database, "2")
    await show(database, "3", channel="C0GENERAL")
    assert await claim(database) is not None
    assert await claim(database, owner="other") is None
    assert await claim(database, owner="other", channel="C0GENERAL") is not None


async def test_dead_worker_is_taken_over(database: Database) -> None:
    """After the lease another worker gets the card and knows of the try; the first lost it."""
    await show(database)
    first = await claim(database, lease_s=-1)
    second = await claim(database, owner="other")
    assert first is not None
    assert second is not None
    assert second.tries == 2
    assert not await sent(database, first)


async def test_answers_to_clicks_come_first(database: Database) -> None:
    """Lower priority numbers are sent first, then the order of asking."""
    await show(database, "slow")
    await show(database, "later")
    await show(database, "click", priority=1)
    order = []
    while (card := await claim(database)) is not None:
        order.append(card.subject)
        await sent(database, card)
    assert order == ["click", "slow", "later"]


async def test_parked_channel_rests(database: Database) -> None:
    """A parked channel gives nothing until its time; others go on; a longer parking stays."""
    await show(database)
    async with database.transaction() as tx:
        await tx.outbox.park(TEAM, "C0SALES", for_s=60)
        await tx.outbox.park(TEAM, "C0SALES", for_s=-60)
    assert await claim(database) is None
    async with database.transaction() as tx:
        assert list(await tx.outbox.list_due()) == []


async def test_wanted_anew_remembers_an_unconfirmed_try(database: Database) -> None:
    """A touch gives a card its tries back, but not the certainty that nothing was posted."""
    await show(database)
    for _ in range(3):
        card = await claim(database)
        assert card is not None
        async with database.transaction() as tx:
            await tx.outbox.retry(card, owner="me", error="lost", wait_s=0)
    await show(database)
    card = await claim(database)
    assert card is not None
    assert card.tries == 2


async def test_released_card_was_never_tried(database: Database) -> None:
    """A 429 posted nothing: the next try is the first."""
    await show(database)
    card = await claim(database)
    assert card is not None
    async with database.transaction() as tx:
        await tx.outbox.release(card, owner="me")
    again = await claim(database)
    assert again is not None
    assert again.tries == 1


async def test_cards_for_a_person_move_into_the_opened_dm_once(database: Database) -> None:
    """A person id stands for the DM until it is opened; then nothing shows twice."""
    async with database.transaction() as tx:
        facts = PersonFacts("Mo", None, "UTC", Role.MEMBER, False, False, True)  # noqa: FBT003 -- a row
        await tx.people.upsert(TEAM, "U0MO", facts)
    first = await show(database, "1", channel="D0MO")
    await show(database, "1", channel="U0MO")
    await show(database, "2", channel="U0MO")
    async with database.transaction() as tx:
        await tx.people.set_dm_channel(TEAM, "U0MO", "D0MO")
        await tx.outbox.move_to_dm(TEAM, "U0MO", "D0MO")
    assert await show(database, "1", channel="U0MO") == first
    assert await claim(database, channel="U0MO") is None
    card = await claim(database, channel="D0MO")
    assert card is not None
    assert (card.subject, card.wanted) == ("1", 3)
