"""What the whole engine keeps: lists, rounds, waits, breakers, changes of mind, tidying."""

from collections.abc import Sequence

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    _rows()
    _rounds()
    _waits()
    _breakers()
    _changes()
    _tidy()


def _rows() -> None:
    """Add what a task that runs once per element of a list needs."""


def _rounds() -> None:
    """Add what second rounds, re-plans and budgets need."""


def _waits() -> None:
    """Add waits, webhooks and polls."""


def _breakers() -> None:
    """Add what is known of a host that fails."""


def _changes() -> None:
    """Add pauses, undos of goals and halts."""


def _tidy() -> None:
    """Add large results, the archive of events, and indices."""


def downgrade() -> None:
    """Refuse: what these tables hold cannot be kept without them; restore a backup instead."""
    raise NotImplementedError
