"""Waits: what a task waits for. A goal that waits costs such a row and nothing else."""

from enum import StrEnum

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from storage.tables.base import Base, Big, CreatedAt, Id, Instant, Json


class WaitEnding(StrEnum):
    """How a wait ended."""

    REACHED = "reached"
    """Its instant came."""
    HELD = "held"
    """Its instant came while its goal was paused: its task goes on after the resume."""
    PAST = "past"
    """Its instant was over before the wait began."""
    HAPPENED = "happened"
    """What it waited for was seen at the provider."""
    IN_VAIN = "in_vain"
    """It had waited long enough."""
    CANCELLED = "cancelled"
    """Nobody waits any more."""


class Wait(Base):
    """One wait of one task. `due_at` is the instant; of a wait for an event, its end at most."""

    __tablename__ = "waits"
    __table_args__ = (
        Index("ix_waits_goal_id", "goal_id"),
        Index("ix_waits_due_at", "due_at", postgresql_where="ended_at IS NULL"),
        Index("ix_waits_open_task", "task_id", unique=True, postgresql_where="ended_at IS NULL"),
        Index(
            "ix_waits_subject",
            "team_id",
            "connector",
            "subject",
            postgresql_where="ended_at IS NULL AND event IS NOT NULL",
        ),
        Index(
            "ix_waits_person",
            "team_id",
            "connector",
            "person_id",
            postgresql_where="ended_at IS NULL AND event IS NOT NULL",
        ),
    )

    id: Mapped[Id]
    team_id: Mapped[str]
    goal_id: Mapped[Big]
    task_id: Mapped[Big]
    person_id: Mapped[str]
    """Whose own connection is read to see whether an event happened."""
    due_at: Mapped[Instant]
    connector: Mapped[str | None]
    event: Mapped[str | None]
    """The event's name; None for an instant."""
    subject: Mapped[str | None]
    """The id of what it is about, at the provider."""
    value: Mapped[str | None]
    cursor: Mapped[Json | None]
    """What the event's last check remembered; None before the first one."""
    hinted_at: Mapped[Instant | None]
    """Since then a look is owed; None once one saw what there was. Polls repeat what is owed."""
    started_at: Mapped[CreatedAt]
    claimed_until: Mapped[Instant | None]
    """Until then one replica sees to it that what is due goes on."""
    ended_at: Mapped[Instant | None]
    ending: Mapped[WaitEnding | None]
