"""Figures for monitoring, each from an index: what a scrape costs does not grow with history."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import TextClause, text

from storage.database import Database, Transaction

_GOALS = text("SELECT status, count(*) FROM goals WHERE settled_at IS NULL GROUP BY status")
_JOBS = text(
    "SELECT task_name, count(*) FROM procrastinate_jobs WHERE status = 'todo' GROUP BY task_name"
)
_OLDEST_JOB = text(
    "SELECT extract(epoch FROM now() - min(at))::float8 FROM procrastinate_events "
    "WHERE type = 'deferred' AND job_id = ("
    "SELECT min(id) FROM procrastinate_jobs WHERE status = 'todo' "
    "AND (scheduled_at IS NULL OR scheduled_at <= now()))"
)
_ATTEMPTS = text(
    "SELECT status, count(*) "
    "FROM (SELECT status FROM attempts ORDER BY id DESC LIMIT 1000) AS last GROUP BY status"
)
_HELD = text("SELECT count(*) FROM tasks WHERE status = 'ready' AND held_since IS NOT NULL")
_BREAKERS = text("SELECT host, extract(epoch FROM now() - opened_at)::float8 FROM breakers")
_OUTBOX = text("SELECT count(*) FROM outbox WHERE wanted > sent")
_UNSEALED = text("SELECT count(*) FROM audit WHERE seq IS NULL")
_HANDOFFS = text("SELECT count(*) FROM handoffs WHERE settled_at IS NULL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How the engine stands.

    Attributes:
        open_goals: status → goals that have not ended.
        waiting_jobs: job → how many wait.
        oldest_job_s: how long the oldest job that may run has waited.
        last_attempts: outcome → how many of the last 1,000 attempts.
        held_steps: steps that wait for a provider to answer again.
        open_breakers: host → seconds since its breaker opened.
        cards_due: cards that are not drawn yet.
        unsealed_audit_rows: rows that are not part of the chain yet.
        open_handoffs: defects that nobody has settled.
    """

    open_goals: Mapping[str, int]
    waiting_jobs: Mapping[str, int]
    oldest_job_s: float
    last_attempts: Mapping[str, int]
    held_steps: int
    open_breakers: Mapping[str, int]
    cards_due: int
    unsealed_audit_rows: int
    open_handoffs: int


async def read_figures(database: Database) -> Figures:
    """Return the present figures."""
    async with database.reading() as tx:
        return Figures(
            open_goals=await _table(tx, _GOALS),
            waiting_jobs=await _table(tx, _JOBS),
            oldest_job_s=float(await tx.session.scalar(_OLDEST_JOB) or 0),
            last_attempts=await _table(tx, _ATTEMPTS),
            held_steps=await _number(tx, _HELD),
            open_breakers=await _table(tx, _BREAKERS),
            cards_due=await _number(tx, _OUTBOX),
            unsealed_audit_rows=await _number(tx, _UNSEALED),
            open_handoffs=await _number(tx, _HANDOFFS),
        )


async def _table(tx: Transaction, statement: TextClause) -> dict[str, int]:
    rows = await tx.session.execute(statement)
    return {str(row[0]): int(row[1]) for row in rows}


async def _number(tx: Transaction, statement: TextClause) -> int:
    return int(await tx.session.scalar(statement) or 0)
