"""The engine as `bot.parts` wires it, with the counting connector as its only one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import psycopg
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.exc import SQLAlchemyError

from bot.builtins import BUILTINS
from bot.config import Settings
from bot.engine.outcomes import Outcome, Repeat
from bot.engine.recovery import Recovery
from bot.intake.installation import Installation
from bot.parts import Parts
from bot.planning.offline.planner import OfflinePlanner
from bot.providers import wire
from connectors.registry import Registry
from storage.database import Database
from storage.errors import DatabaseAwayError
from storage.instants import DatabaseClock
from storage.tables.goals import Task
from tests.bot.engine.counting import CONNECTOR, MANIFEST
from tests.bot.engine.world import TEAM
from tests.chaos.scale import CALL_TIMEOUT_S, LEASE_S
from tests.connectors.plumbing import settings_at

DOWN = (DatabaseAwayError, SQLAlchemyError, psycopg.Error, OSError)
"""What the database's restart looks like to whoever uses it."""

_AGAIN_S = 0.3

POLICY = """
version: 1
rules:
  - name: guests
    when: {effect: irreversible_or_seen_by_others}
    ask: {people: [U-MO]}
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run happens; all that a process of it must know.

    Attributes:
        key: the encryption key that connections are stored under.
        policy: a file.
        looks: False switches the look-up off (see `scale.Scale`).
    """

    database_url: str
    provider_url: str
    key: str
    policy: str
    looks: bool = True

    def settings(self) -> Settings:
        """Return settings by which a dead process's work is taken over within seconds."""
        given = {
            "slack_bot_token": "xoxb-chaos",
            "slack_signing_secret": "chaos",
            "slack_api_url": f"{self.provider_url}/slack",
            "countersign_url": "http://127.0.0.1:9",
            "countersign_encryption_key": self.key,
            "countersign_policy": self.policy,
            "countersign_lease_s": LEASE_S,
            "countersign_call_timeout_s": CALL_TIMEOUT_S,
            # A process that dies costs its tasks a try, and here one dies every second; the pause
            # doubles with each, so it begins small.
            "countersign_max_tries": 60,
            "countersign_retry_base_s": 0.01,
            "countersign_heartbeat_s": 1,
            # Leases are brief and a test machine is busy: what runs must get its turn in time.
            "countersign_worker_jobs": 4,
            "countersign_sweep_s": 0.5,
            "countersign_stale_s": 3,
            "countersign_card_lease_s": 6,
            "countersign_seal_s": 0.5,
        }
        return Settings.model_validate(given)


class BlindRecovery(Recovery):
    """What must never be: it repeats without looking whether the call took effect."""

    async def look(self, task: Task, database: Database) -> tuple[int, Outcome]:
        attempt, _ = await super().look(task, database)
        return attempt, Repeat("It is repeated blindly.", code="not_found")


@asynccontextmanager
async def open_chaos(place: Place) -> AsyncIterator[Parts]:
    """Yield everything wired together; close what was opened at the end."""
    settings = place.settings()
    database = Database(place.database_url)
    providers = {"counting": settings_at(place.provider_url, MANIFEST)}
    registry = Registry((CONNECTOR, BUILTINS))
    connections = wire(settings, database, registry=registry, providers=providers)
    async with aiohttp.ClientSession() as session:
        parts = Parts(
            settings=settings,
            database=database,
            connections=connections,
            client=AsyncWebClient(
                token="xoxb-chaos",
                base_url=f"{place.provider_url}/slack/",
                session=session,
                retry_handlers=[],
            ),
            installation=Installation(TEAM, "Northwind", "U-BOT", None, "xoxb-chaos"),
            planner=OfflinePlanner(registry),
            clock=DatabaseClock(),
        )
        if not place.looks:
            parts.engine._recovery = BlindRecovery(executor=connections.executor)
        try:
            await _wait_for(parts)
            yield parts
        finally:
            await connections.close()
            await database.close()


async def _wait_for(parts: Parts) -> None:
    """Wait until the database answers, as whoever supervises a process starts it again."""
    while True:
        try:
            await parts.read_clock()
        except DOWN:
            await asyncio.sleep(_AGAIN_S)
        else:
            return
