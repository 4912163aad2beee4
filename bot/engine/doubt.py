"""Doubt: a keyed write whose reply was lost may have happened although nobody saw it.

Such a call is repeated exactly as it is, under its key, which the provider deduplicates. It is
never frozen anew: another precondition would make another key, and a second effect.
"""

from collections.abc import Sequence

from connectors.actions import Idempotency
from connectors.errors import OutcomeUnknownError
from storage.database import Transaction
from storage.tables.calls import Attempt
from storage.tables.goals import Task

LOST = frozenset({OutcomeUnknownError.code, "repeat"})
"""Codes of attempts that may have taken effect."""

CLEARED = frozenset({"not_found", "settled"})
"""Codes of attempts after which it is known: a look-up found nothing, or a human said so."""


def doubtful(attempts: Sequence[Attempt]) -> dict[int, Attempt]:
    """Return task id → the attempt of each task that may have happened, oldest attempts first."""
    found: dict[int, Attempt] = {}
    for attempt in attempts:
        code = (attempt.error or {}).get("code")
        if code in CLEARED:
            found.pop(attempt.task_id, None)
        elif code in LOST and attempt.idempotency == Idempotency.KEYED:
            found[attempt.task_id] = attempt
    return found


async def is_in_doubt(tx: Transaction, task: Task) -> bool:
    """Whether an earlier try of this task may have happened."""
    return task.id in doubtful(await tx.calls.list_attempts(task.team_id, task.goal_id))
