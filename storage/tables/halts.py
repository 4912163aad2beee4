"""Halts: who stopped every write of a team, or of all teams."""

from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, CreatedAt

EVERY_TEAM = "*"
"""The team of a halt that holds for all of them; Slack's ids are letters and digits."""

COMMAND_LINE = "cli"
"""Who halted where it was no person in Slack."""


class Halt(Base):
    """A row exists only while nothing may be written: `use_permit` itself looks for one (S39)."""

    __tablename__ = "halts"

    team_id: Mapped[str] = mapped_column(primary_key=True)
    """One team, or `EVERY_TEAM`."""
    halted_by: Mapped[str]
    """A person id, or `COMMAND_LINE`."""
    reason: Mapped[str]
    """What that person typed; may be empty."""
    halted_at: Mapped[CreatedAt]
