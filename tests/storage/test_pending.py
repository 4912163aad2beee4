"""What a transaction writes at its end: all of it or nothing, and each wish once."""

import pytest
from sqlalchemy import text

from bot.notifier.pump import CALM_S
from storage import outbox
from storage.database import Database
from storage.pending import BEHIND_S
from tests.bot.jobs import deferred_jobs

TEAM, CHANNEL = "T1", "C1"
WOKEN = ("post_cards", {"team_id": TEAM, "channel_id": CHANNEL})
CALMLY = ("post_cards", {"team_id": TEAM, "channel_id": CHANNEL, "calm": True})


class RolledBackError(Exception):
    """Ends a transaction."""


@pytest.fixture
async def shown(database: Database) -> Database:
    """Return a database with one card that has been sent, and no job."""
    async with database.transaction() as tx:
        await outbox.show(tx, team_id=TEAM, noun="goal", subject=1, channel_id=CHANNEL)
    async with database.transaction() as tx:
        await tx.session.execute(text("UPDATE outbox SET sent = wanted"))
        await tx.session.execute(text("DELETE FROM procrastinate_jobs"))
    return database


async def touch(database: Database, *priorities: int) -> None:
    async with database.transaction() as tx:
        for priority in priorities:
            await outbox.touch(tx, team_id=TEAM, noun="goal", subject=1, priority=priority)


async def due(database: Database) -> tuple[int, int]:
    """Return how often the card is wanted and its priority."""
    async with database.reading() as tx:
        row = (await tx.session.execute(text("SELECT wanted - sent, priority FROM outbox"))).one()
    return row[0], row[1]


async def test_wishes_for_one_card_are_one_of_the_most_urgent_kind(shown: Database) -> None:
    """A transaction that moves a goal three times draws its card once, as soon as any asked."""
    await touch(shown, 5, 2, 5)
    assert await due(shown) == (1, 2)
    assert deferred_jobs(shown.url) == [WOKEN]


async def test_redraw_lets_the_work_go_first_that_begins_with_it(shown: Database) -> None:
    """A click's cards are drawn a moment after the call that it sets off has begun."""
    async with shown.transaction() as tx:
        await outbox.touch(tx, team_id=TEAM, noun="goal", subject=1, priority=1)
        await tx.defer("drive", team_id=TEAM, goal_id=1)
    behind = {"team_id": TEAM, "channel_id": CHANNEL, "calm": BEHIND_S}
    assert deferred_jobs(shown.url) == [
        ("drive", {"team_id": TEAM, "goal_id": 1}),
        ("post_cards", behind),
    ]
    assert BEHIND_S < CALM_S


async def test_redraw_that_nobody_waits_for_needs_no_job_where_a_pump_runs(
    shown: Database,
) -> None:
    """The process that changed the card draws it; elsewhere a job asks one that can."""
    told: list[tuple[str, str]] = []
    shown.calm_redraws = lambda team_id, channel_id: told.append((team_id, channel_id))
    await touch(shown, 5, 6)
    assert told == [(TEAM, CHANNEL)]
    assert deferred_jobs(shown.url) == []
    shown.calm_redraws = None
    await touch(shown, 5)
    assert deferred_jobs(shown.url) == [CALMLY]


async def test_nothing_of_a_transaction_that_rolls_back_is_written_or_told(
    shown: Database,
) -> None:
    """The audit row stands or falls with the change that it tells of (S34)."""
    told: list[tuple[str, str]] = []
    shown.calm_redraws = lambda team_id, channel_id: told.append((team_id, channel_id))

    async def fail() -> None:
        async with shown.transaction() as tx:
            await tx.audit.record(team_id=TEAM, tag="engine:goal:done", actor="system", data={})
            await outbox.touch(tx, team_id=TEAM, noun="goal", subject=1)
            await tx.pending.write()
            raise RolledBackError

    with pytest.raises(RolledBackError):
        await fail()
    async with shown.reading() as tx:
        assert await tx.session.scalar(text("SELECT count(*) FROM audit")) == 0
    assert (told, await due(shown)) == ([], (0, 5))


async def test_audit_rows_keep_the_order_of_the_changes(database: Database) -> None:
    """Rows are numbered as they were recorded, also those that were asked for in between."""
    async with database.transaction() as tx:
        for number in range(4):
            await tx.audit.record(
                team_id=TEAM, tag=f"test:row:{number}", actor="U1", goal_id=1, data={}
            )
            if number == 1:
                assert len(await tx.audit.list_(TEAM, 1)) == 2
    async with database.reading() as tx:
        rows = await tx.audit.list_(TEAM, 1)
    assert [row.tag for row in rows] == [f"test:row:{number}" for number in range(4)]


async def test_redraw_among_thousands_of_cards_looks_its_own_up(shown: Database) -> None:
    """The planner is told how many cards are meant, so it does not read them all for one."""
    async with shown.reading() as tx:
        await tx.session.execute(
            text(
                "INSERT INTO outbox "
                "(team_id, noun, subject, channel_id, data, wanted, sent, priority, tries) "
                "SELECT team_id, noun, subject || '-' || n, channel_id, data, 1, 1, 5, 0 "
                "FROM outbox CROSS JOIN generate_series(1, 5000) n"
            )
        )
        await tx.session.execute(text("ANALYZE outbox"))
    whole = text("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'outbox'")
    async with shown.transaction() as tx:
        before = await tx.session.scalar(whole)
        await outbox.touch(tx, team_id=TEAM, noun="goal", subject=1)
        await tx.pending.write()
        assert await tx.session.scalar(whole) == before
