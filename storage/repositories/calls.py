"""Frozen calls, permits and attempts."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.errors import NotFoundError
from storage.instants import Deadline, elapsed_s
from storage.repositories.conditions import halted
from storage.repositories.direct import (
    Direct,
    Row,
    Wish,
    as_json,
    columns,
    given,
    given_rows,
    returned,
    selected,
)
from storage.tables.calls import Attempt, AttemptStatus, Call, Permit, PermitStatus
from storage.tables.halts import EVERY_TEAM

_GIVEN = ("goal_id", "task_id", "call_id", "idempotency", "idempotency_key", "lease_owner")

_USE = (
    "UPDATE permits SET status = 'used', used_at = now() FROM attempts "
    "WHERE permits.team_id = %(team)s AND permits.id = %(permit)s "
    "AND permits.attempt_id = %(attempt)s "
    "AND permits.call_hash = %(hash)s AND permits.status = 'issued' "
    "AND attempts.id = permits.attempt_id AND attempts.status = 'running' "
    "AND (attempts.idempotency = 'read' OR NOT EXISTS "
    "(SELECT FROM halts WHERE halts.team_id IN (%(team)s, %(every_team)s))) RETURNING permits.id"
)

_ADD = f"""
INSERT INTO calls (team_id, goal_id, task_id, hash, body, labels, preview)
SELECT %(team)s, %(goal)s, given.task_id, given.hash, given.body, given.labels, given.preview
FROM {given(Call, ("task_id", "hash", "body", "labels", "preview"))}
ON CONFLICT (task_id, hash) DO UPDATE SET hash = excluded.hash RETURNING task_id, id
"""  # noqa: S608 -- our own names

_BEGIN = f"""
WITH given AS (
    SELECT * FROM {given(Attempt, _GIVEN, "call_hash text", "grounds text")}
), begun AS (
    INSERT INTO attempts (
        team_id, {", ".join(_GIVEN)}, number, lease_until, status
    )
    SELECT %(team)s, {", ".join(_GIVEN)}, 1 + coalesce((
            SELECT max(last.number) FROM attempts AS last
            WHERE last.team_id = %(team)s AND last.task_id = given.task_id
        ), 0), now() + make_interval(secs => %(lease_s)s), 'running'
    FROM given RETURNING *
), issued AS (
    INSERT INTO permits (team_id, call_id, call_hash, attempt_id, grounds, status)
    SELECT calls.team_id, calls.id, calls.hash, begun.id, given.grounds, 'issued'
    FROM begun
    JOIN given ON given.task_id = begun.task_id
    JOIN calls ON calls.id = begun.call_id AND calls.team_id = begun.team_id
        AND calls.hash = given.call_hash
    RETURNING id, attempt_id
)
SELECT {columns(Attempt, "begun")}, issued.id, begun.lease_until - clock_timestamp()
FROM begun LEFT JOIN issued ON issued.attempt_id = begun.id
"""  # noqa: S608 -- our own names

_FINISH = returned(
    Attempt,
    "UPDATE attempts SET status = %(status)s, error = %(error)s::jsonb, finished_at = now() "
    "WHERE team_id = %(team)s AND id = %(attempt)s AND status = 'running'",
)

_LATEST = selected(
    Attempt, "WHERE team_id = %(team)s AND task_id = %(task)s ORDER BY number DESC LIMIT 1"
)

_ATTEMPTS = selected(Attempt, "WHERE team_id = %(team)s AND goal_id = %(goal)s ORDER BY id")


class CallRepository:
    """Keeps calls, permits and attempts. The caller holds the goal's row, except to spend a permit.

    So nobody else changes its attempts meanwhile: what was listed once in a transaction is kept,
    and kept true by what this repository changes.
    """

    def __init__(self, session: AsyncSession, direct: Direct) -> None:
        self._session = session
        self._direct = direct
        self._lists: dict[tuple[str, int], list[Attempt]] = {}

    async def add_many(
        self, team_id: str, goal_id: int, rows: Sequence[Mapping[str, Any]]
    ) -> Mapping[int, int]:
        """Store frozen calls of different tasks of a goal; return task id → call id.

        The same call of the same task is one row.
        """
        if not rows:
            return {}
        values = {"team": team_id, "goal": goal_id, **given_rows(rows)}
        return dict(await self._direct.rows(_ADD, values))

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

    async def list_(self, team_id: str, call_ids: Sequence[int]) -> Sequence[Call]:
        """Return the frozen calls of these ids."""
        rows = await self._session.scalars(
            select(Call).where(Call.team_id == team_id, Call.id.in_(call_ids))
        )
        return rows.all()

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

    async def begin(
        self, team_id: str, rows: Sequence[Mapping[str, Any]], *, lease_s: float
    ) -> list[tuple[Attempt, int | None, Deadline]]:
        """Store a running attempt as the next of each task, with a permit for that attempt.

        Return, in any order, each with its permit, None where the stored call is not the one of
        the given hash, and until when it may send (`storage.instants`).
        """
        since_s = elapsed_s()
        values = {"team": team_id, **given_rows(rows), "lease_s": lease_s}
        found = await self._direct.rows(_BEGIN, values)
        attempts = self._direct.made(Attempt, [row[:-2] for row in found])
        for attempt in attempts:
            if (known := self._lists.get((team_id, attempt.goal_id))) is not None:
                known.append(attempt)
        return [
            (attempt, row[-2], Deadline.after(row[-1], since_s=since_s))
            for attempt, row in zip(attempts, found, strict=True)
        ]

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
        return await self._direct.object(Attempt, _FINISH, given) is not None

    async def mark_unknown(self, *, team_id: str, attempt_id: int) -> None:
        """Mark a failed attempt as one of several tries of which one may have worked."""
        self._lists.clear()
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
        self._lists.clear()
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
        lists = (found for (team, _), found in self._lists.items() if team == team_id)
        known = [attempt for found in lists for attempt in found if attempt.task_id == task_id]
        if known:
            return max(known, key=lambda attempt: attempt.number)
        return await self._direct.object(Attempt, _LATEST, {"team": team_id, "task": task_id})

    async def list_attempts(self, team_id: str, goal_id: int) -> Sequence[Attempt]:
        """Return a goal's attempts, oldest first, as they are now."""
        known = self._lists.get((team_id, goal_id))
        if known is None:
            rows = await self._direct.rows(*self.listing(team_id, goal_id))
            known = self.keep(team_id, goal_id, rows)
        return known

    def listing(self, team_id: str, goal_id: int) -> Wish:
        """Return the statement that lists a goal's attempts; `keep` takes what it returns."""
        return _ATTEMPTS, {"team": team_id, "goal": goal_id}

    def keep(self, team_id: str, goal_id: int, rows: Sequence[Row]) -> list[Attempt]:
        """Return the attempts that were listed, which `list_attempts` gives from here on."""
        known = self._lists[team_id, goal_id] = self._direct.made(Attempt, rows)
        return known
