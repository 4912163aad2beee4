"""Cards reach Slack once, in order, and stay current, whatever fails on the way."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.notifier.renderers import Rendered
from bot.workspace.app import PostRate
from storage import outbox
from storage.database import Database, Transaction
from storage.tables.approvals import ApprovalStatus
from storage.tables.goals import GoalStatus
from storage.tables.slack import OutboxCard
from tests.bot.jobs import deferred_jobs
from tests.bot.slack_bot import TEAM, SlackBot, slack_bot
from tests.bot.views import cards


async def show(bot: SlackBot, *, noun: str = "goal", subject: str = "17", **more: Any) -> int:
    """Want a card, by default Dana's goal in #sales."""
    wanted = {"channel_id": "C0SALES", **more}
    async with bot.database.transaction() as tx:
        return await outbox.show(tx, team_id=TEAM, noun=noun, subject=subject, **wanted)


async def touch(bot: SlackBot, *, noun: str = "goal", subject: str = "17") -> None:
    async with bot.database.transaction() as tx:
        await outbox.touch(tx, team_id=TEAM, noun=noun, subject=subject)


async def row(bot: SlackBot, card_id: int) -> OutboxCard:
    """Return a card's row as it is now."""
    async with bot.database.transaction() as tx:
        card = await tx.session.get(OutboxCard, card_id)
        assert card is not None
        return card


async def become_due(bot: SlackBot) -> None:
    """Let the waits of all cards and channels be over."""
    async with bot.database.transaction() as tx:
        connection = await tx.session.connection()
        await connection.exec_driver_sql("UPDATE outbox SET not_before = NULL")
        await connection.exec_driver_sql("DELETE FROM parked_channels")
    await bot.pump.sweep()
    await bot.work()


NOTE: dict[str, Any] = {"noun": "note", "data": {"text": "Hello"}}


async def test_card_is_posted_with_its_link_kept(bot: SlackBot) -> None:
    """A wanted card becomes one message with our metadata; digests find its link."""
    card_id = await show(bot)
    await bot.work()
    (message,) = await bot.messages("C0SALES")
    assert message["text"].startswith("Ready to run: Create a deal for Acme")
    assert message["metadata"]["event_payload"] == {"outbox_id": str(card_id)}
    card = await row(bot, card_id)
    assert card.message_ts == message["ts"]
    assert card.data["permalink"].endswith(f"/#/C0SALES/{message['ts']}")


async def test_change_updates_the_same_message(bot: SlackBot) -> None:
    """A goal has one card; its state is drawn into it."""
    await show(bot)
    await bot.work()
    bot.shown.goal = cards.goal_card(status=GoalStatus.DONE, can_run=False)
    await touch(bot)
    await bot.work()
    (message,) = await bot.messages("C0SALES")
    assert message["text"].startswith("Done: ")


async def test_card_for_a_person_opens_their_direct_messages(bot: SlackBot) -> None:
    """A person id stands for the DM, which is opened once and remembered."""
    await bot.people.get(TEAM, "U0MO")
    await show(bot, noun="approval", subject="3", channel_id="U0MO")
    await bot.work()
    assert len(await bot.messages("dm:U0MO", as_="U0MO")) == 1
    async with bot.database.transaction() as tx:
        assert (await tx.people.get(TEAM, "U0MO")).dm_channel_id == "D0MO"
    await touch(bot, noun="approval", subject="3")
    await bot.work()
    assert len(await bot.messages("dm:U0MO", as_="U0MO")) == 1


async def test_ephemeral_card_is_posted_once(bot: SlackBot) -> None:
    """What only one person sees cannot change later, and is not posted again."""  # S22
    await show(bot, noun="answer", subject="31", recipient_id="U0DANA")
    await bot.work()
    await touch(bot, noun="answer", subject="31")
    await bot.work()
    assert len(await bot.messages("C0SALES", as_="U0DANA")) == 1
    assert await bot.messages("C0SALES", as_="U0MO") == []


