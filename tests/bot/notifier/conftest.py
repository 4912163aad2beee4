from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.database import Database
from tests.bot.slack_bot import SlackBot, slack_bot


@pytest.fixture
async def bot(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[SlackBot]:
    """Return the bot's Slack side with its local workspace."""
    async with slack_bot(database, database_url, tmp_path) as started:
        yield started
