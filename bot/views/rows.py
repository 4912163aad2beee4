"""The rows of a step that is done once for each element of a list, on cards that have room."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

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


def without_repeats(rows: Sequence[Step]) -> tuple[list[Step], list[str]]:
    """Return rows whose problem no other one has with it, and the shared ones as sentences."""
    counts = Counter(row.problem for row in rows if row.problem)
    shared = {problem: count for problem, count in counts.items() if count > 1}
    kept = [replace(row, problem=None) if row.problem in shared else row for row in rows]
    return kept, [f"{count} of them: {problem}" for problem, count in shared.items()]


def progress(step: Step) -> str | None:
    """Return how much of a list is done, "3 of 6 done"; None where that says nothing new."""
    done = sum(row.status is TaskStatus.SUCCEEDED for row in step.rows)
    return f"{done} of {len(step.rows)} done" if 0 < done < len(step.rows) else None
