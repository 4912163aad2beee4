"""Results too large to be read with their task each time, and events that were put away."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, Big, CreatedAt, Json

STORED = "$stored"
"""`tasks.result` is `{"$stored": bytes}` where the result itself is a row of `results`."""


class StoredResult(Base):
    """One task's large result: `tasks.result` refers to it, whoever needs it loads it."""

    __tablename__ = "results"

    task_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    team_id: Mapped[str]
    goal_id: Mapped[Big]
    bytes: Mapped[int]
    """Of its JSON in UTF-8."""
    body: Mapped[Json]
    created_at: Mapped[CreatedAt]


class ArchivedEvent(Base):
    """An event of Slack's or a provider's that was handled long ago; kept for questions alone.

    It has no index but its key, so that putting rows away and removing them costs little.
    """

    __tablename__ = "archived_events"

    source: Mapped[str] = mapped_column(primary_key=True)
    """The table that it comes from: `inbox`, …"""
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """Its id there."""
    row: Mapped[Json]
    archived_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
