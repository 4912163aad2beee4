"""Telling: one sentence in the thread of a message, the answer to it."""

from bot.goals.messages import IncomingMessage
from storage import outbox
from storage.database import Transaction


async def note(tx: Transaction, message: IncomingMessage, text: str) -> None:
    """Answer a message, once, however often it arrives."""
    await outbox.show(
        tx,
        team_id=message.team_id,
        noun="note",
        subject=f"{message.channel_id}:{message.ts}",
        channel_id=message.channel_id,
        thread_ts=message.thread_ts or message.ts,
        data={"text": text},
        priority=1,
    )
