"""A message becomes a goal: its row, its card, and the job that plans it."""

from bot.goals.messages import IncomingMessage
from storage import outbox
from storage.database import Transaction
from storage.queue import Priority


async def start_from(tx: Transaction, message: IncomingMessage) -> None:
    """Make a goal of a message, once, however often it arrives."""
    await start_goal(
        tx,
        team_id=message.team_id,
        person_id=message.person_id,
        channel_id=message.channel_id,
        thread_ts=message.thread_ts or message.ts,
        source_key=f"message:{message.channel_id}:{message.ts}",
        text=message.text.strip(),
    )


async def start_goal(
    tx: Transaction,
    *,
    team_id: str,
    person_id: str,
    channel_id: str,
    thread_ts: str,
    source_key: str,
    text: str,
) -> None:
    """Add a goal with its card and its planning; a `source_key` that is known adds nothing."""
    goal_id = await tx.goals.add(
        team_id=team_id,
        requester_id=person_id,
        channel_id=channel_id,
        thread_ts=thread_ts,
        source_key=source_key,
        text=text,
    )
    if goal_id is None:
        return
    await tx.audit.record(
        team_id=team_id,
        tag="slack:goal:receive",
        actor=person_id,
        goal_id=goal_id,
        data={"source": source_key, "characters": len(text)},
    )
    await outbox.show(
        tx,
        team_id=team_id,
        noun="goal",
        subject=goal_id,
        channel_id=channel_id,
        thread_ts=thread_ts,
        priority=1,
    )
    await tx.defer(
        "plan_goal",
        once=str(goal_id),
        priority=Priority.INTERACTIVE,
        team_id=team_id,
        goal_id=goal_id,
    )