@pytest.mark.parametrize(
    ("noun", "said"),
    [
        ("goal", "Ready to run"),
        ("summary", "Ready to run"),
        ("approval", "Dana Reyes asks you to countersign"),
        ("answer", "Acme has 2 deals"),
        ("unknown", "I do not know whether this happened"),
        ("handoff", "Something went wrong on my side"),
        ("remark", "Which one do you mean?"),
        ("connect", "Please connect your HubSpot"),
        ("digest", "Your digest: waits on you: 1, done: 1"),
        ("welcome", "Hi, I am Countersign"),
    ],
)
async def test_every_noun_is_drawn(bot: SlackBot, noun: str, said: str) -> None:
    """Slack takes the card of every noun, with a text for screen readers."""
    await show(bot, noun=noun)
    await bot.work()
    (message,) = await bot.messages("C0SALES")
    assert message["text"].startswith(said)
    assert message["blocks"]


async def test_decider_is_named_without_a_mention(bot: SlackBot) -> None:
    """Who decided is read, not pinged."""  # S20
    await bot.people.get(TEAM, "U0MO")
    decided = cards.line(status=ApprovalStatus.REJECTED, decided_by="U0MO")
    bot.shown.approval = cards.approval_card(lines=(decided,))
    await show(bot, noun="approval")
    await bot.work()
    shown = str((await bot.messages("C0SALES"))[0]["blocks"])
    assert "Rejected by Mo Haddad" in shown
    assert "U0MO" not in shown


async def test_nothing_to_show_posts_nothing(bot: SlackBot) -> None:
    """A card whose subject is gone is settled silently."""
    bot.shown.goal = None
    card_id = await show(bot)
    await bot.work()
    assert await bot.messages("C0SALES") == []
    assert (await row(bot, card_id)).sent == 1


async def test_lost_reply_makes_no_second_message(bot: SlackBot) -> None:
    """A post whose reply was lost is found by its metadata and brought up to date."""
    await bot.workspace.do("faults", drop_reply_after_post=1)
    card_id = await show(bot)
    await bot.work()
    assert (await row(bot, card_id)).message_ts is None
    bot.shown.goal = cards.goal_card(status=GoalStatus.DONE)
    await touch(bot)
    await become_due(bot)
    (message,) = await bot.messages("C0SALES")
    assert message["text"].startswith("Done: ")
    assert (await row(bot, card_id)).message_ts == message["ts"]


async def test_lost_reply_in_a_thread_makes_no_second_message(bot: SlackBot) -> None:
    """Replies are looked up in their thread."""
    root = await bot.client.chat_postMessage(channel="C0SALES", text="root")
    await bot.workspace.do("faults", drop_reply_after_post=1)
    await show(bot, thread_ts=root["ts"])
    await bot.work()
    await become_due(bot)
    assert len(await bot.messages("C0SALES")) == 2


async def test_killed_worker_makes_no_second_message(bot: SlackBot) -> None:
    """A worker that died after posting left no ts; who takes over finds the message."""
    card_id = await show(bot)
    async with bot.database.transaction() as tx:
        card = await tx.outbox.claim(TEAM, "C0SALES", owner="dead", lease_s=-1)
    assert card is not None
    await bot.client.chat_postMessage(
        channel="C0SALES",
        text="posted by the dead",
        metadata={"event_type": "countersign_card", "event_payload": {"outbox_id": str(card_id)}},
    )
    await bot.work()
    assert len(await bot.messages("C0SALES")) == 1


async def test_several_workers_post_each_card_once(bot: SlackBot) -> None:
    """Pumps side by side share the cards of a channel, in order."""
    for number in range(5):
        await show(bot, noun="note", subject=str(number), data={"text": f"note {number}"})
    pumps = [bot.pump, *(bot.another_pump() for _ in range(4))]
    await asyncio.gather(*(pump.post_cards(TEAM, "C0SALES") for pump in pumps))
    await bot.work()
    texts = [message["text"] for message in await bot.messages("C0SALES")]
    assert texts == [f"note {number}" for number in range(5)]


