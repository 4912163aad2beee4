"""Modals: opened for whoever may, checked, and answered in place."""

from typing import Any

import pytest

from bot.engine.cards import FormField
from bot.goals.clicks import Answer, Click
from bot.views import ids
from bot.views.approvals import build_approval_blocks
from bot.views.goals import build_goal_blocks
from bot.views.questions import build_question_blocks
from storage.tables.approvals import Verdict
from tests.bot.listeners.test_clicks import click, post, told
from tests.bot.slack_bot import TEAM, SlackBot
from tests.bot.views import cards

TITLE = FormField("title", "Title", "text", "Acme kickoff", required=True)
TITLE_BLOCK = ids.field_block("t3", "title")


async def submit(bot: SlackBot, values: dict[str, Any] | None = None) -> dict[str, Any]:
    """Submit Dana's open modal."""
    return await bot.workspace.do("submit-view", **{"as": "U0DANA", "values": values or {}})


async def open_modals(bot: SlackBot) -> list[dict[str, Any]]:
    views = await bot.workspace.read("views", **{"as": "U0DANA"})
    stack: list[dict[str, Any]] = views["modals"]
    return stack


async def open_plan(bot: SlackBot) -> Click:
    bot.services.form_answer = cards.plan_form(TITLE)
    at = await post(bot, build_goal_blocks(cards.goal_card()))
    await click(bot, ids.GOAL_EDIT, at)
    return Click(TEAM, "U0DANA", at["channel"], at["ts"])


async def open_call(bot: SlackBot, action_id: str) -> Click:
    bot.services.form_answer = cards.plan_form(TITLE, can_drop=False, item_id=5)
    at = await post(bot, build_approval_blocks(cards.approval_card()))
    await click(bot, action_id, at)
    return Click(TEAM, "U0DANA", at["channel"], at["ts"])


async def test_another_value_for_a_question_is_saved_as_an_edit_of_the_plan(bot: SlackBot) -> None:
    """The form of a question is a plan's form, with the one step that asks."""
    bot.services.form_answer = cards.plan_form(TITLE, can_drop=False)
    at = await post(bot, build_question_blocks(cards.question_card()))
    await click(bot, ids.QUESTION_WRITE, at)
    await submit(bot, {TITLE_BLOCK: {ids.INPUT: "Acme start"}})
    who = Click(TEAM, "U0DANA", at["channel"], at["ts"])
    assert bot.services.calls == [
        ("answer_form", who, 31, 2),
        ("plan_edit", who, 17, 2, frozenset(), {"t3": {"title": "Acme start"}}),
    ]


async def test_edited_plan_reaches_the_service(bot: SlackBot) -> None:
    """What was changed and dropped arrives with the version that was shown."""
    who = await open_plan(bot)
    done = await submit(
        bot,
        {TITLE_BLOCK: {ids.INPUT: "Acme start"}, ids.drop_block("t3"): {ids.INPUT: ["drop"]}},
    )
    values = {"t3": {"title": "Acme start"}}
    assert bot.services.calls == [
        ("plan_form", who, 17, 1),
        ("plan_edit", who, 17, 2, frozenset({"t3"}), values),
    ]
    assert done["status"] == 200
    assert await open_modals(bot) == []


async def test_wrong_input_is_marked_in_the_modal(bot: SlackBot) -> None:
    """An error stands at its input and the modal stays open."""
    await open_plan(bot)
    bot.services.edit_answer = (("t3", "title", "This is needed."),)
    done = await submit(bot)
    assert done["errors"] == {TITLE_BLOCK: "This is needed."}
    assert len(await open_modals(bot)) == 1


async def test_error_without_an_input_is_shown_all_the_same(bot: SlackBot) -> None:
    """An error of a field that the modal does not ask is read, not lost."""
    await open_plan(bot)
    bot.services.edit_answer = (("t9", "", "A step needs another."),)
    await submit(bot)
    (view,) = await open_modals(bot)
    assert view["blocks"][0]["text"]["text"] == "A step needs another."


async def test_stale_plan_is_told_in_the_modal(bot: SlackBot) -> None:
    """A refusal replaces the form."""
    await open_plan(bot)
    bot.services.edit_answer = Answer("This plan has changed.", ok=False)
    await submit(bot)
    (view,) = await open_modals(bot)
    assert view["callback_id"] == ids.MODAL_NOTICE


async def test_edit_of_a_request_reaches_the_desk(bot: SlackBot) -> None:
    """An approver's edit carries the call's values."""
    who = await open_call(bot, ids.APPROVAL_EDIT)
    await submit(bot, {TITLE_BLOCK: {ids.INPUT: "Acme start"}})
    assert bot.services.calls == [
        ("call_form", who, 5),
        ("call_edit", who, 5, {"title": "Acme start"}),
    ]


async def test_rejection_carries_its_reason(bot: SlackBot) -> None:
    """Reject asks why, and the reason reaches the decision."""
    who = await open_call(bot, ids.APPROVAL_REJECT)
    done = await submit(bot, {ids.REASON: {ids.REASON: "Too early"}})
    assert bot.services.calls[-1] == ("decide", who, 5, Verdict.REJECT, "Too early")
    assert done["status"] == 200


async def test_rejection_of_all_calls_carries_its_reason(bot: SlackBot) -> None:
    """One reason for all that is open; whoever may not decide is told before typing it."""  # S13
    at = await post(bot, build_approval_blocks(cards.approval_card(lines=(cards.line(),) * 12)))
    who = Click(TEAM, "U0DANA", at["channel"], at["ts"])
    await click(bot, ids.APPROVAL_REJECT_ALL, at)
    (view,) = await open_modals(bot)
    assert view["blocks"][0]["text"]["text"] == "Add “Acme”, and 11 more"
    await submit(bot, {ids.REASON: {ids.REASON: "Too many"}})
    assert bot.services.calls[-1] == ("decide_all", who, 3, Verdict.REJECT, "Too many")
    bot.services.open_answer = Answer("Only the people who were asked.", ok=False)
    await click(bot, ids.APPROVAL_REJECT_ALL, at)
    assert await told(bot) == ["Only the people who were asked."]


async def test_late_rejection_is_told(bot: SlackBot) -> None:
    """A reason that comes too late is answered in the modal."""  # S12
    await open_call(bot, ids.APPROVAL_REJECT)
    bot.services.answer = Answer("It expired and nothing was run.", ok=False)
    await submit(bot, {ids.REASON: {ids.REASON: "Too early"}})
    (view,) = await open_modals(bot)
    assert view["blocks"][0]["text"]["text"] == "It expired and nothing was run."


@pytest.mark.parametrize(
    "action_id", [ids.APPROVAL_REJECT, ids.APPROVAL_EDIT], ids=["reject", "edit"]
)
async def test_wrong_person_gets_no_modal(bot: SlackBot, action_id: str) -> None:
    """Who may not decide is told at once, before typing anything."""  # S13
    at = await post(bot, build_approval_blocks(cards.approval_card()))
    bot.services.form_answer = Answer("Only the people who were asked.", ok=False)
    await click(bot, action_id, at)
    assert await open_modals(bot) == []
    assert await told(bot) == ["Only the people who were asked."]


async def test_failing_submission_is_told_in_the_modal(bot: SlackBot) -> None:
    """A failure behind a modal is a sentence with a reference in it."""
    await open_call(bot, ids.APPROVAL_REJECT)
    bot.services.failures = [RuntimeError("canary")]
    await submit(bot, {ids.REASON: {ids.REASON: "Too early"}})
    (view,) = await open_modals(bot)
    assert "the reference is" in view["blocks"][0]["text"]["text"]
