"""What the cards say."""

from dataclasses import replace
from typing import Any

import pytest

from bot.engine.cards import GoalCard, ShownDetail
from bot.engine.home import HomeHalt
from bot.views import ids
from bot.views.approvals import approval_fallback, build_approval_blocks
from bot.views.connections import build_connect_blocks
from bot.views.digests import build_digest_blocks
from bot.views.goals import build_goal_blocks, goal_fallback
from bot.views.handoffs import build_handoff_blocks
from bot.views.home import build_home
from bot.views.questions import build_question_blocks
from bot.views.summaries import build_summary_blocks, has_summary
from bot.views.unknown import build_unknown_blocks
from bot.views.welcome import build_welcome_blocks
from connectors.actions import Detail, Link
from connectors.labels import Label
from storage.tables.approvals import ApprovalStatus
from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.views import cards


def texts(blocks: list[dict[str, Any]]) -> str:
    """Return all words of a card, block by block."""
    found: list[str] = []
    for block in blocks:
        holders = [block.get("text"), *block.get("elements", [])]
        found += [
            str(item["text"]) for item in holders if item and isinstance(item.get("text"), str)
        ]
    return "\n".join(found)


def actions(blocks: list[dict[str, Any]]) -> list[str]:
    """Return the action ids of a card's buttons."""
    elements = [e for block in blocks for e in [*block.get("elements", []), block.get("accessory")]]
    return [element["action_id"] for element in elements if element and "action_id" in element]


def test_pending_approval_says_what_who_and_by_when() -> None:
    """The card names requester, effect, account, and the deadline in the reader's zone."""
    said = texts(build_approval_blocks(cards.approval_card()))
    assert said.startswith(f"*Dana Reyes* asks you to countersign:\n{cards.INVITE}")
    assert "As Dana Reyes (dana@northwind.example) → Google Calendar mails her" in said
    assert "Title: Acme kickoff  (the model suggested this)" in said
    assert "Start: 09:00 → 10:00" in said
    assert "Decide by Sun 22 Nov 09:12 CET, else it expires and nothing happens." in said


def test_pending_approval_offers_three_answers_with_an_opaque_id() -> None:
    """Buttons carry the item's id and nothing else."""  # S15
    row = next(b for b in build_approval_blocks(cards.approval_card()) if b["type"] == "actions")
    assert [(e["action_id"], e["value"]) for e in row["elements"]] == [
        (ids.APPROVAL_APPROVE, "5"),
        (ids.APPROVAL_EDIT, "5"),
        (ids.APPROVAL_REJECT, "5"),
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"status": ApprovalStatus.REJECTED, "decided_by": "Mo Haddad", "reason": "Too early"},
            "Rejected by Mo Haddad: “Too early”",
        ),
        ({"status": ApprovalStatus.EXPIRED}, "Expired: nothing was done"),
        (
            {
                "status": ApprovalStatus.USED,
                "decided_by": "Mo Haddad",
                "decided_at": cards.NOON,
                "task_status": TaskStatus.SUCCEEDED,
            },
            "Approved by Mo Haddad, Sat 21 Nov 13:00 CET — it is done",
        ),
    ],
    ids=["rejected", "expired", "used"],
)
def test_decided_approval_says_who_and_has_no_buttons(changes: dict[str, Any], said: str) -> None:
    """A decided card cannot be clicked and tells how it ended."""
    blocks = build_approval_blocks(cards.approval_card(lines=(cards.line(**changes),)))
    assert said in texts(blocks)
    assert not actions(blocks)


def test_outside_value_is_marked_and_its_link_dead() -> None:
    """A stranger's value says so in words and cannot be clicked."""  # S17, S21
    detail = ShownDetail(Detail("Note", "see https://evil.example"), Label.OUTSIDE)
    blocks = build_approval_blocks(cards.approval_card(lines=(cards.line(details=(detail,)),)))
    assert "Note: see https[:]//evil[.]example  (from outside: check it)" in texts(blocks)


def test_data_on_cards_is_plain_text() -> None:
    """What a value contains cannot ping, format or link."""  # S20
    hostile = "<!channel> *Approved by Mo* <https://evil.example|ok>"
    blocks = build_approval_blocks(
        cards.approval_card(requester_name=hostile, lines=(cards.line(sentence=hostile),))
    )
    marked = [
        item["text"]
        for block in blocks
        for item in [block.get("text"), *block.get("elements", [])]
        if item and item.get("type") == "mrkdwn"
    ]
    assert all("<" not in text and "*Approved" not in text for text in marked)
    assert "&lt;!channel&gt;" in approval_fallback(
        cards.approval_card(lines=(cards.line(sentence=hostile),))
    )


