"""What providers tell us: addresses for webhooks, deliveries taken once, and streams we poll."""

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, Big, CreatedAt, Instant, Json


class Hook(Base):
    """The address at which a provider's webhooks for a team arrive. Its id is random."""

    __tablename__ = "hooks"
    __table_args__ = (UniqueConstraint("team_id", "connector"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    team_id: Mapped[str]
    connector: Mapped[str]
    created_at: Mapped[CreatedAt]


class HookDelivery(Base):
    """A delivery that was taken, so that a repetition of it changes nothing (S32)."""

    __tablename__ = "hook_deliveries"
    __table_args__ = (Index("ix_hook_deliveries_received_at", "received_at"),)

    hook_id: Mapped[str] = mapped_column(primary_key=True)
    delivery: Mapped[str] = mapped_column(primary_key=True)
    """The provider's id of it, or a digest of what makes it one."""
    received_at: Mapped[CreatedAt]


class Poll(Base):
    """One stream of one person's connection, polled for all who wait for something in it."""

    __tablename__ = "polls"
    __table_args__ = (
        Index("ix_polls_next_at", "next_at"),
        Index("ix_polls_channel_id", "channel_id", unique=True),
    )

    connection_id: Mapped[Big] = mapped_column(primary_key=True, autoincrement=False)
    stream: Mapped[str] = mapped_column(primary_key=True)
    team_id: Mapped[str]
    person_id: Mapped[str]
    connector: Mapped[str]
    cursor: Mapped[Json | None]
    """Where the next poll begins; None before the first one."""
    next_at: Mapped[Instant]
    claimed_until: Mapped[Instant | None]
    """Until then one replica polls it."""
    is_hinted: Mapped[bool]
    """Something was told since the last claim, so that this poll is not the last one."""
    channel_id: Mapped[str | None]
    """The channel on which the provider tells that something changed; None without one."""
    channel_handle: Mapped[Json | None]
    """What the provider needs to close it."""
    watch_at: Mapped[Instant | None]
    """When to ask for a channel again; None: never asked."""
