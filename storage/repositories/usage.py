"""SQL of the usage rows: one for every request to a model."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage.repositories.direct import Direct
from storage.tables.records import Usage


@dataclass(frozen=True, slots=True)
class UsageTotals:
    """What a goal has used of models so far; budgets compare with it (S38)."""

    requests: int
    tokens: int


_ADD = (
    "INSERT INTO usage (team_id, goal_id, purpose, model, prompt_hash, prompt_characters, "
    "prompt_tokens, completion_tokens, duration_ms, outcome) "
    "VALUES (%(team_id)s, %(goal_id)s, %(purpose)s, %(model)s, %(prompt_hash)s, "
    "%(prompt_characters)s, %(prompt_tokens)s, %(completion_tokens)s, %(duration_ms)s, "
    "%(outcome)s) RETURNING id"
)
_TOTALS = select(
    func.count(), func.coalesce(func.sum(Usage.prompt_tokens + Usage.completion_tokens), 0)
)


class UsageRepository:
    """Usage rows of one transaction."""

    def __init__(self, session: AsyncSession, direct: Direct) -> None:
        self._session = session
        self._direct = direct

    async def add(
        self,
        *,
        team_id: str,
        goal_id: int | None,
        purpose: str,
        model: str,
        prompt_hash: str,
        prompt_characters: int,
        prompt_tokens: int,
        completion_tokens: int,
        duration_ms: int,
        outcome: str,
    ) -> None:
        """Add the row of one request, answered or not."""
        await self._direct.row(
            _ADD,
            {
                "team_id": team_id,
                "goal_id": goal_id,
                "purpose": purpose,
                "model": model,
                "prompt_hash": prompt_hash,
                "prompt_characters": prompt_characters,
                "prompt_tokens": prompt_tokens,
                "completion_tokens": completion_tokens,
                "duration_ms": duration_ms,
                "outcome": outcome,
            },
        )

    async def totals(self, *, team_id: str, goal_id: int) -> UsageTotals:
        """Return what a goal has used; zeros for a goal that asked no model."""
        wanted = _TOTALS.where(Usage.team_id == team_id, Usage.goal_id == goal_id)
        requests, tokens = (await self._session.execute(wanted)).one()
        return UsageTotals(requests=requests, tokens=int(tokens))