def test_proposed_goal_shows_steps_and_who_is_asked() -> None:
    """The plan card has each step with its values, who is asked, and Run, Edit, Cancel."""
    blocks = build_goal_blocks(cards.goal_card())
    said = texts(blocks)
    assert f"1. {cards.INVITE}" in said
    assert "Approval: Mo Haddad" in said
    assert actions(blocks) == [ids.GOAL_RUN, ids.GOAL_EDIT, ids.GOAL_CANCEL]


def done_card(*, ran_at_once: bool = False) -> GoalCard:
    done = cards.step(
        status=TaskStatus.SUCCEEDED,
        links=(Link("the event", "https://a.example/1"),),
        can_undo=True,
    )
    return cards.goal_card(
        status=GoalStatus.DONE,
        steps=(done,),
        can_run=False,
        can_edit=False,
        can_cancel=False,
        ran_at_once=ran_at_once,
    )


def test_done_goal_links_results_and_its_summary_offers_undo() -> None:
    """What somebody was waited for ends with a new message: it has Undo, the card the links."""
    blocks = build_goal_blocks(done_card())
    assert "<https://a.example/1|the event>" in texts(blocks)
    assert actions(blocks) == [ids.GOAL_PAGE]
    assert has_summary(done_card())
    assert actions(build_summary_blocks(done_card())) == [ids.TASK_UNDO]


def test_step_that_ran_at_once_has_undo_on_its_card_and_no_summary() -> None:
    """One silent step of the requester's own is told once, not twice."""
    blocks = build_goal_blocks(done_card(ran_at_once=True))
    assert actions(blocks) == [ids.TASK_UNDO, ids.GOAL_PAGE]
    assert not has_summary(done_card(ran_at_once=True))


@pytest.mark.parametrize(
    ("status", "asked", "said"),
    [
        (TaskStatus.NEEDS_CONNECTION, None, "Waiting for you to connect Google Calendar"),
        (TaskStatus.NEEDS_APPROVAL, "Mo Haddad", "Waiting for Mo Haddad to approve"),
        (TaskStatus.UNKNOWN, None, "Waiting for you to say what happened"),
    ],
    ids=["connection", "approval", "unknown"],
)
def test_waiting_goal_says_on_what(status: TaskStatus, asked: str | None, said: str) -> None:
    """Nobody has to guess what a waiting goal waits for."""
    waiting = cards.step(status=status, asked=asked, provider="Google Calendar")
    card = cards.goal_card(status=GoalStatus.WAITING, steps=(waiting,))
    assert texts(build_goal_blocks(card)).startswith(f"*{said}*")
    assert goal_fallback(card).startswith(said)


def test_plan_card_does_not_repeat_what_the_sentence_says() -> None:
    """A value that stands in the sentence needs no line, unless it must be checked."""
    said = texts(build_goal_blocks(cards.goal_card()))
    assert "Guests: jane.doe@acme.example" not in said
    guest = ShownDetail(Detail("Guests", "jane.doe@acme.example"), Label.OUTSIDE)
    marked = texts(build_goal_blocks(cards.goal_card(steps=(cards.step(details=(guest,)),))))
    assert "Guests: jane.doe@acme.example  (from outside: check it)" in marked


def test_quiet_reads_are_not_listed() -> None:
    """A look-up that went well takes no line of the card."""
    read = cards.step(sentence="Look up Acme", is_read=True, status=TaskStatus.SUCCEEDED)
    assert "Look up Acme" not in texts(
        build_goal_blocks(cards.goal_card(steps=(read, cards.step())))
    )


def test_question_offers_its_choices() -> None:
    """A clarifying question has a button for each choice."""
    card = cards.goal_card(
        status=GoalStatus.ASKING,
        steps=(),
        question="Which Acme?",
        choices=("Acme GmbH", "Acme Inc"),
    )
    row = next(block for block in build_goal_blocks(card) if block["type"] == "actions")
    assert [element["value"] for element in row["elements"]] == ["17:Acme GmbH", "17:Acme Inc"]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://a.example/|x>", "file:///etc"])
def test_unsafe_address_is_shown_as_text(url: str) -> None:
    """Only plain web addresses become links."""
    done = cards.step(status=TaskStatus.SUCCEEDED, links=(Link("open", url),))
    blocks = build_goal_blocks(cards.goal_card(steps=(done,), status=GoalStatus.DONE))
    assert url not in texts(blocks)


def test_connected_card_asks_nothing() -> None:
    """Once connected, the request turns into one calm line."""
    blocks = build_connect_blocks(cards.connect_card(connected_as="dana@northwind.example"))
    assert texts(blocks) == "✓ HubSpot is connected as dana@northwind.example."