async def test_failing_slack_delays_the_card(bot: SlackBot) -> None:
    """An internal error of Slack's is waited out, longer each time."""
    await bot.workspace.do("faults", internal_error=2)
    card_id = await show(bot, **NOTE)
    await bot.work()
    assert (await row(bot, card_id)).last_error == "Slack says internal_error."
    await become_due(bot)
    assert (await row(bot, card_id)).tries == 2
    await become_due(bot)
    assert len(await bot.messages("C0SALES")) == 1
    assert (await row(bot, card_id)).tries == 0


async def test_failing_renderer_stops_no_other_card(bot: SlackBot) -> None:
    """A defect of one card fails its job and leaves the others to be posted."""
    bot.shown.failures = [RuntimeError("canary")]
    card_id = await show(bot)
    await show(bot, **NOTE)
    with pytest.raises(RuntimeError):
        await bot.pump.post_cards(TEAM, "C0SALES")
    await bot.pump.post_cards(TEAM, "C0SALES")
    assert [message["text"] for message in await bot.messages("C0SALES")] == ["Hello"]
    assert (await row(bot, card_id)).last_error == "interrupted"
    await become_due(bot)
    assert len(await bot.messages("C0SALES")) == 2


async def test_channel_that_refuses_sends_the_requester_a_direct_message(bot: SlackBot) -> None:
    """What a channel cannot show reaches the requester once."""
    card_id = await show(bot, channel_id="C0GENERAL", thread_ts="1.000100")
    await bot.work()
    assert len(await bot.messages("dm:U0DANA")) == 1
    card = await row(bot, card_id)
    assert (card.channel_id, card.thread_ts) == ("D0DANA", None)


async def test_card_that_nobody_can_get_is_given_up(bot: SlackBot) -> None:
    """Where nobody can be told instead, the reason is kept and nothing is tried for ever."""
    card_id = await show(bot, channel_id="C0NOWHERE", **NOTE)
    await bot.work()
    card = await row(bot, card_id)
    assert (card.last_error, card.sent) == ("channel_not_found", card.wanted)


async def test_deleted_card_is_posted_anew(bot: SlackBot) -> None:
    """A card that somebody deleted comes back when it changes."""
    await show(bot)
    await bot.work()
    (message,) = await bot.messages("C0SALES")
    await bot.client.chat_delete(channel="C0SALES", ts=message["ts"])
    await touch(bot)
    await bot.work()
    (again,) = await bot.messages("C0SALES")
    assert again["ts"] != message["ts"]


@pytest.fixture
async def slow_bot(
    database: Database, database_url: str, tmp_path: Path
) -> AsyncIterator[SlackBot]:
    """Return a bot whose workspace takes two messages at once and then one a second."""
    rate = PostRate(burst=2, per_s=1)
    async with slack_bot(database, database_url, tmp_path, post_rate=rate) as started:
        yield started


async def test_rate_limit_parks_only_that_channel(slow_bot: SlackBot) -> None:
    """A 429 lets its channel rest as long as Slack says; others go on; nothing is lost."""
    for number in range(4):
        await show(slow_bot, noun="note", subject=str(number), data={"text": f"note {number}"})
    await slow_bot.work()
    await show(slow_bot, channel_id="U0DANA", **NOTE)
    await slow_bot.work()
    assert len(await slow_bot.messages("C0SALES")) == 2
    assert len(await slow_bot.messages("dm:U0DANA")) == 1
    async with asyncio.timeout(10):
        while len(await slow_bot.messages("C0SALES")) < 4:
            await asyncio.sleep(0.1)
            await slow_bot.pump.sweep()
            await slow_bot.work()
    texts = [message["text"] for message in await slow_bot.messages("C0SALES")]
    assert texts == [f"note {number}" for number in range(4)]


