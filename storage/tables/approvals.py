"""Approvals and decisions: frozen calls put to people, and their answers."""

from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, Big, CreatedAt, Id, Instant, Json


class ApprovalStatus(StrEnum):
    """Where one call of an approval stands (ARCHITECTURE.md, section 3)."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    USED = "used"


class Verdict(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"


class Approval(Base):
    """A fixed set of frozen calls put to the same people; it never grows."""

    __tablename__ = "approvals"
    __table_args__ = (Index("ix_approvals_goal_id", "goal_id"),)

    id: Mapped[Id]
    team_id: Mapped[str]
    goal_id: Mapped[Big]
    plan_version: Mapped[int]
    policy_version: Mapped[str]
    rule: Mapped[str]
    ask: Mapped[Json]
    """{"people": [ids], "requester_may_decide": bool, "reason": why these people}."""
    deadline_at: Mapped[Instant]
    created_at: Mapped[CreatedAt]


class ApprovalItem(Base):
    """One call of an approval and its status."""

    __tablename__ = "approval_items"
    __table_args__ = (
        UniqueConstraint("approval_id", "call_id"),
        Index("ix_approval_items_task_id", "task_id"),
        Index("ix_approval_items_pending", "team_id", postgresql_where="status = 'pending'"),
    )

    id: Mapped[Id]
    approval_id: Mapped[Big]
    team_id: Mapped[str]
    goal_id: Mapped[Big]
    task_id: Mapped[Big]
    call_id: Mapped[Big]
    call_hash: Mapped[str]
    status: Mapped[ApprovalStatus]
    status_reason: Mapped[str | None]
    updated_at: Mapped[CreatedAt]


class Decision(Base):
    """One person's answer for one call of an approval, bound to the call's hash."""

    __tablename__ = "decisions"
    __table_args__ = (UniqueConstraint("item_id", "person_id"),)

    id: Mapped[Id]
    team_id: Mapped[str]
    goal_id: Mapped[Big]
    approval_id: Mapped[Big]
    item_id: Mapped[Big]
    call_hash: Mapped[str]
    person_id: Mapped[str]
    verdict: Mapped[Verdict]
    reason: Mapped[str | None] = mapped_column()
    created_at: Mapped[CreatedAt]
