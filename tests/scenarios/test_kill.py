"""Kill -9 at every boundary of the scene's steps: the scene ends as if nothing had happened."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from bot.cli.scene import DANA, MO, Scene
from bot.notifier.slack import EVENT_TYPE
from bot.workspace.client import WorkspaceClient
from bot.workspace.shapes import JsonObject
from tests.scenarios.world import World

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(180)]

PATIENCE_S = 40.0


class KillingClient(WorkspaceClient):
    """Kills the bot before it waits for something (right after a click or a message), or after."""

    def __init__(self, world: World, *, before: bool, after: bool) -> None:
        super().__init__(world.stage.workspace_url)
        self._world = world
        self._before = before
        self._after = after
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
        if self._before:
            self._kill()
        seen = await super().wait_for(
            person, wanted, what=what, channel=channel, patience_s=max(patience_s, PATIENCE_S)
        )
        if self._after:
            self._kill()
        return seen

    def _kill(self) -> None:
        self._world.bot.kill()
        self._world.bot.start()
        self.kills += 1


async def test_bot_killed_after_every_deed_does_everything_once(world: World) -> None:
    """Whatever was under way when somebody had just clicked or written is done, once."""
    async with KillingClient(world, before=True, after=False) as workspace:
        await play_and_check(world, workspace)
        assert workspace.kills == 10


async def play_and_check(world: World, workspace: WorkspaceClient) -> None:
    scene = Scene(stage=world.stage, workspace=workspace, say=print)
    await scene.play()
    assert await scene.check() == []
    await check_cards(world, workspace)


async def check_cards(world: World, workspace: WorkspaceClient) -> None:
    """One approval, one message for each card, a log that verifies."""
    assert count(world, "SELECT count(*) FROM approvals") == 1
    assert count(world, "SELECT count(*) FROM approval_items WHERE status = 'used'") == 1
    posted: Counter[str] = Counter()
    for person in (DANA, MO):
        for message in await workspace.messages(person):
            posted.update(card_ids(message))
    assert posted
    assert [card for card, times in posted.items() if times > 1] == []
    verified = world.bot.run("audit", "verify")
    assert verified.returncode == 0, verified.stdout


def card_ids(message: JsonObject) -> list[str]:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return []
    return [str(metadata["event_payload"]["outbox_id"])]


def count(world: World, query: str) -> Any:
    with psycopg.connect(world.database_url) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]
