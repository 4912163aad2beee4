"""The rows of a step that is done once for each element of a list, on cards that have room."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.engine.cards import Step
from storage.tables.goals import TaskStatus

MOST_ROWS = 10
"""More rows than these are shown as a count and a sample (S38)."""

SAMPLE = 5

_TO_SEE = frozenset(
    {TaskStatus.UNKNOWN, TaskStatus.FAILED, TaskStatus.DECLINED, TaskStatus.NEEDS_CONNECTION}
)


@dataclass(frozen=True, slots=True)
class ShownRows:
    """The rows that a card shows, and a sentence about the others."""

    rows: tuple[Step, ...]
    note: str | None = None


def shown_rows(rows: Sequence[Step], *, is_open: bool) -> ShownRows:
    """Return all rows where they are few, else a sample, first of those that went wrong."""
    if len(rows) <= MOST_ROWS:
        return ShownRows(tuple(rows))
    ordered = sorted(rows, key=lambda row: row.status not in _TO_SEE)
    what = "all of them" if is_open else "the others"
    note = f"These are {SAMPLE} of {len(rows)}. Press Details to see {what}."
    return ShownRows(tuple(ordered[:SAMPLE]), note)
