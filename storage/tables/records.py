"""Audit rows and the heads of their chains, model usage and digests' times."""

from datetime import time

from sqlalchemy import ARRAY, Index, LargeBinary, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, Big, CreatedAt, Id, Instant, Json


class AuditRow(Base):
    """One change, written in its transaction; the sealer adds `seq` and `hash` later (S34)."""

    __tablename__ = "audit"
    __table_args__ = (
        UniqueConstraint("team_id", "seq"),
        Index("ix_audit_unsealed", "team_id", "id", postgresql_where="seq IS NULL"),
        Index("ix_audit_goal_id", "goal_id"),
    )

    id: Mapped[Id]
    team_id: Mapped[str]
    at: Mapped[CreatedAt]
    tag: Mapped[str]
    """`source:subject:action`, for example `slack:approval:approve`."""
    actor: Mapped[str]
    """A person id, or `system`."""
    goal_id: Mapped[Big | None]
    data: Mapped[Json]
    seq: Mapped[Big | None]
    previous_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))


class AuditHead(Base):
    """Where a team's chain ends: a log that is cut off before it no longer fits (S34)."""

    __tablename__ = "audit_heads"

    team_id: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[Big]
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class Usage(Base):
    """One request to a model: what it cost and which prompt it ran."""

    __tablename__ = "usage"
    __table_args__ = (Index("ix_usage_goal_id", "goal_id"),)

    id: Mapped[Id]
    team_id: Mapped[str]
    goal_id: Mapped[Big | None]
    purpose: Mapped[str]
    model: Mapped[str]
    prompt_hash: Mapped[str]
    prompt_characters: Mapped[int]
    prompt_tokens: Mapped[int]
    completion_tokens: Mapped[int]
    duration_ms: Mapped[int]
    outcome: Mapped[str]
    created_at: Mapped[CreatedAt]


class DigestSubscription(Base):
    """When a person's digest comes; `next_at` is what the tick claims."""

    __tablename__ = "digest_subscriptions"
    __table_args__ = (
        UniqueConstraint("team_id", "person_id"),
        Index("ix_digest_subscriptions_next_at", "next_at", postgresql_where="enabled"),
    )

    id: Mapped[Id]
    team_id: Mapped[str]
    person_id: Mapped[str]
    zone: Mapped[str]
    at: Mapped[time]
    weekdays: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    """ISO weekdays, Monday is 1."""
    enabled: Mapped[bool]
    next_at: Mapped[Instant]
    created_at: Mapped[CreatedAt]


class DigestRun(Base):
    """A digest that was sent for a slot; unique, so several replicas give one run."""

    __tablename__ = "digest_runs"
    __table_args__ = (UniqueConstraint("subscription_id", "slot"),)

    id: Mapped[Id]
    team_id: Mapped[str]
    person_id: Mapped[str]
    subscription_id: Mapped[Big]
    slot: Mapped[str]
    """The scheduled instant in ISO 8601, or `now:<trigger>` when asked for by hand."""
    since: Mapped[Instant]
    created_at: Mapped[CreatedAt]
