"""Kill -9 right after each message and click: what was under way is done, once."""

import pytest

from tests.scenarios.killing import KillingClient, play_and_check
from tests.scenarios.world import World

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(240)]


async def test_bot_killed_right_after_each_deed_does_everything_once(world: World) -> None:
    """Whether an event, a decision or a call was stored or not yet, it happens exactly once."""
    async with KillingClient(world, delays_s=(0.0, 0.05)) as workspace:
        await play_and_check(world, workspace)
        assert workspace.kills == 13
