from dataclasses import asdict

from bot.llm.messages import UsageRecord
from storage.database import Database
from storage.repositories.usage import ModelUsage

ROW = UsageRecord("T1", 7, "plan", "large", "abc", 900, 120, 30, 412, "ok")


async def test_requests_and_tokens_of_a_goal_are_summed(database: Database) -> None:
    """Every request counts, answered or not, and only for its own team and goal."""  # S38
    async with database.transaction() as tx:
        await tx.usage.add(**asdict(ROW))
        await tx.usage.add(**{**asdict(ROW), "outcome": "http_429", "completion_tokens": 0})
        await tx.usage.add(**{**asdict(ROW), "goal_id": 8})
        await tx.usage.add(**{**asdict(ROW), "team_id": "T2"})
        await tx.usage.add(**{**asdict(ROW), "goal_id": None})
    async with database.transaction() as tx:
        assert list(await tx.usage.by_model(team_id="T1", goal_id=7)) == [
            ModelUsage("large", 2, 240, 30)
        ]
        assert list(await tx.usage.by_model(team_id="T1", goal_id=9)) == []
