"""Kill -9 as soon as each card was seen: it is remembered as shown, and what follows comes."""

import pytest

from tests.scenarios.killing import KillingClient, play_and_check
from tests.scenarios.world import World

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(240)]


async def test_bot_killed_as_each_card_appears_shows_each_once(world: World) -> None:
    """A card that was posted but not yet noted as posted is found, not posted again."""
    async with KillingClient(world, delays_s=None) as workspace:
        await play_and_check(world, workspace)
        assert workspace.kills == 13
