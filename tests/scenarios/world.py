"""One world of a scenario: a stage, a database and the bot's process."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psycopg

from bot.cli.stage import Stage
from tests.scenarios.bot_process import BotProcess
from tests.scenarios.nursery import Nursery

QUICK: Mapping[str, str] = {
    "COUNTERSIGN_CALL_TIMEOUT_S": "2",
    "COUNTERSIGN_LEASE_S": "2.5",
    "COUNTERSIGN_RETRY_BASE_S": "0.2",
    "COUNTERSIGN_HEARTBEAT_S": "1",
    "COUNTERSIGN_SWEEP_S": "0.2",
    "COUNTERSIGN_STALE_S": "2",
    "COUNTERSIGN_EVENT_LEASE_S": "3",
    "COUNTERSIGN_CARD_LEASE_S": "3",
    "COUNTERSIGN_SEAL_S": "0.2",
}
"""Timings by which a dead process's work is taken over within seconds."""


@dataclass(frozen=True, slots=True)
class World:
    stage: Stage
    bot: BotProcess
    database_url: str

    def hubspot(self, kind: str) -> list[dict[str, Any]]:
        """Return HubSpot's records of a kind."""
        return list(_read(f"{self.stage.hubspot_url}/_control/state")[kind])

    def deals(self, name: str) -> list[dict[str, Any]]:
        """Return the deals of a name that were not archived."""
        return [
            deal
            for deal in self.hubspot("deals")
            if deal["properties"].get("dealname") == name and deal["archived_at"] is None
        ]

    def events(self, title: str) -> list[dict[str, Any]]:
        """Return the calendar's events of a title that were not cancelled."""
        events = _read(f"{self.stage.google_url}/_control/state")["events"]
        return [
            event
            for event in events
            if event["body"].get("summary") == title and event["body"].get("status") != "cancelled"
        ]

    def mails(self) -> list[dict[str, Any]]:
        """Return the invitations that Google mailed."""
        return list(_read(f"{self.stage.google_url}/_control/mails")["mails"])

    def google_tokens(self) -> dict[str, int]:
        """Return how many grants and tokens could be used at Google now."""
        return dict(_read(f"{self.stage.google_url}/_control/state")["tokens"])

    def fault(self, provider_url: str, **fault: Any) -> None:
        """Make coming requests to a stand-in fail."""
        answer = httpx2.post(f"{provider_url}/_control/faults", json=fault, trust_env=False)
        answer.raise_for_status()

    def forget_jobs(self) -> None:
        """Lose every row of the queue."""
        with psycopg.connect(self.database_url) as connection:
            connection.execute("DELETE FROM procrastinate_events")
            connection.execute("DELETE FROM procrastinate_jobs")

    def reset(self) -> None:
        """Let the workspace and the stand-ins begin again with what they started with."""
        for url in (self.stage.workspace_url, self.stage.hubspot_url, self.stage.google_url):
            httpx2.post(f"{url}/_control/reset", json={}, trust_env=False).raise_for_status()


@contextmanager
def run_world(
    stage: Stage,
    database_url: str,
    folder: Path,
    *,
    nursery: Nursery,
    extra: Mapping[str, str],
) -> Iterator[World]:
    """Run the bot against a stage that begins again, with exactly the stage's variables."""
    environment = {**stage.environment, "DATABASE_URL": database_url, **QUICK, **extra}
    world = World(stage, BotProcess(environment, folder=folder, nursery=nursery), database_url)
    world.reset()
    world.bot.start()
    try:
        yield world
    finally:
        world.bot.stop()


def _read(url: str) -> dict[str, Any]:
    content: dict[str, Any] = httpx2.get(url, trust_env=False).json()
    return content
