"""Remarks: what a requester wrote about a goal under way that could not be acted on at once."""

from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, Big, CreatedAt, Id, Instant, JsonList


class RemarkStatus(StrEnum):
    READING = "reading"
    """A model is asked what it means."""
    ASKING = "asking"
    """The person is asked what it means."""
    TOLD = "told"
    """The person asked how the goal stands; the card shows it as it is whenever it is drawn."""
    SETTLED = "settled"


class Remark(Base):
    """A message in a goal's thread, known by channel and `ts`, and what became of it."""

    __tablename__ = "remarks"
    __table_args__ = (
        UniqueConstraint("team_id", "channel_id", "ts"),
        Index("ix_remarks_goal_id", "goal_id"),
        Index("ix_remarks_created_at", "created_at", postgresql_using="brin"),
        Index("ix_remarks_reading", "touched_at", postgresql_where="status = 'reading'"),
    )

    id: Mapped[Id]
    team_id: Mapped[str]
    goal_id: Mapped[Big]
    person_id: Mapped[str]
    channel_id: Mapped[str]
    thread_ts: Mapped[str]
    ts: Mapped[str]
    text: Mapped[str]
    status: Mapped[RemarkStatus]
    version: Mapped[int]
    """The plan's when the options were made; another one makes them void."""
    said: Mapped[str] = mapped_column(default="")
    """What the person reads: what its reading waits for, the question, later what was done."""
    options: Mapped[JsonList] = mapped_column(default=list)
    """What it may mean, as `bot.engine.options` writes it; the buttons, in their order."""
    created_at: Mapped[CreatedAt]
    touched_at: Mapped[CreatedAt]
    """When somebody last saw to it that it is read."""
    settled_at: Mapped[Instant | None]
