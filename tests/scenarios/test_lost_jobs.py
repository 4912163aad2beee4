"""Losing every row of the queue loses nothing: the tables say what is to be done."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot.cli.scene import DANA, MO
from bot.views import ids
from bot.workspace.client import has_button, shows, text_of
from bot.workspace.shapes import JsonObject
from tests.scenarios.play import DONE, NOT_DONE, Play
from tests.scenarios.world import World

pytestmark = pytest.mark.scenario


@contextmanager
def without_worker(world: World) -> Iterator[None]:
    """Let only the web process run; what it queues meanwhile is lost."""
    world.bot.kill()
    world.bot.start(role="web")
    yield
    world.bot.kill()
    world.forget_jobs()
    world.bot.start()


async def asked(play: Play, title: str) -> tuple[str, JsonObject]:
    thread, card = await play.plan(
        f"Book a 30 minute {title} with jane.doe@acme.example next Tuesday at 10"
    )
    await play.workspace.click(DANA, card, ids.GOAL_RUN)
    card = await play.asked(title.capitalize())
    await play.see(thread, shows("Waiting"))
    return thread, card


async def test_message_and_its_plan_are_taken_up(connected: World, play: Play) -> None:
    """A message that was stored but not handled is answered after the next start."""
    with without_worker(connected):
        thread = await play.ask("Create a deal for Acme worth $30 called Stork")
        await play.delivered("Stork")

    await play.see(thread, has_button(ids.GOAL_RUN))


async def test_run_is_taken_up(connected: World, play: Play) -> None:
    """A plan whose Run was clicked runs, once."""
    thread, card = await play.plan("Create a deal for Acme worth $40 called Swan")
    with without_worker(connected):
        await play.workspace.click(DANA, card, ids.GOAL_RUN)

    await play.see(thread, DONE)
    assert len(connected.deals("Swan")) == 1


@pytest.mark.parametrize("is_approved", [True, False], ids=["approved", "rejected"])
async def test_decision_is_taken_up(connected: World, play: Play, *, is_approved: bool) -> None:
    """A goal that waited for nothing but the decision goes on after it."""
    title = "walkthrough" if is_approved else "handover"
    thread, card = await asked(play, title)
    with without_worker(connected):
        if is_approved:
            await play.workspace.click(MO, card, ids.APPROVAL_APPROVE)
        else:
            await play.workspace.click(MO, card, ids.APPROVAL_REJECT)
            await play.modal(MO)
            await play.submit(MO, {ids.REASON: {ids.REASON: "Not now"}})

    summary = await play.see(thread, DONE if is_approved else NOT_DONE)
    assert is_approved or "Not now" in text_of(summary)
    assert len(connected.events(title.capitalize())) == int(is_approved)
