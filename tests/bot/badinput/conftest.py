"""The whole bot, for tests of what nobody should send it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.database import Database
from tests.bot.badinput.whole_bot import WholeBot, whole_bot


@pytest.fixture
async def bot(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[WholeBot]:
    """Everything, running, and nothing asked yet."""
    async with whole_bot(database, database_url, tmp_path) as started:
        yield started
