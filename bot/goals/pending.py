"""What waits for a person's decision, one line for calls that were asked about together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from storage.tables.approvals import Approval, ApprovalItem

_MOST_LINES = 3
"""More calls of one approval than these are one line: they are decided on one card."""


@dataclass(frozen=True, slots=True)
class PendingLine:
    """A line of a list: one call, or the first of many on one card."""

    approval: Approval
    item: ApprovalItem
    others: int = 0

    def say(self, sentence: str) -> str:
        """Return the line's words, given what the first call's preview says."""
        return f"{sentence}, and {self.others} more" if self.others else sentence


def gather(pending: Iterable[tuple[Approval, ApprovalItem]]) -> list[PendingLine]:
    """Return the lines for pending calls, in the order in which their approvals come."""
    grouped: dict[int, list[tuple[Approval, ApprovalItem]]] = {}
    for approval, item in pending:
        grouped.setdefault(approval.id, []).append((approval, item))
    return [line for items in grouped.values() for line in _lines(items)]


def _lines(items: Sequence[tuple[Approval, ApprovalItem]]) -> list[PendingLine]:
    if len(items) <= _MOST_LINES:
        return [PendingLine(approval, item) for approval, item in items]
    approval, item = items[0]
    return [PendingLine(approval, item, len(items) - 1)]
