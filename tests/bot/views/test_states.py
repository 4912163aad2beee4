"""What a goal's card says in the states between Run and the end."""

from bot.engine.cards import BY_RUN
from bot.engine.home import HomeHalt
from bot.views import ids
from bot.views.approvals import build_approval_blocks
from bot.views.goals import build_goal_blocks
from bot.views.home import build_home
from bot.views.summaries import build_summary_blocks
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


def test_list_that_was_done_in_part_says_how_far_and_each_reason_once() -> None:
    """A budget that stopped three rows is said once, and the list is not called cancelled."""
    spent = "This goal's budget is used up."
    done = [cards.step(key=f"t1#{row}", status=TaskStatus.SUCCEEDED) for row in range(3)]
    left = [
        cards.step(key=f"t1#{3 + row}", status=TaskStatus.FAILED, problem=spent) for row in (0, 1)
    ]
    parent = cards.step(
        sentence="Move deals", status=TaskStatus.CANCELLED, asked=None, rows=(*done, *left)
    )
    card = cards.goal_card(status=GoalStatus.PARTLY_DONE, steps=(parent,), can_run=False)
    for shown in (build_goal_blocks(card), build_summary_blocks(card)):
        assert "• Move deals — 3 of 5 done" in texts(shown)
        assert texts(shown).count(spent) == 1
        assert f"2 of them: {spent}" in texts(shown)


def test_halted_step_is_held_and_not_about_to_run() -> None:
    """Nobody reads that a step is about to run which a halt keeps from running."""
    step = cards.step(status=TaskStatus.READY)
    card = cards.goal_card(status=GoalStatus.RUNNING, steps=(step,), halted="Halted by Ada Park.")
    said = texts(build_goal_blocks(card))
    assert f"{cards.INVITE} — held" in said
    assert "about to run" not in said


def test_home_of_an_admin_begins_with_the_halt_while_there_is_one() -> None:
    """Whoever looks why nothing moves finds it first; else the button is at the end."""
    halted = HomeHalt("Halted by Ada Park.", 2, can_resume=True)
    first = build_home(cards.home_view(halt=halted))["blocks"][0]
    assert first["text"]["text"] == "Halt"
    calm = HomeHalt(None, 0, can_resume=True)
    first = build_home(cards.home_view(halt=calm))["blocks"][0]
    assert first["text"]["text"] == "Waiting for you"


def test_goal_whose_provider_is_down_waits_for_it_and_is_not_about_to_run() -> None:
    """The headline and the step name the provider; below it stands since when."""
    down = "HubSpot has not answered since 14:05 CET. I try again by myself."
    step = cards.step(status=TaskStatus.READY, problem=down, provider="HubSpot")
    said = texts(build_goal_blocks(cards.goal_card(status=GoalStatus.PLANNING, steps=(step,))))
    assert said.startswith("*Waiting for HubSpot*")
    assert f"{cards.INVITE} — waits for HubSpot" in said
    running = cards.step(status=TaskStatus.RUNNING, provider="Google Calendar")
    both = cards.goal_card(status=GoalStatus.RUNNING, steps=(step, running))
    assert texts(build_goal_blocks(both)).startswith("*Running*")


def test_reason_that_a_step_says_is_not_said_again() -> None:
    """A goal that failed by its one step has one sentence about it, with the remedy."""
    why = "I did not find the company. Check the name and ask again."
    step = cards.step(status=TaskStatus.FAILED, problem=why)
    card = cards.goal_card(status=GoalStatus.FAILED, steps=(step,), reason=why)
    assert texts(build_goal_blocks(card)).count(why) == 1
