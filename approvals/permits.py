"""Permits: the only place that makes the permission to execute a frozen call."""

from typing import Literal

from approvals.errors import PermitError
from connectors.calls import FrozenCall
from connectors.execute import Permit, ReadPermit
from storage.database import Transaction


async def issue(
    tx: Transaction, *, call: FrozenCall, call_id: int, attempt_id: int, grounds: str
) -> Permit:
    """Return a permit for one attempt at `call`; `connectors.execute` spends it, once.

    Args:
        tx: the transaction that also commits the attempt as running.
        call: what will run; its hash is computed anew.
        call_id: its row.
        attempt_id: the attempt that it is for; a second one needs its own.
        grounds: `policy:<rule>`, `run:<plan run>` or `decision:<decision>`.

    Raises:
        PermitError: when the stored call is not the given one.
    """
    permit_id = await tx.calls.add_permit(
        team_id=call.team_id,
        call_id=call_id,
        call_hash=call.hash,
        attempt_id=attempt_id,
        grounds=grounds,
    )
    if permit_id is None:
        raise PermitError("the stored call is not the one that would run")
    return Permit(permit_id=permit_id, call_hash=call.hash, attempt_id=attempt_id)


def read_permit(
    *,
    team_id: str,
    requester_id: str,
    connection_id: int | None,
    purpose: Literal["precondition", "verify", "probe", "event"],
) -> ReadPermit:
    """Return the permission to read through the requester's own connection for one purpose."""
    return ReadPermit(team_id, requester_id, connection_id, purpose)
