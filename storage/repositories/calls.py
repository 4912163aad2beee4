"""Frozen calls, permits and attempts."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.errors import NotFoundError
from storage.instants import Deadline, elapsed_s
from storage.repositories.conditions import halted
from storage.repositories.direct import Direct, as_json, returned, selected
from storage.tables.calls import Attempt, AttemptStatus, Call, Permit, PermitStatus
from storage.tables.halts import EVERY_TEAM

_ISSUE = (
    "INSERT INTO permits (team_id, call_id, call_hash, attempt_id, grounds, status) "
    "SELECT team_id, id, hash, %(attempt)s, %(grounds)s, 'issued' FROM calls "
    "WHERE team_id = %(team)s AND id = %(call)s AND hash = %(hash)s RETURNING id"
)

_USE = (
    "UPDATE permits SET status = 'used', used_at = now() FROM attempts "
    "WHERE permits.team_id = %(team)s AND permits.id = %(permit)s "
    "AND permits.attempt_id = %(attempt)s "
    "AND permits.call_hash = %(hash)s AND permits.status = 'issued' "
    "AND attempts.id = permits.attempt_id AND attempts.status = 'running' "
    "AND (attempts.idempotency = 'read' OR NOT EXISTS "
    "(SELECT FROM halts WHERE halts.team_id IN (%(team)s, %(every_team)s))) RETURNING permits.id"
)

_ADD = (
    "INSERT INTO calls (team_id, goal_id, task_id, hash, body, labels, preview) "
    "VALUES (%(team)s, %(goal)s, %(task)s, %(hash)s, %(body)s::jsonb, %(labels)s::jsonb, "
    "%(preview)s::jsonb) "
    "ON CONFLICT (task_id, hash) DO UPDATE SET hash = excluded.hash RETURNING id"
)

_BEGIN = returned(
    Attempt,
    "INSERT INTO attempts (team_id, goal_id, task_id, call_id, number, idempotency, "
    "idempotency_key, lease_owner, lease_until, status) "
    "SELECT %(team)s, %(goal)s, %(task)s, %(call)s, 1 + coalesce(max(number), 0), "
    "%(idempotency)s, %(key)s, %(owner)s, now() + make_interval(secs => %(lease_s)s), 'running' "
    "FROM attempts WHERE team_id = %(team)s AND task_id = %(task)s",
)

_FINISH = (
    "UPDATE attempts SET status = %(status)s, error = %(error)s::jsonb, finished_at = now() "
    "WHERE team_id = %(team)s AND id = %(attempt)s AND status = 'running' RETURNING id"
)

_LATEST = selected(
    Attempt, "WHERE team_id = %(team)s AND task_id = %(task)s ORDER BY number DESC LIMIT 1"
)

_ATTEMPTS = selected(Attempt, "WHERE team_id = %(team)s AND goal_id = %(goal)s ORDER BY id")


class CallRepository:
    def __init__(self, session: AsyncSession, direct: Direct) -> None:
        self._session = session
        self._direct = direct

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
        added = await self._direct.value(
            _ADD,
            {
                "team": team_id,
                "goal": goal_id,
                "task": task_id,
                "hash": hash_,
                "body": as_json(body),
                "labels": as_json(labels),
                "preview": as_json(preview),
            },
        )
        return int(added)

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
        issued: int | None = await self._direct.value(_ISSUE, given)
        return issued

    async def use_permit(
        self, team_id: str, permit_id: int, *, attempt_id: int, call_hash: str
    ) -> bool:
        """Spend a permit; False when it was spent before, is another's, or its attempt is over.

        While its team is halted the permit of a write is not spent (S39): it stays as it is.
        """
        given = {
            "team": team_id,
            "permit": permit_id,
            "attempt": attempt_id,
            "hash": call_hash,
            "every_team": EVERY_TEAM,
        }
        return await self._direct.value(_USE, given) is not None

    async def is_held(
        self, team_id: str, permit_id: int, *, attempt_id: int, call_hash: str
    ) -> bool:
        """Whether nothing but a halt keeps a permit from being spent."""
        found = await self._session.scalar(
            select(Permit.id)
            .join(Attempt, Attempt.id == Permit.attempt_id)
            .where(
                Permit.team_id == team_id,
                Permit.id == permit_id,
                Permit.attempt_id == attempt_id,
                Permit.call_hash == call_hash,
                Permit.status == PermitStatus.ISSUED,
                Attempt.status == AttemptStatus.RUNNING,
                halted(team_id),
            )
        )
        return found is not None

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
        [(*row, left)] = await self._direct.rows(
            f"{_BEGIN}, lease_until - clock_timestamp()",
            {
                "team": team_id,
                "goal": goal_id,
                "task": task_id,
                "call": call_id,
                "idempotency": idempotency,
                "key": idempotency_key,
                "owner": lease_owner,
                "lease_s": lease_s,
            },
        )
        [attempt] = self._direct.made(Attempt, [tuple(row)])
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
        given = {
            "team": team_id,
            "attempt": attempt_id,
            "status": status.value,
            "error": as_json(error),
        }
        return await self._direct.value(_FINISH, given) is not None

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
        return await self._direct.object(Attempt, _LATEST, {"team": team_id, "task": task_id})

    async def list_attempts(self, team_id: str, goal_id: int) -> Sequence[Attempt]:
        wanted = {"team": team_id, "goal": goal_id}
        return await self._direct.objects(Attempt, _ATTEMPTS, wanted)
