"""SQL of the usage rows: one for every request to a model."""

from collections.abc import Sequence
from dataclasses import dataclass

from storage.repositories.direct import Direct


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """What a goal has used of one model so far; budgets compare with it (S38)."""

    model: str
    requests: int
    prompt_tokens: int
    completion_tokens: int

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


_ADD = (
    "INSERT INTO usage (team_id, goal_id, purpose, model, prompt_hash, prompt_characters, "
    "prompt_tokens, completion_tokens, duration_ms, outcome) "
    "VALUES (%(team_id)s, %(goal_id)s, %(purpose)s, %(model)s, %(prompt_hash)s, "
    "%(prompt_characters)s, %(prompt_tokens)s, %(completion_tokens)s, %(duration_ms)s, "
    "%(outcome)s) RETURNING id"
)
_BY_MODEL = (
    "SELECT model, count(*), sum(prompt_tokens), sum(completion_tokens) FROM usage "
    "WHERE team_id = %(team)s AND goal_id = %(goal)s GROUP BY model ORDER BY model"
)


class UsageRepository:
    """Usage rows of one transaction."""

    def __init__(self, direct: Direct) -> None:
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

    async def by_model(self, *, team_id: str, goal_id: int) -> Sequence[ModelUsage]:
        """Return what a goal has used of each model; nothing for a goal that asked none."""
        rows = await self._direct.rows(_BY_MODEL, {"team": team_id, "goal": goal_id})
        return [
            ModelUsage(model, int(requests), int(prompt), int(completion))
            for model, requests, prompt, completion in rows
        ]
