"""Clicks reach one service with an opaque id, and are always answered."""

from dataclasses import replace
from typing import Any

import pytest

from bot.goals.clicks import Answer, Click
from bot.listeners.errors import BadPayloadError
from bot.listeners.middleware import GONE, GUESTS
from bot.views import ids
from bot.views.approvals import build_approval_blocks
from bot.views.blocks import Block, actions, button, link_button
from bot.views.goals import build_goal_blocks
from bot.views.handoffs import build_handoff_blocks
from bot.views.questions import build_question_blocks
from bot.views.remarks import build_remark_blocks
from bot.views.summaries import build_summary_blocks
from bot.views.unknown import build_unknown_blocks
from bot.views.welcome import build_welcome_blocks
from storage.errors import NotFoundError
from storage.tables.approvals import Verdict
from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.slack_bot import TEAM, SlackBot
from tests.bot.views import cards


async def post(bot: SlackBot, blocks: list[Block], *, person: str = "U0DANA") -> dict[str, str]:
    """Post a card into a person's direct messages and return where it is."""
    opened = await bot.client.conversations_open(users=person)
    channel = opened["channel"]["id"]
    posted = await bot.client.chat_postMessage(channel=channel, text="card", blocks=blocks)
    return {"channel": channel, "ts": posted["ts"]}


async def click(
    bot: SlackBot, action_id: str, at: dict[str, str], *, as_: str = "U0DANA", **more: Any
) -> dict[str, Any]:
    """Click, and return the bot's HTTP answer."""
    return await bot.workspace.do("interact", **{"as": as_, "action_id": action_id, **at, **more})


async def told(bot: SlackBot, *, person: str = "U0DANA") -> list[str]:
    """Return what a person was told ephemerally."""
    found = await bot.messages(f"dm:{person}", as_=person)
    return [message["text"] for message in found if message["text"] != "card"]


UNDOABLE = cards.step(status=TaskStatus.SUCCEEDED, can_undo=True)
DONE = cards.goal_card(status=GoalStatus.DONE, steps=(UNDOABLE, UNDOABLE), can_run=False)
AT_ONCE = replace(DONE, ran_at_once=True)
RUNNING = cards.goal_card(status=GoalStatus.RUNNING, can_run=False, can_pause=True)
PAUSED = cards.goal_card(status=GoalStatus.PAUSED, can_run=False, can_resume=True)
ASKING = cards.goal_card(status=GoalStatus.ASKING, question="Which?", choices=("Acme: Inc",))


