"""Frozen calls, permits and attempts."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Interval,
    bindparam,
    func,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from storage.errors import NotFoundError
from storage.instants import Deadline, elapsed_s
from storage.repositories.tasks import seconds
from storage.tables.calls import Attempt, AttemptStatus, Call, Permit, PermitStatus

_ISSUE = text(
    "INSERT INTO permits (team_id, call_id, call_hash, attempt_id, grounds, status) "
    "SELECT team_id, id, hash, :attempt, :grounds, 'issued' FROM calls "
    "WHERE team_id = :team AND id = :call AND hash = :hash RETURNING id"
)

_USE = (
    update(Permit)
    .where(
        Permit.team_id == bindparam("team"),
        Permit.id == bindparam("permit"),
        Permit.attempt_id == bindparam("attempt"),
        Permit.call_hash == bindparam("hash"),
        Permit.status == PermitStatus.ISSUED,
        Attempt.id == Permit.attempt_id,
        Attempt.status == AttemptStatus.RUNNING,
    )
    .values(status=PermitStatus.USED, used_at=func.now())
    .returning(Permit.id)
    .execution_options(synchronize_session=False)
)

_LATEST = (
    select(Attempt)
    .where(Attempt.team_id == bindparam("team"), Attempt.task_id == bindparam("task"))
    .order_by(Attempt.number.desc())
    .limit(1)
    .execution_options(populate_existing=True)
)


def _next_number(team_id: str, task_id: int) -> Any:
    earlier = aliased(Attempt)
    return (
        select(func.coalesce(func.max(earlier.number), 0) + 1)
        .where(earlier.team_id == team_id, earlier.task_id == task_id)
        .scalar_subquery()
    )


class CallRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(
        self,
        *,
        team_id: str,
        goal_id: int,
        task_id: int,
        hash_: str,
        body: dict[str, Any],
        labels: dict[str, Any],
        preview: dict[str, Any],
    ) -> int:
        """Store a frozen call and return its id; the same call of the same task is one row."""
        rows = await self._session.scalars(
            insert(Call)
            .values(
                team_id=team_id,
                goal_id=goal_id,
                task_id=task_id,
                hash=hash_,
                body=body,
                labels=labels,
                preview=preview,
            )
            .on_conflict_do_update(index_elements=["task_id", "hash"], set_={"hash": hash_})
            .returning(Call.id)
        )
        return rows.one()

    async def get(self, team_id: str, call_id: int) -> Call:
        """Return a frozen call.

        Raises:
            NotFoundError: when this team has none of that id.
        """
        call = await self.find(team_id, call_id)
        if call is None:
            raise NotFoundError("call", call_id)
        return call

    async def find(self, team_id: str, call_id: int) -> Call | None:
        return await self._session.scalar(
            select(Call).where(Call.team_id == team_id, Call.id == call_id)
        )

    async def list_for_goal(self, team_id: str, goal_id: int) -> Sequence[Call]:
        rows = await self._session.scalars(
            select(Call).where(Call.team_id == team_id, Call.goal_id == goal_id).order_by(Call.id)
        )
        return rows.all()

    async def add_permit(
        self, *, team_id: str, call_id: int, call_hash: str, attempt_id: int, grounds: str
    ) -> int | None:
        """Issue a permit for one attempt; a second one for the same attempt is refused.

        None when the stored call is not the one of this hash.
        """
        given = {
            "team": team_id,
            "call": call_id,
            "hash": call_hash,
            "attempt": attempt_id,
            "grounds": grounds,
        }
        issued: int | None = await self._session.scalar(_ISSUE, given)
        return issued

    async def use_permit(
        self, team_id: str, permit_id: int, *, attempt_id: int, call_hash: str
    ) -> bool:
        """Spend a permit; False when it was spent before, is another's, or its attempt is over."""
        given = {"team": team_id, "permit": permit_id, "attempt": attempt_id, "hash": call_hash}
        return await self._session.scalar(_USE, given) is not None

    async def add_attempt(
        self,
        *,
        team_id: str,
        goal_id: int,
        task_id: int,
        call_id: int,
        idempotency: str,
        idempotency_key: str,
        lease_owner: str,
        lease_s: float,
    ) -> tuple[Attempt, Deadline]:
        """Store a running attempt as the task's next.

        Return it and until when it may send (`storage.instants`).
        """
        since_s = elapsed_s()
        rows = await self._session.execute(
            insert(Attempt)
            .values(
                team_id=team_id,
                goal_id=goal_id,
                task_id=task_id,
                call_id=call_id,
                number=_next_number(team_id, task_id),
                idempotency=idempotency,
                idempotency_key=idempotency_key,
                lease_owner=lease_owner,
                lease_until=func.now() + seconds(lease_s),
                status=AttemptStatus.RUNNING,
            )
            .returning(
                Attempt, type_coerce(Attempt.lease_until - func.clock_timestamp(), Interval())
            )
        )
        attempt, left = rows.one()
        return attempt, Deadline.after(left, since_s=since_s)

    async def finish_attempt(
        self,
        *,
        team_id: str,
        attempt_id: int,
        status: AttemptStatus,
        error: dict[str, Any] | None = None,
    ) -> bool:
        """Compare-and-set a running attempt's outcome; False when it was taken over (fenced)."""
        finished = await self._session.execute(
            update(Attempt)
            .where(
                Attempt.team_id == team_id,
                Attempt.id == attempt_id,
                Attempt.status == AttemptStatus.RUNNING,
            )
            .values(status=status, error=error, finished_at=func.now())
            .returning(Attempt.id)
            .execution_options(synchronize_session=False)
        )
        return finished.scalar_one_or_none() is not None

    async def mark_unknown(self, *, team_id: str, attempt_id: int) -> None:
        """Mark a failed attempt as one of several tries of which one may have worked."""
        await self._session.execute(
            update(Attempt)
            .where(
                Attempt.team_id == team_id,
                Attempt.id == attempt_id,
                Attempt.status == AttemptStatus.FAILED,
            )
            .values(status=AttemptStatus.UNKNOWN)
            .execution_options(synchronize_session=False)
        )

    async def settle_unknown(
        self, *, team_id: str, attempt_id: int, status: AttemptStatus, error: dict[str, Any]
    ) -> bool:
        """Compare-and-set an unknown attempt to what a human says became of it."""
        settled = await self._session.execute(
            update(Attempt)
            .where(
                Attempt.team_id == team_id,
                Attempt.id == attempt_id,
                Attempt.status == AttemptStatus.UNKNOWN,
            )
            .values(status=status, error=error)
            .returning(Attempt.id)
            .execution_options(synchronize_session=False)
        )
        return settled.scalar_one_or_none() is not None

    async def latest_attempt(self, team_id: str, task_id: int) -> Attempt | None:
        return await self._session.scalar(_LATEST, {"team": team_id, "task": task_id})

    async def list_attempts(self, team_id: str, goal_id: int) -> Sequence[Attempt]:
        rows = await self._session.scalars(
            select(Attempt)
            .where(Attempt.team_id == team_id, Attempt.goal_id == goal_id)
            .order_by(Attempt.id)
            .execution_options(populate_existing=True)
        )
        return rows.all()
