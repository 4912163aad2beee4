"""Kill -9 in the midst of slow calls whose replies are lost besides."""

import pytest

from tests.scenarios.killing import FaultyClient, play_and_check
from tests.scenarios.world import World

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(240)]


async def test_bot_killed_while_providers_lose_replies_does_everything_once(world: World) -> None:
    """A call that a dead process had sent is looked up or repeated by its key, never doubled."""
    async with FaultyClient(world, delays_s=(0.3, 0.1, 0.6)) as workspace:
        await play_and_check(world, workspace)
        assert workspace.kills == 13