@pytest.mark.parametrize(
    ("blocks", "action_id", "call"),
    [
        (build_goal_blocks(cards.goal_card()), ids.GOAL_RUN, ("run", 17, 1)),
        (build_goal_blocks(cards.goal_card()), ids.GOAL_CANCEL, ("cancel", 17)),
        (build_goal_blocks(RUNNING), ids.GOAL_PAUSE, ("pause", 17)),
        (build_goal_blocks(PAUSED), ids.GOAL_RESUME, ("resume", 17)),
        (build_goal_blocks(ASKING), f"{ids.GOAL_CHOOSE}:0", ("choose", 17, "Acme: Inc")),
        (build_goal_blocks(cards.goal_card(steps=(UNDOABLE,))), ids.TASK_UNDO, ("undo", 31)),
        (build_summary_blocks(DONE), ids.GOAL_UNDO, ("undo_goal", 17)),
        pytest.param(
            build_goal_blocks(AT_ONCE), ids.GOAL_UNDO, ("undo_goal", 17), id="on the card"
        ),
        (
            build_approval_blocks(cards.approval_card()),
            ids.APPROVAL_APPROVE,
            ("decide", 5, Verdict.APPROVE, None),
        ),
        (
            build_approval_blocks(cards.approval_card(lines=(cards.line(),) * 12)),
            ids.APPROVAL_APPROVE_ALL,
            ("decide_all", 3, Verdict.APPROVE, None),
        ),
        (
            build_unknown_blocks(cards.unknown_card()),
            ids.UNKNOWN_HAPPENED,
            ("settle", 31, "happened"),
        ),
        (
            build_unknown_blocks(cards.unknown_card()),
            ids.UNKNOWN_RUN_AGAIN,
            ("settle", 31, "run_again"),
        ),
        (build_remark_blocks(cards.remark_card()), f"{ids.REMARK_PICK}:1", ("pick", 6, 1)),
        (build_remark_blocks(cards.remark_card()), ids.REMARK_NONE, ("dismiss", 6)),
        (
            build_question_blocks(cards.question_card()),
            f"{ids.QUESTION_CHOOSE}:1",
            ("answer", 31, 2, 1),
        ),
        (
            build_question_blocks(cards.question_card()),
            ids.QUESTION_LEAVE_OUT,
            ("leave_out", 31, 2),
        ),
        pytest.param(
            build_question_blocks(cards.question_card()),
            ids.GOAL_CANCEL,
            ("cancel", 17),
            id="stop at a question",
        ),
        (build_handoff_blocks(cards.handoff_card()), ids.HANDOFF_SETTLED, ("close", 5)),
        (build_unknown_blocks(cards.unknown_card()), ids.UNKNOWN_LEAVE, ("settle", 31, "leave")),
        (build_welcome_blocks(["Say hi"]), f"{ids.EXAMPLE}:0", ("start_example", "Say hi")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_click_reaches_its_service(
    bot: SlackBot, blocks: list[Block], action_id: str, call: tuple[Any, ...]
) -> None:
    """Every button does one thing, in the name of whoever clicked it."""
    at = await post(bot, blocks)
    answered = await click(bot, action_id, at)
    who = Click(TEAM, "U0DANA", at["channel"], at["ts"])
    assert bot.services.calls == [(call[0], who, *call[1:])]
    assert answered["status"] == 200
    assert await told(bot) == []


async def test_refusal_is_shown_to_the_clicker_alone(bot: SlackBot) -> None:
    """A click that does nothing says why, ephemerally."""
    bot.services.answer = Answer("Only the people who were asked can decide this.", ok=False)
    at = await post(bot, build_approval_blocks(cards.approval_card()))
    await click(bot, ids.APPROVAL_APPROVE, at)
    assert await told(bot) == ["Only the people who were asked can decide this."]
    history = await bot.client.conversations_history(channel=at["channel"])
    assert len(history["messages"]) == 1


async def test_page_link_is_shown_to_the_clicker_alone(bot: SlackBot) -> None:
    """The goal's page comes as a private link button."""
    bot.services.answer = Answer("Your goal's page, for 15 minutes:", url="https://a.example/g")
    at = await post(bot, build_goal_blocks(cards.goal_card(status=GoalStatus.DONE)))
    await click(bot, ids.GOAL_PAGE, at)
    shown = (await bot.messages("dm:U0DANA"))[-1]
    assert shown["blocks"][-1]["elements"][0]["url"] == "https://a.example/g"


@pytest.mark.parametrize(
    "value", ["", "x", "17:", ":1", "-1:1", "17:1; DROP", "9" * 40, "\u0661:1", "17:1:1"]
)
async def test_forged_value_is_refused(bot: SlackBot, value: str) -> None:
    """A value that we never wrote reaches no service and is answered."""  # S15
    at = await post(bot, build_goal_blocks(cards.goal_card()))
    answered = await click(bot, ids.GOAL_RUN, at, value=value)
    assert bot.services.calls == []
    assert answered["status"] == 200
    assert await told(bot) == [BadPayloadError.__doc__]


async def test_id_of_nothing_is_answered(bot: SlackBot) -> None:
    """An id that this team does not have is a sentence, not a failure."""  # S15
    bot.services.failures = [NotFoundError("goal", 99)]
    at = await post(bot, build_goal_blocks(cards.goal_card()))
    await click(bot, ids.GOAL_CANCEL, at, value="99")
    assert await told(bot) == [GONE]


async def test_failure_is_a_sentence_with_a_reference(bot: SlackBot) -> None:
    """Nobody reads an exception; Slack gets its 200."""  # S35
    bot.services.failures = [RuntimeError("canary xoxb-secret")]
    at = await post(bot, build_goal_blocks(cards.goal_card()))
    answered = await click(bot, ids.GOAL_CANCEL, at)
    assert answered["status"] == 200
    (said,) = await told(bot)
    assert "Something went wrong on my side" in said
    assert "canary" not in said


async def test_guest_clicks_in_vain(bot: SlackBot) -> None:
    """A guest's click reaches no service and is answered politely."""  # S13
    at = await post(bot, build_approval_blocks(cards.approval_card()), person="U0GUS")
    await click(bot, ids.APPROVAL_APPROVE, at, as_="U0GUS")
    assert bot.services.calls == []
    assert await told(bot, person="U0GUS") == [GUESTS]


async def test_button_of_an_old_card_is_answered(bot: SlackBot) -> None:
    """An action that nobody knows any more gets an answer; a link needs none."""
    row = actions(button("Old", action_id="old"), link_button("Open", "https://a.example"))
    at = await post(bot, [row])
    assert (await click(bot, "old", at))["status"] == 200
    assert (await click(bot, f"{ids.LINK}:0", at))["status"] == 200
    assert await told(bot) == ["This button is out of use. The newest card has the right ones."]


async def test_deactivated_person_reaches_nothing(bot: SlackBot) -> None:
    """Somebody who left cannot act with an open window."""  # S13
    at = await post(bot, build_goal_blocks(cards.goal_card()))
    await bot.people.get(TEAM, "U0DANA")
    await bot.people.refresh(TEAM, {"id": "U0DANA", "team_id": TEAM, "deleted": True})
    assert (await click(bot, ids.GOAL_RUN, at))["status"] == 200
    assert bot.services.calls == []


async def test_failure_before_the_listener_is_answered_too(bot: SlackBot) -> None:
    """When Slack does not say who somebody is, the click is answered and reaches nothing."""
    at = await post(bot, build_goal_blocks(cards.goal_card()))
    await bot.workspace.do("faults", internal_error=1)
    assert (await click(bot, ids.GOAL_RUN, at))["status"] == 200
    assert bot.services.calls == []
    assert "the reference is" in (await told(bot))[0]
