"""How the status of one call of an approval may change."""

from approvals.errors import IllegalTransitionError
from storage.tables.approvals import ApprovalStatus as S

ALLOWED_TRANSITIONS: dict[S, frozenset[S]] = {
    S.PENDING: frozenset({S.APPROVED, S.REJECTED, S.EXPIRED, S.WITHDRAWN, S.SUPERSEDED}),
    S.APPROVED: frozenset({S.USED, S.WITHDRAWN}),
    S.REJECTED: frozenset(),
    S.EXPIRED: frozenset(),
    S.WITHDRAWN: frozenset(),
    S.SUPERSEDED: frozenset(),
    S.USED: frozenset(),
}


def check(*, before: S, after: S) -> None:
    """Refuse a move that the table does not allow.

    Raises:
        IllegalTransitionError: names both statuses.
    """
    if after not in ALLOWED_TRANSITIONS[before]:
        message = f"an approval cannot move from {before} to {after}"
        raise IllegalTransitionError(message)
