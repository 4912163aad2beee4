"""Removing what is over, in small batches; `storage.retention` says what that is."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from storage.retention import Rule

BATCH = 500
"""Rows of one statement, each a transaction of its own: a few milliseconds of locks."""


class TidyRepository:
    """Removes what is over. Any number of machines may: what one holds the others skip."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def count(self, rule: Rule, *, keep_s: float) -> int:
        """Return how many rows a rule would end now."""
        return await self._run(_counting(rule), keep_s=keep_s)

    async def remove(self, rule: Rule, *, keep_s: float, limit: int = BATCH) -> int:
        """End at most `limit` rows of a rule, archived where it says so; return how many."""
        return await self._run(_removing(rule, limit), keep_s=keep_s)

    async def _run(self, statement: str, *, keep_s: float) -> int:
        bound = statement.replace(":keep", "make_interval(secs => :keep_s)")
        found = await self._session.scalar(text(bound), {"keep_s": float(keep_s)})
        return int(found or 0)


# The statements are made of the constants above alone; only the interval is a parameter.
def _counting(rule: Rule) -> str:
    return f"SELECT count(*) FROM {rule.table} r WHERE {rule.is_over}"  # noqa: S608 -- constants


def _removing(rule: Rule, limit: int) -> str:
    columns = ", ".join(f"r.{name}" for name in rule.key)
    same = " AND ".join(f"t.{name} = over.{name}" for name in rule.key)
    archived = (
        f", kept AS (INSERT INTO archived_events (source, id, row, archived_at) "  # noqa: S608 -- constants
        f"SELECT '{rule.table}', gone.id, to_jsonb(gone), now() FROM gone ON CONFLICT DO NOTHING)"
        if rule.is_archived
        else ""
    )
    return (
        f"WITH over AS MATERIALIZED (SELECT {columns} FROM {rule.table} r "  # noqa: S608 -- constants
        f"WHERE {rule.is_over} LIMIT {int(limit)} FOR UPDATE OF r SKIP LOCKED), "
        f"gone AS (DELETE FROM {rule.table} t USING over WHERE {same} RETURNING t.*)"
        f"{archived} SELECT count(*) FROM gone"
    )
