"""The whole scene, with the bot as its own process and nothing but its environment."""

import pytest

from bot.cli.scene import Scene
from bot.workspace.client import WorkspaceClient
from tests.scenarios.world import World

pytestmark = pytest.mark.scenario


async def test_scene_played_leaves_exactly_what_was_approved(
    world: World, workspace: WorkspaceClient
) -> None:
    """The main job ends with one deal, two events and one mail, and a log that verifies."""
    scene = Scene(stage=world.stage, workspace=workspace, say=lambda _: None)

    await scene.play()

    assert await scene.check() == []
    verified = world.bot.run("audit", "verify")
    assert verified.returncode == 0, verified.stdout
    assert "ok" in verified.stdout


async def test_bot_told_to_stop_ends_by_itself(world: World) -> None:
    """SIGTERM lets what runs finish; the next start goes on with the same world."""
    assert world.bot.stop() == 0
    world.bot.start()
