"""Showing cards: the row in the outbox and the job that posts it, in one transaction."""

from typing import Any

from storage.database import Transaction
from storage.pending import CALM, POST_CARDS, Priority

JOB = POST_CARDS

__all__ = ["CALM", "JOB", "show", "touch"]


async def show(
    tx: Transaction,
    *,
    team_id: str,
    noun: str,
    subject: str | int,
    channel_id: str,
    thread_ts: str | None = None,
    recipient_id: str | None = None,
    data: dict[str, Any] | None = None,
    priority: int = 5,
) -> int:
    """Want a card to be shown, or drawn anew if it is there already; return its id.

    Args:
        tx: nothing is shown unless it commits.
        team_id: whose card it is.
        noun: which renderer draws it: goal, approval, answer, connect, unknown, handoff, remark,
            question, digest, welcome, note, home.
        subject: the id of what it shows; with noun and channel it names the card.
        channel_id: a channel, or a person id for the direct messages with that person.
        thread_ts: the thread to post it in.
        recipient_id: only this person sees it; such a message cannot change later.
        data: what the renderer needs besides; merged into what an existing card has.
        priority: lower is sent first; answers to clicks are 1.
    """
    card = await tx.outbox.show(
        team_id=team_id,
        noun=noun,
        subject=str(subject),
        channel_id=channel_id,
        thread_ts=thread_ts,
        recipient_id=recipient_id,
        data=data,
        priority=priority,
    )
    await tx.defer(JOB, priority=_urgency(priority), team_id=team_id, channel_id=card.channel_id)
    return card.id


async def touch(
    tx: Transaction, *, team_id: str, noun: str, subject: str | int, priority: int = CALM
) -> None:
    """Want every card of a subject to be drawn anew; nothing happens where there is none.

    Progress is calm: several changes within a moment become one redraw. Whatever a person waits
    for, such as the answer to a click or a question, has a lower number than `CALM`.
    """
    tx.pending.redraw(team_id, noun, str(subject), priority=priority)


def _urgency(priority: int) -> Priority:
    """Return how urgent the job is that posts a card of this priority."""
    return Priority.INTERACTIVE if priority < CALM else Priority.NORMAL
