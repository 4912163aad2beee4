"""Modals and Home: opening, updating, pushing, submitting, closing."""

from typing import Any

import pytest

from tests.bot.workspace.conftest import Bot, Running

DANA = {"as": "U0DANA"}


def plain(text: str) -> dict[str, object]:
    return {"type": "plain_text", "text": text}


def modal(title: str = "Edit", **extra: object) -> dict[str, Any]:
    amount = {"type": "number_input", "action_id": "v", "is_decimal_allowed": False}
    return {
        "type": "modal",
        "callback_id": "edit",
        "title": plain(title),
        "submit": plain("Save"),
        "private_metadata": "task-7",
        "blocks": [
            {"type": "input", "block_id": "amount", "label": plain("Amount"), "element": amount}
        ],
        **extra,
    }


async def _open(workspace: Running, bot: Bot, view: dict[str, Any] | None = None) -> str:
    """Open a modal for Dana through a slash command and return its id."""
    await workspace.do("command", **DANA, command="/countersign")
    trigger = bot.received[-1].form["trigger_id"]
    opened = await workspace.slack.views_open(trigger_id=trigger, view=view or modal())
    bot.received.clear()
    return str(opened["view"]["id"])


async def _stack(workspace: Running) -> list[str]:
    views = await workspace.read("views", **DANA)
    return [view["title"]["text"] for view in views["modals"]]


async def test_submission_carries_state_and_an_empty_answer_closes(
    workspace: Running, bot: Bot
) -> None:
    """What was typed arrives in view.state.values; acknowledging closes the modal."""
    await _open(workspace, bot)
    outcome = await workspace.do("submit-view", **DANA, values={"amount": {"v": "48000"}})
    payload = bot.received[0].payload
    assert payload["type"] == "view_submission"
    assert payload["view"]["state"]["values"] == {
        "amount": {"v": {"type": "number_input", "value": "48000"}}
    }
    assert (payload["view"]["callback_id"], payload["view"]["private_metadata"]) == (
        "edit",
        "task-7",
    )
    assert outcome["delivered"]
    assert await _stack(workspace) == []


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "Please complete this required field."),
        ("many", "Enter a number."),
        ("1.5", "Enter a whole number."),
    ],
)
async def test_input_that_slacks_client_refuses_reaches_no_bot(
    workspace: Running, bot: Bot, value: str | None, problem: str
) -> None:
    """Required and typed inputs are checked before anything is sent."""
    await _open(workspace, bot)
    outcome = await workspace.do("submit-view", **DANA, values={"amount": {"v": value}})
    assert outcome["errors"] == {"amount": problem}
    assert outcome["delivered"] is False
    assert bot.received == []


async def test_errors_keep_the_modal_open(workspace: Running, bot: Bot) -> None:
    """response_action errors is shown at its inputs and closes nothing."""
    await _open(workspace, bot)
    bot.answer_json({"response_action": "errors", "errors": {"amount": "Too much."}})
    outcome = await workspace.do("submit-view", **DANA, values={"amount": {"v": "1"}})
    assert (outcome["response_action"], outcome["errors"]) == ("errors", {"amount": "Too much."})
    assert await _stack(workspace) == ["Edit"]


async def test_errors_for_an_unknown_block_are_the_bots_mistake(
    workspace: Running, bot: Bot
) -> None:
    """Slack accepts errors only for input blocks of the view."""
    await _open(workspace, bot)
    bot.answer_json({"response_action": "errors", "errors": {"gone": "x"}})
    outcome = await workspace.do("submit-view", **DANA, values={"amount": {"v": "1"}})
    assert outcome["error"] == "invalid_errors"


@pytest.mark.parametrize(
    ("action", "stack"),
    [("update", ["Next"]), ("push", ["Edit", "Next"]), ("clear", [])],
)
async def test_response_action_changes_the_stack(
    workspace: Running, bot: Bot, action: str, stack: list[str]
) -> None:
    """Update replaces, push adds, clear closes all."""
    view_id = await _open(workspace, bot)
    bot.answer_json({"response_action": action, "view": modal("Next")})
    await workspace.do("submit-view", **DANA, values={"amount": {"v": "1"}})
    assert await _stack(workspace) == stack
    if action == "push":
        top = (await workspace.read("views", **DANA))["modals"][-1]
        assert (top["root_view_id"], top["previous_view_id"]) == (view_id, view_id)


