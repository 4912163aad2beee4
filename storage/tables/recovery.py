"""What the engine knows of hosts that fail, and what it handed to a human."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, Big, CreatedAt, Id, Instant


class Breaker(Base):
    """A host to which nothing is sent for now; there is no row while all is well."""

    __tablename__ = "breakers"

    host: Mapped[str] = mapped_column(primary_key=True)
    provider: Mapped[str]
    opened_at: Mapped[CreatedAt]
    retry_at: Mapped[Instant]
    """When one request may try; whoever moves it on makes that request."""
    probes: Mapped[int] = mapped_column(default=0)
    """How many of those failed; the pause doubles with each."""


class Handoff(Base):
    """A step or goal that a defect of ours stopped, put to named people until one settles it."""

    __tablename__ = "handoffs"
    __table_args__ = (
        Index("ix_handoffs_goal_id", "goal_id"),
        Index("ix_handoffs_open", "created_at", postgresql_where="settled_at IS NULL"),
    )

    id: Mapped[Id]
    team_id: Mapped[str]
    goal_id: Mapped[Big]
    task_id: Mapped[Big | None]
    """None where planning or driving as a whole went wrong."""
    reference: Mapped[str]
    """Stands in the log beside the traceback."""
    created_at: Mapped[CreatedAt]
    settled_at: Mapped[Instant | None]
    settled_by: Mapped[str | None]
