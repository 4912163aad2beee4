"""What Mo's and other people's clicks do to a request, and what they cannot do."""

import asyncio

import pytest

from bot.cli.scene import DANA, MO
from bot.views import ids
from bot.workspace.client import find_button, shows, text_of
from bot.workspace.shapes import JsonObject
from tests.scenarios.play import DONE, NOT_DONE, Play, lacks
from tests.scenarios.world import World

pytestmark = pytest.mark.scenario

GUEST = "jane.doe@acme.example"


async def request(play: Play, title: str) -> tuple[str, JsonObject]:
    """Dana asks for a meeting with a guest and runs it; return its thread and Mo's card."""
    thread, card = await play.plan(f"Book a 30 minute {title} with {GUEST} next Tuesday at 10")
    await play.workspace.click(DANA, card, ids.GOAL_RUN)
    return thread, await play.asked(title.capitalize())


async def test_request_rejected_with_a_reason_does_nothing(connected: World, play: Play) -> None:
    """Mo's reason reaches Dana; nothing was made and nobody mailed."""
    thread, card = await request(play, "review")

    await play.workspace.click(MO, card, ids.APPROVAL_REJECT)
    await play.modal(MO)
    answer = await play.submit(MO, {ids.REASON: {ids.REASON: "Too early for them"}})

    assert answer["status"] == 200
    summary = await play.see(thread, NOT_DONE)
    assert "Too early for them" in text_of(summary)
    assert connected.events("Review") == []
    assert not any(mail["subject"].endswith("Review") for mail in connected.mails())


async def test_click_of_the_requester_on_the_approval_changes_nothing(
    connected: World, play: Play
) -> None:
    """Dana cannot approve her own invitation, nor can somebody who was not asked."""
    thread, card = await request(play, "onboarding")
    button = find_button(card, ids.APPROVAL_APPROVE)
    assert button is not None
    channel = (await play.workspace.look(f"messages/dm:{MO}", **{"as": MO}))["channel"]

    for person in (DANA, "U0GUS"):
        answer = await play.workspace.do(
            "interact",
            {
                "as": person,
                "channel": channel,
                "ts": card["ts"],
                "action_id": button["action_id"],
                "value": button["value"],
            },
        )
        assert answer["status"] == 200

    await play.asked("Onboarding")
    assert connected.events("Onboarding") == []
    await play.workspace.click(DANA, await play.see(thread), ids.GOAL_CANCEL)


async def test_approval_clicked_twice_at_once_runs_the_call_once(
    connected: World, play: Play
) -> None:
    """Two clicks make one event and one mail; the second is told that it was decided."""
    thread, card = await request(play, "workshop")

    await asyncio.gather(
        play.workspace.click(MO, card, ids.APPROVAL_APPROVE),
        play.workspace.click(MO, card, ids.APPROVAL_APPROVE),
    )

    await play.told(MO, "already; nothing changed")
    await play.see(thread, DONE)
    assert len(connected.events("Workshop")) == 1


async def test_request_edited_by_the_approver_is_asked_anew(connected: World, play: Play) -> None:
    """Mo's edit makes a new call: the old card is superseded and only the new one can run."""
    thread, card = await request(play, "demo")
    await play.workspace.click(MO, card, ids.APPROVAL_EDIT)
    modal = await play.modal(MO)
    field = next(
        block["block_id"]
        for block in modal["blocks"]
        if block.get("block_id", "").endswith(":title")
    )

    await play.submit(MO, {field: {ids.INPUT: "Product tour"}})

    newer = await play.asked("Product tour")
    assert newer["ts"] != card["ts"]
    older = await play.workspace.wait_for(
        MO, lambda item: item["ts"] == card["ts"] and lacks(ids.APPROVAL_APPROVE)(item), what="it"
    )
    assert "Replaced by a newer question" in text_of(older)
    await play.workspace.click(MO, newer, ids.APPROVAL_APPROVE)
    await play.see(thread, DONE)
    assert len(connected.events("Product tour")) == 1
    assert connected.events("Demo") == []


async def test_goal_cancelled_while_it_waits_withdraws_the_request(
    connected: World, play: Play
) -> None:
    """Cancel takes Mo's question back; a click on it afterwards does nothing."""
    thread, card = await request(play, "debrief")

    await play.workspace.click(DANA, await play.see(thread, shows("Waiting")), ids.GOAL_CANCEL)

    await play.workspace.wait_for(
        MO, lambda item: item["ts"] == card["ts"] and lacks(ids.APPROVAL_APPROVE)(item), what="it"
    )
    await play.workspace.do(
        "interact",
        {
            "as": MO,
            "dm": True,
            "ts": card["ts"],
            "action_id": ids.APPROVAL_APPROVE,
            "value": (find_button(card, ids.APPROVAL_APPROVE) or {})["value"],
        },
    )
    await play.told(MO, "withdrawn")
    assert connected.events("Debrief") == []
