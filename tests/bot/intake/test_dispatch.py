"""Stored events are handled in order, retried, and in the end apologised for."""

import asyncio
from typing import Any

import pytest

from bot.intake.dispatch import MAX_TRIES, EventDispatcher
from bot.intake.errors import EventFailedError
from storage.tables.slack import InboxStatus
from tests.bot.jobs import deferred_jobs
from tests.bot.slack_bot import TEAM, SlackBot


async def store(bot: SlackBot, number: int, *, thread: str = "1.000000") -> int:
    """Store a mention in a thread and return its inbox id."""
    body = {
        "type": "event_callback",
        "team_id": TEAM,
        "event_id": f"Ev{number}",
        "event": {
            "type": "app_mention",
            "channel": "C0SALES",
            "user": "U0DANA",
            "ts": f"2.{number:06}",
            "thread_ts": thread,
            "text": f"<@U0BOT> message {number}",
        },
    }
    assert (await bot.post(body)).status_code == 200
    jobs = [arguments["inbox_id"] for _, arguments in deferred_jobs(bot.database_url)]
    return int(jobs[-1])


def texts(bot: SlackBot) -> list[str]:
    return [call[1].text for call in bot.services.calls]


async def test_events_of_a_thread_are_handled_in_order(bot: SlackBot) -> None:
    """A later event waits for the earlier one, and is handled by whoever handles that."""
    first, second = await store(bot, 1), await store(bot, 2)
    await bot.dispatcher.handle_event(second)
    assert texts(bot) == []
    await bot.dispatcher.handle_event(first)
    assert texts(bot) == ["message 1", "message 2"]


async def test_other_threads_do_not_wait(bot: SlackBot) -> None:
    """Order is kept within a thread only."""
    await store(bot, 1)
    other = await store(bot, 2, thread="3.000000")
    await bot.dispatcher.handle_event(other)
    assert texts(bot) == ["message 2"]


async def test_event_is_handled_by_one_worker(bot: SlackBot) -> None:
    """Of several workers with the same event, one handles it."""
    inbox_id = await store(bot, 1)
    await asyncio.gather(*(bot.dispatcher.handle_event(inbox_id) for _ in range(5)))
    assert texts(bot) == ["message 1"]


async def test_failed_event_fails_its_job_and_is_tried_again(bot: SlackBot) -> None:
    """A listener's error stays in the inbox until a later run succeeds."""
    bot.services.failures = [RuntimeError("canary"), RuntimeError("canary")]
    inbox_id = await store(bot, 1)
    for _ in range(2):
        with pytest.raises(EventFailedError):
            await bot.dispatcher.handle_event(inbox_id)
    await bot.dispatcher.handle_event(inbox_id)
    assert texts(bot) == ["message 1"] * 3


async def test_event_that_never_succeeds_is_apologised_for(bot: SlackBot) -> None:
    """After five tries the person reads a sentence with a reference, and the thread goes on."""
    bot.services.failures = [RuntimeError("canary")] * MAX_TRIES
    root = await bot.client.chat_postMessage(channel="C0SALES", text="root")
    first = await store(bot, 1, thread=root["ts"])
    await store(bot, 2, thread=root["ts"])
    for _ in range(MAX_TRIES - 1):
        with pytest.raises(EventFailedError):
            await bot.dispatcher.handle_event(first)
    await bot.dispatcher.handle_event(first)
    assert texts(bot)[-1] == "message 2"
    await bot.work()
    said = (await bot.messages("C0SALES"))[-1]["text"]
    assert "Nothing was done. Please send it again; the reference is" in said
    assert "canary" not in said  # S35


async def test_lost_job_is_found_by_the_sweeper(bot: SlackBot) -> None:
    """An event without a job, or whose worker died, gets one again; a settled one does not."""
    sweeper = EventDispatcher(database=bot.database, bolt=bot.bolt, abandoned_s=-1)
    inbox_id = await store(bot, 1)
    before = len(deferred_jobs(bot.database_url))
    await sweeper.sweep()
    assert len(deferred_jobs(bot.database_url)) == before + 1
    await bot.dispatcher.handle_event(inbox_id)
    await sweeper.sweep()
    assert len(deferred_jobs(bot.database_url)) == before + 1


async def test_dead_worker_leaves_its_event_to_others(bot: SlackBot) -> None:
    """A claim whose lease has ended is taken over."""
    inbox_id = await store(bot, 1)
    async with bot.database.transaction() as tx:
        assert await tx.inbox.claim(inbox_id, lease_s=-1) is not None
    await bot.dispatcher.handle_event(inbox_id)
    assert texts(bot) == ["message 1"]


async def test_event_that_kills_workers_is_given_up(bot: SlackBot) -> None:
    """Tries count when they begin, so that a deadly event ends too."""
    inbox_id = await store(bot, 1)
    for _ in range(MAX_TRIES):
        async with bot.database.transaction() as tx:
            event = await tx.inbox.claim(inbox_id, lease_s=-1)
    await bot.dispatcher.handle_event(inbox_id)
    assert event is not None
    assert texts(bot) == []
    async with bot.database.transaction() as tx:
        assert await tx.inbox.claim(inbox_id, lease_s=60) is None
        stored: Any = await tx.session.get(type(event), inbox_id)
        assert stored.status is InboxStatus.FAILED


async def test_failure_before_the_listener_fails_the_job(bot: SlackBot) -> None:
    """An event whose author could not be read is tried again, not lost."""
    inbox_id = await store(bot, 1)
    await bot.workspace.do("faults", internal_error=1)
    with pytest.raises(EventFailedError):
        await bot.dispatcher.handle_event(inbox_id)
    await bot.dispatcher.handle_event(inbox_id)
    assert texts(bot) == ["message 1"]