def test_question_offers_the_values_and_says_that_nothing_was_done() -> None:
    """Who is asked for a value reads why, what to choose from, and that it is safe to wait."""
    blocks = build_question_blocks(cards.question_card())
    assert "Nothing of it was done." in texts(blocks)
    assert actions(blocks)[:2] == [f"{ids.QUESTION_CHOOSE}:0", f"{ids.QUESTION_CHOOSE}:1"]
    assert actions(blocks)[2:] == [ids.QUESTION_WRITE, ids.QUESTION_LEAVE_OUT, ids.GOAL_CANCEL]


def test_answered_question_asks_nothing() -> None:
    """Once answered, no button of it is left."""
    blocks = build_question_blocks(cards.question_card(answered="Thanks, I have your answer."))
    assert actions(blocks) == []


def test_unknown_outcome_of_an_ended_goal_cannot_run_again() -> None:
    """Where nothing may run any more, it is not offered."""
    blocks = build_unknown_blocks(cards.unknown_card(can_run_again=False))
    assert ids.UNKNOWN_RUN_AGAIN not in actions(blocks)
    assert ids.UNKNOWN_HAPPENED in actions(blocks)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "It changed nothing"),
        ({"is_failed": False}, "A person has said meanwhile"),
        ({"is_unknown": True}, "It may have happened. Please look at HubSpot."),
        ({"position": None, "step": None}, "I stopped the goal"),
    ],
    ids=["failed", "said", "unknown", "whole goal"],
)
def test_hand_over_says_what_is_known(changes: dict[str, Any], said: str) -> None:
    """Whoever reads it learns who asked what, what became of it, and where to look."""
    blocks = build_handoff_blocks(cards.handoff_card(**changes))
    assert said in texts(blocks)
    assert "Dana Reyes asked: Create a deal for Acme" in texts(blocks)
    assert ids.HANDOFF_SETTLED in actions(blocks)


def test_settled_hand_over_asks_nothing() -> None:
    """It names who looked."""
    blocks = build_handoff_blocks(cards.handoff_card(settled_by="Ada Park"))
    assert "Ada Park looked and settled it." in texts(blocks)
    assert ids.HANDOFF_SETTLED not in actions(blocks)


def test_digest_lists_only_what_there_is() -> None:
    """Empty lists take no room; lines link to their cards."""
    said = texts(build_digest_blocks(cards.digest()))
    assert "*Waits on you*\n• <https://northwind.example/1|Approve: invite jane>" in said
    assert "Stuck" not in said
    empty = texts(build_digest_blocks(cards.digest(waiting=(), done=())))
    assert "Nothing waits on you" in empty


def test_home_of_an_admin_says_who_halted_and_offers_to_resume() -> None:
    """Everybody else sees nothing of it; a halt of the operator has no button."""
    assert "Halt" not in str(build_home(cards.home_view()))
    running = str(build_home(cards.home_view(halt=HomeHalt(None, 0, can_resume=False))))
    assert ids.HALT_WANTED in running
    halted = HomeHalt("Halted by Ada at 14:05: wrong list", 2, can_resume=True)
    shown = str(build_home(cards.home_view(halt=halted)))
    assert "Halted by Ada at 14:05: wrong list" in shown
    assert "2 goals are held." in shown
    assert ids.HALT_RESUMED in shown
    from_outside = replace(halted, can_resume=False)
    assert ids.HALT_RESUMED not in str(build_home(cards.home_view(halt=from_outside)))


def test_home_says_that_a_provider_does_not_answer() -> None:
    """The sentence stands beside the connection that it is about."""
    trouble = "HubSpot has not answered since 14:05; 3 of your steps wait for it."
    usual = cards.home_view()
    first = replace(usual.connections[0], trouble=trouble)
    shown = build_home(replace(usual, connections=(first, *usual.connections[1:])))
    assert f"as dana@northwind.example\n{trouble}" in texts(shown["blocks"])


def test_home_offers_connect_disconnect_and_the_digest() -> None:
    """Home has every setting of the person."""
    blocks = build_home(cards.home_view())["blocks"]
    assert actions(blocks) == [
        ids.CONNECTION_DISCONNECT,
        ids.CONNECTION_CONNECT,
        ids.DIGEST_TIME,
        ids.DIGEST_NOW,
        ids.DIGEST_TURN,
    ]


def test_long_example_keeps_its_whole_text() -> None:
    """An example that no button can hold is shown whole beside its button."""
    example = (
        "Create a deal for Acme worth $48,000 and book a 30 minute kickoff with Jane next Tuesday"
    )
    blocks = build_welcome_blocks([example, "Which deals does Acme have?"])
    assert f"“{example}”" in texts(blocks)
    assert blocks[2]["accessory"]["value"] == example
