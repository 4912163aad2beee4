"""What becomes of a request that nobody decides in time."""

import asyncio

import pytest

from bot.cli.scene import DANA, MO
from bot.views import ids
from bot.workspace.client import shows, text_of
from tests.scenarios.play import NOT_DONE, Play, lacks
from tests.scenarios.world import World

pytestmark = pytest.mark.scenario

DEADLINE_S = 3.0
_POLICY = f"""
version: 1
deadline_hours: {DEADLINE_S / 3600}
rules:
  - name: seen-by-others
    when: {{effect: irreversible_or_seen_by_others}}
    ask: {{role: approver}}
"""


@pytest.fixture(scope="module")
def extra_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    policy = tmp_path_factory.mktemp("policy") / "policy.yaml"
    policy.write_text(_POLICY, encoding="utf-8")
    return {"COUNTERSIGN_POLICY": str(policy)}


async def ask(play: Play, title: str) -> str:
    thread, card = await play.plan(
        f"Book a 30 minute {title} with jane.doe@acme.example next Tuesday at 10"
    )
    await play.workspace.click(DANA, card, ids.GOAL_RUN)
    return thread


async def test_click_after_the_deadline_approves_nothing(connected: World, play: Play) -> None:
    """The late click is answered; the request has expired, which is told apart from a no."""
    thread = await ask(play, "retro")
    card = await play.asked("Retro")
    await play.see(thread, shows("Waiting"))

    await asyncio.sleep(DEADLINE_S)

    # The tick comes once a minute, so the card usually looks open still.
    await play.workspace.click(MO, card, ids.APPROVAL_APPROVE)

    await play.told(MO, "expired")
    await play.see(thread, NOT_DONE, shows("Nobody decided in time"))
    assert connected.events("Retro") == []


async def test_request_expired_while_nothing_ran_is_settled_at_the_next_start(
    connected: World, play: Play
) -> None:
    """A deadline that passed while the bot was away is taken up by its first tick."""
    thread = await ask(play, "offsite")
    card = await play.asked("Offsite")
    connected.bot.kill()
    await asyncio.sleep(DEADLINE_S)
    connected.bot.start()

    await play.see(thread, NOT_DONE, shows("Nobody decided in time"))

    expired = await play.workspace.wait_for(
        MO, lambda item: item["ts"] == card["ts"] and lacks(ids.APPROVAL_APPROVE)(item), what="it"
    )
    assert "Expired" in text_of(expired)
    assert connected.events("Offsite") == []
