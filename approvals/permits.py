"""Permits: the only place that makes the permission to execute a frozen call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from approvals.errors import PermitError
from connectors.actions import Idempotency
from connectors.calls import FrozenCall, key_of
from connectors.execute import Permit, ReadPermit
from storage.database import Transaction
from storage.instants import Deadline
from storage.tables.calls import Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A stored call that may run.

    Attributes:
        call: what will run; its hash is computed anew.
        call_id: its row.
        idempotency: how a lost reply of it is settled.
        grounds: `policy:<rule>`, `run:<plan run>` or `decision:<decision>`.
        owner: the drive that runs it.
    """

    call: FrozenCall
    call_id: int
    idempotency: Idempotency
    grounds: str
    owner: str


@dataclass(frozen=True, slots=True)
class Issued:
    """A running attempt with its permit, and until when it may send."""

    attempt: Attempt
    permit: Permit
    send_before: Deadline


async def issue(tx: Transaction, wanted: Sequence[Wanted], *, lease_s: float) -> list[Issued]:
    """Begin an attempt at each call with a permit; `connectors.execute` spends it, once.

    Args:
        tx: what is sent comes after its commit.
        wanted: calls of different tasks of one team; another attempt needs its own permit.
        lease_s: how long the attempts hold.

    Raises:
        PermitError: when a stored call is not the given one.
    """
    if not wanted:
        return []
    hashes = {item.call.task_id: item.call.hash for item in wanted}
    begun = await tx.calls.begin(
        wanted[0].call.team_id,
        [
            {
                "goal_id": item.call.goal_id,
                "task_id": item.call.task_id,
                "call_id": item.call_id,
                "call_hash": hashes[item.call.task_id],
                "idempotency": item.idempotency.value,
                "idempotency_key": key_of(hashes[item.call.task_id]),
                "lease_owner": item.owner,
                "grounds": item.grounds,
            }
            for item in wanted
        ],
        lease_s=lease_s,
    )
    issued = {}
    for attempt, permit_id, send_before in begun:
        if permit_id is None:
            raise PermitError("the stored call is not the one that would run")
        permit = Permit(permit_id, hashes[attempt.task_id], attempt.id)
        issued[attempt.task_id] = Issued(attempt, permit, send_before)
    return [issued[item.call.task_id] for item in wanted]


def read_permit(
    *,
    team_id: str,
    requester_id: str,
    connection_id: int | None,
    purpose: Literal["precondition", "verify", "probe", "event"],
) -> ReadPermit:
    """Return the permission to read through the requester's own connection for one purpose."""
    return ReadPermit(team_id, requester_id, connection_id, purpose)
