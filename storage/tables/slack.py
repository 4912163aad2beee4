"""What came from Slack and what is to go there: inbox, outbox."""

from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, CreatedAt, Id, Instant, Json


class InboxStatus(StrEnum):
    RECEIVED = "received"
    HANDLED = "handled"
    FAILED = "failed"


class InboxEvent(Base):
    """An event as Slack sent it, stored before it is acknowledged; unique on `event_id`."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("team_id", "event_id"),
        Index("ix_inbox_received", "thread_key", "id", postgresql_where="status = 'received'"),
        # Rows come in the order of time and leave by it: a few pages instead of an entry a row.
        Index("ix_inbox_received_at", "received_at", postgresql_using="brin"),
    )

    id: Mapped[Id]
    team_id: Mapped[str]
    event_id: Mapped[str]
    thread_key: Mapped[str]
    """Channel and thread: events of one thread are handled in order."""
    body: Mapped[Json]
    status: Mapped[InboxStatus]
    tries: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[Instant | None]
    """Until when a worker handles it; a claim whose lease has ended may be taken over."""
    received_at: Mapped[CreatedAt]
    handled_at: Mapped[Instant | None]


class OutboxCard(Base):
    """A Slack message to show and keep current: rendered when sent, never stored as blocks.

    It is due while `wanted` > `sent`; touching a card raises `wanted`, so any number of changes
    become one message or one update.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("team_id", "noun", "subject", "channel_id"),
        Index("ix_outbox_due", "channel_id", "priority", "id", postgresql_where="wanted > sent"),
        # Who posts into a channel now: no more rows than there are workers.
        Index(
            "ix_outbox_held", "team_id", "channel_id", postgresql_where="lease_until IS NOT NULL"
        ),
        # What stands for a direct message moves there once it is opened.
        Index("ix_outbox_channel", "team_id", "channel_id"),
        Index("ix_outbox_created_at", "created_at", postgresql_using="brin"),
    )

    id: Mapped[Id]
    team_id: Mapped[str]
    noun: Mapped[str]
    """Which view renders it: goal, approval, answer, connect, unknown, digest, note …"""
    subject: Mapped[str]
    """The id of what it shows."""
    channel_id: Mapped[str]
    """A channel or DM; a person id (U…) stands for the DM with that person until it is opened."""
    thread_ts: Mapped[str | None]
    recipient_id: Mapped[str | None]
    """Set for an ephemeral message: only this person sees it."""
    data: Mapped[Json]
    message_ts: Mapped[str | None]
    wanted: Mapped[int] = mapped_column(default=1)
    sent: Mapped[int] = mapped_column(default=0)
    priority: Mapped[int] = mapped_column(default=5)
    """Lower is sent first; answers to clicks are 1."""
    tries: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[Instant | None]
    lease_owner: Mapped[str | None]
    lease_until: Mapped[Instant | None]
    last_error: Mapped[str | None]
    created_at: Mapped[CreatedAt]


class ParkedChannel(Base):
    """A channel that Slack told us to leave alone until an instant (HTTP 429)."""

    __tablename__ = "parked_channels"

    team_id: Mapped[str] = mapped_column(primary_key=True)
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[Instant]