async def test_sweep_wakes_a_channel_once(bot: SlackBot, database_url: str) -> None:
    """However often the sweeper looks, a channel has one waiting job."""
    await show(bot, **NOTE)
    before = len(bot._take_jobs())
    for _ in range(3):
        await bot.pump.sweep()
    assert (before, len(bot._take_jobs())) == (1, 1)


async def test_calm_changes_are_drawn_together(bot: SlackBot) -> None:
    """What nobody waits for is held back a moment; what changes meanwhile joins it."""
    card_id = await show(bot)
    await bot.work()
    await touch(bot)
    held = asyncio.create_task(bot.pump.post_cards(TEAM, "C0SALES", calm=True))
    await asyncio.sleep(0)
    await touch(bot)
    await bot.pump.post_cards(TEAM, "C0SALES", calm=True)
    card = await row(bot, card_id)
    assert (card.wanted, card.sent) == (3, 1)
    await held
    card = await row(bot, card_id)
    assert (card.wanted, card.sent) == (3, 3)


async def test_urgent_redraw_does_not_wait_for_a_calm_one(bot: SlackBot) -> None:
    """One that only lets a call go first is drawn while the calm one is still held back."""
    card_id = await show(bot)
    await bot.work()
    await touch(bot)
    pump = bot.another_pump(calm_s=60)
    calm = asyncio.create_task(pump.post_cards(TEAM, "C0SALES", calm=True))
    await asyncio.sleep(0)
    await pump.post_cards(TEAM, "C0SALES", calm=0.01)
    card = await row(bot, card_id)
    assert (card.wanted, card.sent) == (2, 2)
    calm.cancel()


async def test_change_while_its_channel_is_busy_is_drawn(bot: SlackBot) -> None:
    """A wake-up that finds its channel busy ends at once, and is not lost."""
    card_id = await show(bot)
    busy = asyncio.create_task(bot.pump.post_cards(TEAM, "C0SALES"))
    await asyncio.sleep(0)
    await touch(bot)
    await bot.pump.post_cards(TEAM, "C0SALES")
    await busy
    card = await row(bot, card_id)
    assert card.sent == card.wanted == 2


async def test_urgent_change_is_not_calm(bot: SlackBot) -> None:
    """The answer to a click is drawn at once; progress says that it may wait a moment."""
    await show(bot)
    await bot.work()
    await touch(bot)
    async with bot.database.transaction() as tx:
        await outbox.touch(tx, team_id=TEAM, noun="goal", subject="17", priority=1)
    calm = [job.get("calm", False) for _, job in deferred_jobs(bot.database_url)]
    assert calm == [True, False]


async def test_card_whose_time_is_over_is_not_posted_late(
    bot: SlackBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was stopped after its claim posts nothing: another may have done so."""
    await show(bot, subject="1", **NOTE)
    await bot.work()
    monkeypatch.setattr(bot.pump, "_lease_s", 0.06)
    render = bot.pump._renderers.render

    async def render_and_sleep(tx: Transaction, card: OutboxCard) -> Rendered | None:
        rendered = await render(tx, card)
        time.sleep(0.1)  # noqa: ASYNC251 -- the whole process stands still
        return rendered

    monkeypatch.setattr(bot.pump._renderers, "render", render_and_sleep)
    await show(bot, subject="2", **NOTE)
    await bot.work()
    assert len(await bot.messages("C0SALES")) == 1

    monkeypatch.undo()
    await become_due(bot)
    assert len(await bot.messages("C0SALES")) == 2


async def test_change_of_this_process_is_drawn_without_a_job(bot: SlackBot) -> None:
    """Whoever changed a card that nobody waits for draws it by itself, a moment later."""
    await show(bot)
    await bot.work()
    bot.database.calm_redraws = bot.pump.hint
    bot.shown.goal = cards.goal_card(status=GoalStatus.DONE, can_run=False)
    await touch(bot)
    assert deferred_jobs(bot.database_url) == []
    await bot.pump.post_hinted()
    (message,) = await bot.messages("C0SALES")
    assert message["text"].startswith("Done: ")
