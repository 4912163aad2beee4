"""What a message about a goal may mean, as its card says it."""

from bot.engine.cards import RemarkCard
from bot.views.remarks import build_remark_blocks, remark_fallback
from storage.tables.goals import GoalStatus, TaskStatus
from storage.tables.remarks import RemarkStatus
from tests.bot.views import cards


def texts(card: RemarkCard) -> str:
    return str(build_remark_blocks(card))


def test_message_that_is_being_read_says_so_and_has_no_button() -> None:
    """Whoever wrote it sees at once that it arrived."""
    card = cards.remark_card(status=RemarkStatus.READING, said="", options=())
    assert "I am reading that…" in texts(card)
    assert "button" not in texts(card)


def test_single_meaning_can_be_declined() -> None:
    """A question with one way on has a plain No beside it."""
    card = cards.remark_card(options=(("A new goal", "A new goal: I plan it by itself."),))
    buttons = [one["text"]["text"] for one in build_remark_blocks(card)[-1]["elements"]]
    assert buttons == ["A new goal", "No"]


def test_several_meanings_end_with_none_of_these() -> None:
    """Every question can be closed without a change."""
    buttons = [
        one["text"]["text"] for one in build_remark_blocks(cards.remark_card())[-1]["elements"]
    ]
    assert buttons == ["Add “Kickoff” (size)", "Add “Report” (size)", "None of these"]


def test_goal_that_was_asked_about_is_told_step_by_step() -> None:
    """Each step says how far it is, without ids."""
    goal = cards.goal_card(
        status=GoalStatus.WAITING,
        steps=(cards.step(status=TaskStatus.NEEDS_APPROVAL, asked="Mo Haddad"),),
    )
    card = cards.remark_card(status=RemarkStatus.TOLD, said="", options=(), goal=goal)
    assert remark_fallback(card).startswith("This is how it stands:")
    assert "waits for Mo Haddad" in texts(card)
    assert "press Run" not in texts(card)
    shown = cards.remark_card(status=RemarkStatus.TOLD, goal=cards.goal_card())
    assert "It waits for you: press Run on its card." in texts(shown)
