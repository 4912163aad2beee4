"""How long calls of an action take, measured now and then from what ran."""

from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, CreatedAt


class Duration(Base):
    """One action's usual duration. It is the same for all teams and names none of them."""

    __tablename__ = "durations"

    action: Mapped[str] = mapped_column(primary_key=True)
    median_s: Mapped[float]
    """From the start of an attempt to its stored outcome, in seconds."""
    samples: Mapped[int]
    measured_at: Mapped[CreatedAt]
