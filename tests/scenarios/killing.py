"""Plays the scene while the bot is killed with SIGKILL again and again."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import psycopg

from bot.cli.scene import DANA, MO, Scene
from bot.notifier.slack import EVENT_TYPE
from bot.views import ids
from bot.workspace.client import WorkspaceClient
from bot.workspace.shapes import JsonObject
from tests.scenarios.world import World

PATIENCE_S = 45.0

_SLOW_S = 1.0
"""Within the time-out of a call, and longer than the bot lives after the deed."""


class KillingClient(WorkspaceClient):
    """Kills the bot and starts it anew, at every boundary of the scene's steps.

    Each deed of a person (a message, a click, a consent) is followed by a wait for what it
    brings: `delays_s` after a deed the bot is killed, or as soon as that was seen.
    """

    def __init__(self, world: World, *, delays_s: tuple[float, ...] | None) -> None:
        super().__init__(world.stage.workspace_url)
        self._world = world
        self._delays_s: Iterator[float] | None = cycle(delays_s) if delays_s else None
        self.kills = 0

    async def wait_for(
        self,
        person: str,
        wanted: Callable[[JsonObject], bool],
        *,
        what: str,
        channel: str | None = None,
        patience_s: float = PATIENCE_S,
    ) -> JsonObject:
        if self._delays_s is not None:
            await asyncio.sleep(next(self._delays_s))
            self._kill()
        seen = await super().wait_for(
            person, wanted, what=what, channel=channel, patience_s=max(patience_s, PATIENCE_S)
        )
        if self._delays_s is None:
            self._kill()
        return seen

    def _kill(self) -> None:
        self._world.bot.kill()
        self._world.bot.start()
        self.kills += 1


class FaultyClient(KillingClient):
    """Lets the providers lose replies and take their time, too, when they are written to."""

    async def click(
        self, person: str, message: JsonObject, action_id: str, *, channel: str | None = None
    ) -> JsonObject:
        stage = self._world.stage
        if action_id == ids.GOAL_RUN:
            self._disturb(stage.hubspot_url, "/crm/")
        elif action_id == ids.APPROVAL_APPROVE:
            self._disturb(stage.google_url, "/calendar/")
        return await super().click(person, message, action_id, channel=channel)

    def _disturb(self, url: str, path: str) -> None:
        match = {"method": "POST", "path_prefix": path}
        for kind in ("slow", "reset_after_commit"):
            self._world.fault(url, match=match, kind=kind, delay_s=_SLOW_S)


async def play_and_check(world: World, workspace: WorkspaceClient) -> None:
    """Play the scene; everything in it happened exactly once."""
    scene = Scene(stage=world.stage, workspace=workspace, say=lambda _: None)
    await scene.play()
    assert await scene.check() == []
    assert _count(world, "SELECT count(*) FROM approvals") == 1
    assert _count(world, "SELECT count(*) FROM approval_items WHERE status = 'used'") == 1
    assert await repeated_cards(workspace) == []
    verified = world.bot.run("audit", "verify")
    assert verified.returncode == 0, verified.stdout


async def repeated_cards(workspace: WorkspaceClient) -> list[str]:
    """Return the cards that were posted more than once, by the metadata of our messages."""
    posted: Counter[str] = Counter()
    for person in (DANA, MO):
        for message in await workspace.messages(person):
            metadata = message.get("metadata") or {}
            if metadata.get("event_type") == EVENT_TYPE:
                posted[str(metadata["event_payload"]["outbox_id"])] += 1
    assert posted, "no message carries our metadata"
    return [card for card, times in posted.items() if times > 1]


def _count(world: World, query: str) -> Any:
    with psycopg.connect(world.database_url) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]
