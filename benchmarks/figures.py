"""Figures: medians with their spread, and the tables that show them."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """What one benchmark found; `notes` say what a reader must know to trust it."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 1000) // 1000) - 1)]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def spread(values: Sequence[float], *, digits: int = 1) -> str:
    """Return the median with the least and the greatest value."""
    low, high = min(values), max(values)
    return f"{median(values):.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def show(table: Table) -> str:
    """Return a table for a terminal."""
    lines = [table.head, *table.rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(table.head))]
    shown = ["  ".join(_cell(text, widths[i], i) for i, text in enumerate(line)) for line in lines]
    return "\n".join([table.title, "", *(f"  {line.rstrip()}" for line in shown), *_notes(table)])


def show_markdown(table: Table) -> str:
    """Return a table for docs/benchmarks.md."""
    rule = "|".join([" --- ", *(" ---: " for _ in table.head[1:])])
    lines = [f"| {' | '.join(line)} |" for line in table.rows]
    head = [f"## {table.title}", "", f"| {' | '.join(table.head)} |", f"|{rule}|"]
    return "\n".join([*head, *lines, "", *(f"- {note}" for note in table.notes)])


def _cell(text: str, width: int, column: int) -> str:
    return text.ljust(width) if column == 0 else text.rjust(width)


def _notes(table: Table) -> list[str]:
    return ["", *(f"  {note}" for note in table.notes)] if table.notes else []
