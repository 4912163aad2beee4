"""The rows of lists on cards: few one by one, many as a count and a sample (S38)."""

from dataclasses import replace
from typing import Any

import pytest

from bot.engine.cards import BY_RUN, GoalCard, StepForm
from bot.views import ids
from bot.views.approvals import approval_fallback, build_approval_blocks
from bot.views.goals import build_goal_blocks
from bot.views.metadata import Place
from bot.views.plans import build_plan_modal
from bot.views.summaries import build_summary_blocks
from bot.workspace.blocks import check_blocks, check_view
from storage.tables.approvals import ApprovalStatus
from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.views import cards
from tests.bot.views.test_cards import actions, texts


def card(count: int, *, status: GoalStatus = GoalStatus.PROPOSED, **of_rows: Any) -> GoalCard:
    rows = tuple(
        cards.step(key=f"t2.{at + 1}", task_id=at, sentence=f"Add “Item {at:02}”", **of_rows)
        for at in range(count)
    )
    whole = cards.step(
        key="t2",
        sentence=f"Add an item, for each of the {count} items found",
        details=(),
        notifies=None,
        asked=None,
        status=TaskStatus.WAITING,
        rows=rows,
    )
    return cards.goal_card(status=status, steps=(whole,))


@pytest.mark.parametrize("count", [1, 10])
def test_few_rows_are_all_on_the_card(count: int) -> None:
    """What Run answers for stands on the card, row by row."""
    blocks = build_goal_blocks(card(count))
    said = texts(blocks)
    assert f"1. Add an item, for each of the {count} items found" in said
    assert [at for at in range(count) if f"Add “Item {at:02}”" in said] == list(range(count))
    assert check_blocks(blocks) == []


@pytest.mark.parametrize("count", [11, 50])
def test_many_rows_are_a_count_and_a_sample(count: int) -> None:
    """Nobody reads fifty lines: five of them, how many there are, and where the rest is."""  # S38
    blocks = build_goal_blocks(card(count))
    said = texts(blocks)
    assert said.count("Add “Item") == 5
    assert f"These are 5 of {count}. Press Details to see all of them." in said
    assert ids.GOAL_PAGE in actions(blocks)
    assert check_blocks(blocks) == []


def test_sample_begins_with_what_went_wrong() -> None:
    """Of many rows the card shows first those that somebody has to see."""
    given = card(20)
    whole = given.steps[0]
    rows = list(whole.rows)
    rows[17] = replace(rows[17], status=TaskStatus.FAILED, problem="It is refused.")
    steps = (replace(whole, rows=tuple(rows)),)
    said = texts(build_goal_blocks(replace(given, status=GoalStatus.RUNNING, steps=steps)))
    assert "Item 17" in said
    assert "It is refused." in said


def test_each_row_that_was_done_offers_its_undo() -> None:
    """A row is taken back by itself, or all of them at once."""
    done = card(3, status=GoalStatus.DONE, can_undo=True)
    rows = tuple(replace(row, status=TaskStatus.SUCCEEDED) for row in done.steps[0].rows)
    whole = replace(done.steps[0], rows=rows, status=TaskStatus.SUCCEEDED)
    offered = actions(build_summary_blocks(replace(done, steps=(whole,))))
    assert offered == [*[ids.TASK_UNDO] * 3, ids.GOAL_UNDO]


@pytest.mark.parametrize("count", [11, 50])
def test_approval_of_many_calls_shows_a_sample_and_decides_all(count: int) -> None:
    """One card with count, sample, the page with all of them, and one answer for all."""  # S38
    lines = tuple(cards.line(item_id=at, sentence=f"Invite guest {at}") for at in range(count))
    given = cards.approval_card(lines=lines)
    blocks = build_approval_blocks(given)
    said = texts(blocks)
    assert f"*Dana Reyes* asks you to countersign {count} steps:" in said
    assert said.count("Invite guest") == 5
    assert f"These are 5 of {count}. Press Details to see all of them." in said
    assert actions(blocks) == [ids.APPROVAL_APPROVE_ALL, ids.APPROVAL_REJECT_ALL, ids.GOAL_PAGE]
    assert approval_fallback(given).startswith(
        f"Dana Reyes asks you to countersign: {count} steps, among them Invite guest 0; "
    )
    assert check_blocks(blocks) == []


def test_decided_approval_of_many_calls_counts_how_they_ended() -> None:
    """What happened to how many; nothing is left to press but the page."""
    approved = cards.line(status=ApprovalStatus.APPROVED, decided_by="Mo Haddad")
    rejected = cards.line(status=ApprovalStatus.REJECTED, decided_by="Mo Haddad", reason="No")
    blocks = build_approval_blocks(cards.approval_card(lines=(approved,) * 9 + (rejected,) * 3))
    said = texts(blocks)
    assert "9 of 12: Approved by Mo Haddad" in said
    assert "3 of 12: Rejected by Mo Haddad: “No”" in said
    assert actions(blocks) == [ids.GOAL_PAGE]


def test_ten_calls_are_decided_one_by_one_or_all_together() -> None:
    """Ten full lines fit, each with its buttons, and one row for all of them."""
    lines = tuple(cards.line(item_id=at) for at in range(10))
    blocks = build_approval_blocks(cards.approval_card(lines=lines))
    assert actions(blocks).count(ids.APPROVAL_APPROVE) == 10
    assert actions(blocks)[-2:] == [ids.APPROVAL_APPROVE_ALL, ids.APPROVAL_REJECT_ALL]
    assert check_blocks(blocks) == []


def test_edit_of_fifty_rows_fits_one_modal() -> None:
    """Every row of the longest list can be left out."""
    rows = tuple(
        StepForm(f"t2.{at}", f"Add “Item {at}”", can_drop=True, fields=(), is_row=True)
        for at in range(50)
    )
    whole = StepForm("t2", "Add an item, for each of the 50 items found", can_drop=True, fields=())
    form = replace(cards.plan_form(), steps=(whole, *rows))
    view = build_plan_modal(form, place=Place("D1", "1.0"))
    assert sum(block["type"] == "actions" for block in view["blocks"]) == 51
    assert check_view(view) == []


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("Mo Haddad", "Then it takes about 3 s, plus the time Mo Haddad takes."),
        ("you", "Then it takes about 3 s, plus the time you take."),
        (BY_RUN, "Then it takes about 3 s."),
        (None, "Then it takes about 3 s."),
    ],
)
def test_proposed_plan_says_how_long_it_takes(asked: str | None, said: str) -> None:
    """The machine's time is estimated, a person's is named."""
    given = cards.goal_card(estimate_s=2.6, steps=(cards.step(asked=asked),))
    assert said in texts(build_goal_blocks(given))


def test_question_before_everything_is_undone_names_the_last_steps_first() -> None:
    """The client asks before the click; it says how many steps, and which go first."""
    done = card(5, status=GoalStatus.DONE, can_undo=True)
    rows = tuple(replace(row, status=TaskStatus.SUCCEEDED) for row in done.steps[0].rows)
    whole = replace(done.steps[0], rows=rows, status=TaskStatus.SUCCEEDED)
    (*_, last) = build_summary_blocks(replace(done, steps=(whole,)))
    asked = last["elements"][0]["confirm"]
    assert asked["title"]["text"] == "Undo 5 steps?"
    first, *named, more = asked["text"]["text"].split("\n")
    assert first == "The last one first:"
    assert [line.removeprefix("• ") for line in named] == [
        row.sentence for row in reversed(rows[2:])
    ]
    assert more == "… and 2 more"
