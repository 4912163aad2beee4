"""What a goal's card says in the states between Run and the end."""

from bot.engine.cards import BY_RUN
from bot.views import ids
from bot.views.approvals import build_approval_blocks
from bot.views.goals import build_goal_blocks
from bot.views.home import build_home
from bot.views.text import shorten
from storage.tables.approvals import ApprovalStatus
from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.views import cards
from tests.bot.views.test_cards import actions, texts


def test_paused_goal_says_what_rests_and_offers_resume_first() -> None:
    """Whoever finds a paused card reads what still can happen, and how it goes on."""
    card = cards.goal_card(status=GoalStatus.PAUSED, can_run=False, can_resume=True)
    blocks = build_goal_blocks(card)
    assert "Nothing more starts until you press Resume." in texts(blocks)
    assert actions(blocks)[:2] == [ids.GOAL_RESUME, ids.GOAL_EDIT]


def test_step_that_is_done_is_not_asked_about_again() -> None:
    """A changed plan shows what is done as done: no approval and no values to check."""
    done = cards.step(status=TaskStatus.SUCCEEDED, asked=BY_RUN)
    said = texts(build_goal_blocks(cards.goal_card(version=2, steps=(done,))))
    assert "Approval" not in said
    assert "Guests" not in said


def test_plan_that_waits_says_so_before_its_values() -> None:
    """The wait is the first thing under its step, and no part of how long the rest takes."""
    step = cards.step(waits="waits until Fri 27 Nov 09:00 CET")
    said = texts(build_goal_blocks(cards.goal_card(steps=(step,), estimate_s=1.0)))
    assert f"{cards.INVITE}\nWaits until Fri 27 Nov 09:00 CET.\n" in said
    assert "Then it takes about 1 s besides the wait, plus the time Mo Haddad takes." in said


def test_rows_of_a_list_say_once_who_is_asked() -> None:
    """Four rows with the same approver need one line, not four."""
    rows = tuple(cards.step(key=f"t1#{row}") for row in range(4))
    said = texts(build_goal_blocks(cards.goal_card(steps=(cards.step(asked=None, rows=rows),))))
    assert said.count("Approval") == 1
    assert "Approval of each: Mo Haddad" in said


def test_rows_that_are_asked_differently_are_counted() -> None:
    """Where policy asks different people for some rows, each is named with how many."""
    rows = (cards.step(asked=BY_RUN), cards.step(asked="Mo Haddad"), cards.step(asked="Mo Haddad"))
    said = texts(build_goal_blocks(cards.goal_card(steps=(cards.step(asked=None, rows=rows),))))
    assert f"Approval of 1: {BY_RUN}" in said
    assert "Approval of 2: Mo Haddad" in said


def test_withdrawn_approval_gives_its_reason_as_a_sentence() -> None:
    """An approver reads a sentence, wherever the reason came from."""
    gone = cards.line(status=ApprovalStatus.WITHDRAWN, status_reason="the goal was cancelled")
    said = texts(build_approval_blocks(cards.approval_card(lines=(gone,))))
    assert "Withdrawn: nothing was done. The goal was cancelled." in said


def test_text_on_a_button_is_cut_without_a_count() -> None:
    """On a button the words are worth more than how many characters are missing."""
    assert shorten("a" * 99, 75) == "a" * 74 + "…"


def test_home_of_a_newcomer_shows_few_examples() -> None:
    """Five examples show what can be asked; a wall of them is not read."""
    home = cards.home_view(goals=(), examples=tuple(f"Example {n}" for n in range(13)))
    said = texts(build_home(home)["blocks"])
    assert said.count("Example") == 5
