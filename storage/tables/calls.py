"""Frozen calls, their attempts and the permits to make them."""

from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, Big, CreatedAt, Id, Instant, Json


class AttemptStatus(StrEnum):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


class PermitStatus(StrEnum):
    ISSUED = "issued"
    USED = "used"
    REVOKED = "revoked"


class Call(Base):
    """A frozen call: `body` is what runs, `hash` the SHA-256 of its canonical JSON."""

    __tablename__ = "calls"
    __table_args__ = (UniqueConstraint("task_id", "hash"),)

    id: Mapped[Id]
    team_id: Mapped[str]
    goal_id: Mapped[Big]
    task_id: Mapped[Big]
    hash: Mapped[str]
    body: Mapped[Json]
    labels: Mapped[Json]
    """JSON pointer of an argument leaf → {"label", "source"}."""
    preview: Mapped[Json]
    """What the card says: {"sentence", "details": [{"name", "value", "before"}]}."""
    created_at: Mapped[CreatedAt]


class Attempt(Base):
    """One try at a call; committed as running before anything is sent."""

    __tablename__ = "attempts"
    __table_args__ = (
        UniqueConstraint("task_id", "number"),
        Index("ix_attempts_goal_id", "goal_id"),
        Index("ix_attempts_running", "lease_until", postgresql_where="status = 'running'"),
    )

    id: Mapped[Id]
    team_id: Mapped[str]
    goal_id: Mapped[Big]
    task_id: Mapped[Big]
    call_id: Mapped[Big]
    number: Mapped[int]
    idempotency: Mapped[str]
    idempotency_key: Mapped[str]
    lease_owner: Mapped[str]
    lease_until: Mapped[Instant]
    status: Mapped[AttemptStatus]
    error: Mapped[Json | None]
    started_at: Mapped[CreatedAt]
    finished_at: Mapped[Instant | None]


class Permit(Base):
    """The single-use permission to execute one frozen call; made only by approvals.permits."""

    __tablename__ = "permits"
    __table_args__ = (Index("ix_permits_call_id", "call_id"),)

    id: Mapped[Id]
    team_id: Mapped[str]
    call_id: Mapped[Big]
    call_hash: Mapped[str]
    grounds: Mapped[str]
    """Why it was given: `policy:<rule>`, `run:<plan_run id>` or `decision:<decision id>`."""
    status: Mapped[PermitStatus]
    attempt_id: Mapped[Big | None] = mapped_column(unique=True)
    created_at: Mapped[CreatedAt]
    used_at: Mapped[Instant | None]
