"""What Dana does with a plan before it runs, and what she writes that is no goal."""

import pytest

from bot.cli.scene import DANA, MO
from bot.views import ids
from bot.workspace.client import find_button, has_button, shows, text_of
from tests.scenarios.play import DONE, Fits, Play, lacks
from tests.scenarios.world import World

pytestmark = pytest.mark.scenario


def has_version(version: int) -> Fits:
    """Return a test for cards whose Run starts this version of the plan."""
    return lambda message: str((find_button(message, ids.GOAL_RUN) or {}).get("value")).endswith(
        f":{version}"
    )


async def test_plan_edited_shows_the_new_version_and_runs_it(connected: World, play: Play) -> None:
    """A changed value and a dropped step stand on the card before anything runs."""
    thread, card = await play.plan(
        "Create a deal for Acme worth $700 called Falcon and book a 30 minute falcon call with "
        "jane.doe@acme.example next Tuesday at 10"
    )
    await play.workspace.click(DANA, card, ids.GOAL_EDIT)
    modal = await play.modal(DANA)
    blocks = [block.get("block_id", "") for block in modal["blocks"]]
    amount = next(block for block in blocks if block.endswith(":amount"))
    drop = [block for block in blocks if block.startswith("drop:")][-1]

    answer = await play.submit(DANA, {amount: {ids.INPUT: "900"}, drop: {ids.INPUT: ["drop"]}})

    assert answer["status"] == 200
    edited = await play.see(thread, has_version(2))
    assert "700.00 → 900.00" in text_of(edited)
    assert "create an event" in text_of(edited).lower()
    await play.workspace.click(DANA, edited, ids.GOAL_RUN)
    await play.see(thread, DONE)
    assert [deal["properties"]["amount"] for deal in connected.deals("Falcon")] == ["900.00"]
    assert connected.events("Falcon call") == []


async def test_run_clicked_on_an_outdated_card_runs_nothing(connected: World, play: Play) -> None:
    """A click on version 1 after an edit is answered, and neither version runs."""
    thread, card = await play.plan("Create a deal for Acme worth $800 called Heron")
    await play.workspace.click(DANA, card, ids.GOAL_EDIT)
    modal = await play.modal(DANA)
    amount = next(
        block["block_id"]
        for block in modal["blocks"]
        if block.get("block_id", "").endswith(":amount")
    )
    await play.submit(DANA, {amount: {ids.INPUT: "801"}})
    await play.see(thread, has_version(2))

    await play.workspace.click(DANA, card, ids.GOAL_RUN)

    await play.told(DANA, "This plan has changed")
    assert connected.deals("Heron") == []


async def test_value_that_does_not_fit_is_refused_in_the_modal(
    connected: World, play: Play
) -> None:
    """A negative worth is an error at its input; the plan stays as it is."""
    _, card = await play.plan("Create a deal for Acme worth $850 called Ibis")
    await play.workspace.click(DANA, card, ids.GOAL_EDIT)
    modal = await play.modal(DANA)
    amount = next(
        block["block_id"]
        for block in modal["blocks"]
        if block.get("block_id", "").endswith(":amount")
    )

    answer = await play.submit(DANA, {amount: {ids.INPUT: "-5"}})

    assert answer["response_action"] == "errors"
    assert list(answer["errors"]) == [amount]
    await play.workspace.do("close-view", {"as": DANA, "clear": True})


async def test_plan_cancelled_does_nothing(connected: World, play: Play) -> None:
    """Cancel on the plan's card ends the goal before anything ran."""
    thread, card = await play.plan("Create a deal for Acme worth $900 called Kestrel")

    await play.workspace.click(DANA, card, ids.GOAL_CANCEL)

    cancelled = await play.see(thread, shows("Cancelled"), lacks(ids.GOAL_RUN))
    assert cancelled["ts"] == card["ts"]
    assert connected.deals("Kestrel") == []


async def test_plan_run_by_somebody_else_changes_nothing(connected: World, play: Play) -> None:
    """Mo cannot run what Dana asked for in a channel; he is told so, alone."""
    thread = await play.workspace.say(
        DANA, "<@U0BOT> Create a deal for Acme worth $950 called Lark", channel="C0SALES"
    )
    card = await play.workspace.wait_for(
        DANA,
        lambda item: (
            item.get("thread_ts") == thread and find_button(item, ids.GOAL_RUN) is not None
        ),
        what="a plan in #sales",
        channel="C0SALES",
    )

    await play.workspace.click(MO, card, ids.GOAL_RUN, channel="C0SALES")

    await play.workspace.wait_for(
        MO,
        lambda item: (
            item.get("ephemeral_to") == MO and "Only the person who asked" in text_of(item)
        ),
        what="why not",
        channel="C0SALES",
    )
    assert connected.deals("Lark") == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Craete a daal for Acme wroth $48,000", id="typo"),
        pytest.param("Send a rocket to the moon tomorrow", id="impossible"),
    ],
)
async def test_request_not_understood_ends_in_a_sentence(
    connected: World, play: Play, text: str
) -> None:
    """It says what it cannot do; nothing is asked of anybody and nothing happens."""
    deals = len(connected.hubspot("deals"))
    thread = await play.ask(text)

    ended = await play.see(thread, shows("Not done"))

    assert find_button(ended, ids.GOAL_RUN) is None
    assert len(text_of(ended)) > 60
    assert len(connected.hubspot("deals")) == deals


async def test_company_that_is_not_there_is_asked_about(connected: World, play: Play) -> None:
    """Nothing happens until its requester has said which one is meant; the words are enough."""
    deals = len(connected.hubspot("deals"))
    thread = await play.ask("Create a deal for Acmee worth $48,000")
    await play.see(thread, has_button(ids.QUESTION_LEAVE_OUT))
    assert len(connected.hubspot("deals")) == deals

    await play.workspace.say(DANA, "Acme", thread_ts=thread)

    card = await play.see(thread, has_button(ids.GOAL_RUN))
    await play.workspace.click(DANA, card, ids.GOAL_RUN)
    await play.see(thread, DONE)
    assert len(connected.hubspot("deals")) == deals + 1