async def test_bad_view_in_an_answer_is_reported(workspace: Running, bot: Bot) -> None:
    """A view that Slack would refuse leaves the modal open and says why."""
    await _open(workspace, bot)
    bot.answer_json({"response_action": "update", "view": modal("x" * 25)})
    outcome = await workspace.do("submit-view", **DANA, values={"amount": {"v": "1"}})
    assert outcome["error"] == "invalid_arguments"
    assert "/view/title/text" in outcome["messages"][0]
    assert await _stack(workspace) == ["Edit"]


async def test_fourth_modal_on_the_stack_is_refused(workspace: Running, bot: Bot) -> None:
    """Three modals may lie on top of each other."""
    view_id = await _open(workspace, bot)
    for expected in (True, True, False):
        await workspace.do("interact", **DANA, view_id=view_id, action_id="more")
        trigger = bot.received[-1].payload["trigger_id"]
        answer = await workspace.api("views.push", trigger_id=trigger, view=modal("More"))
        assert answer["ok"] is expected
    assert answer["error"] == "push_limit_reached"


async def test_click_in_a_modal_names_the_view(workspace: Running, bot: Bot) -> None:
    """A click in a modal has the view with what is typed, and neither message nor channel."""
    view_id = await _open(workspace, bot)
    state = {"amount": {"v": "7"}}
    await workspace.do("interact", **DANA, view_id=view_id, action_id="x", state=state)
    payload = bot.received[0].payload
    assert payload["container"] == {"type": "view", "view_id": view_id}
    assert payload["view"]["state"]["values"]["amount"]["v"]["value"] == "7"
    assert not {"message", "channel", "response_url"} & set(payload)


async def test_closing_is_delivered_only_when_asked_for(workspace: Running, bot: Bot) -> None:
    """view_closed is sent for views with notify_on_close."""
    await _open(workspace, bot)
    await workspace.do("close-view", **DANA)
    assert bot.received == []
    await _open(workspace, bot, modal(notify_on_close=True))
    await workspace.do("close-view", **DANA)
    assert bot.received[0].payload["type"] == "view_closed"
    assert await _stack(workspace) == []


async def test_update_with_an_old_hash_is_refused(workspace: Running, bot: Bot) -> None:
    """A view's hash guards against overwriting a newer state."""
    view_id = await _open(workspace, bot)
    first = await workspace.api("views.update", view_id=view_id, view=modal("One"))
    await workspace.api("views.update", view_id=view_id, view=modal("Two"))
    late = await workspace.api(
        "views.update", view_id=view_id, view=modal("Three"), hash=first["view"]["hash"]
    )
    assert late["error"] == "hash_conflict"
    assert await _stack(workspace) == ["Two"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"title": plain("x" * 25)}, "/view/title/text"),
        ({"private_metadata": "x" * 3001}, "/view/private_metadata"),
        ({"submit": None}, "/view/submit"),
        ({"blocks": [{"type": "divider"}] * 101}, "/view/blocks"),
        ({"colour": "red"}, "/view/colour"),
    ],
)
async def test_view_over_a_limit_is_refused(
    workspace: Running, bot: Bot, change: dict[str, Any], pointer: str
) -> None:
    """A modal that breaks a limit is `invalid_arguments`, with the place of the problem."""
    await workspace.do("command", **DANA, command="/countersign")
    trigger = bot.received[-1].form["trigger_id"]
    answer = await workspace.api("views.open", trigger_id=trigger, view=modal(**change))
    assert answer["error"] == "invalid_arguments"
    assert any(pointer in message for message in answer["response_metadata"]["messages"])


async def test_published_home_is_shown_and_sent_with_the_next_opening(
    workspace: Running, bot: Bot
) -> None:
    """A Home belongs to one person; app_home_opened carries it from then on."""
    home = {"type": "home", "blocks": [{"type": "divider", "block_id": "d"}]}
    await workspace.slack.views_publish(user_id="U0DANA", view=home)
    assert (await workspace.read("views", **DANA))["home"]["blocks"] == home["blocks"]
    assert (await workspace.read("views", **{"as": "U0MO"}))["home"] is None
    await workspace.do("open-home", **DANA)
    (received,) = await bot.wait_for(1)
    assert received.event["view"]["type"] == "home"
