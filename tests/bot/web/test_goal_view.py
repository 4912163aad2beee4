"""A goal's page in words: its states, its waits, and a timeline without codes."""

import re
from pathlib import Path

from bot.engine.cards import Step
from bot.web.goal_view import GoalView, build_goal_view
from bot.web.timeline import is_known
from storage.tables.goals import Goal, GoalStatus, TaskStatus
from tests.bot.views import cards

SOURCES = Path(__file__).parents[3]


def page(status: GoalStatus, *steps: Step, halted: str | None = None) -> GoalView:
    goal = Goal(
        id=17,
        requester_id="U0DANA",
        text="Create a deal",
        status=status,
        created_at=cards.NOON,
        settled_at=None,
        reason=None,
    )
    card = cards.goal_card(status=status, steps=steps, halted=halted)
    return build_goal_view(
        goal,
        card,
        reader_zone="Europe/Berlin",
        names={"U0DANA": "Dana Reyes"},
        approvals=(),
        decisions=(),
        happenings=(),
    )


def test_page_of_a_waiting_goal_says_for_whom() -> None:
    """The page says no less than the card that it was opened from."""
    assert page(GoalStatus.WAITING, cards.step()).status == "Waiting for Mo Haddad to approve"


def test_page_of_a_held_goal_says_who_halted() -> None:
    """After an incident the page names the halt and not a bare state."""
    shown = page(GoalStatus.RUNNING, cards.step(), halted="Halted by Ada Park.")
    assert (shown.status, shown.reason) == ("Halted", "Halted by Ada Park.")


def test_page_says_what_a_step_waits_for_and_that_it_came_late() -> None:
    """Until it runs the wait stands there; afterwards the note why it was late."""
    step = cards.step(status=TaskStatus.WAITING, waits="waits until Fri 27 Nov 09:00 CET")
    assert "Waits until Fri 27 Nov 09:00 CET." in page(GoalStatus.WAITING, step).steps[0].notes
    late = cards.step(status=TaskStatus.SUCCEEDED, note="Due Fri, begun Sat.")
    assert page(GoalStatus.DONE, late).steps[0].notes == ("Due Fri, begun Sat.",)


def test_page_says_how_far_a_list_is() -> None:
    """A list that was stopped in the middle is not called cancelled."""
    rows = (cards.step(status=TaskStatus.SUCCEEDED), cards.step(status=TaskStatus.CANCELLED))
    shown = page(GoalStatus.PARTLY_DONE, cards.step(status=TaskStatus.CANCELLED, rows=rows))
    assert shown.steps[0].status == "1 of 2 done"


def test_every_audit_tag_of_a_goal_has_words() -> None:
    """No reader of a timeline meets a tag; `writes` are a team's and stand on no goal's page."""
    sources = [path for folder in ("bot", "approvals") for path in (SOURCES / folder).rglob("*.py")]
    tags = {
        tag
        for path in sources
        for tag in re.findall(r'tag="(\w+:\w+:\w+)"', path.read_text(encoding="utf-8"))
    }
    assert len(tags) > 8
    assert [tag for tag in sorted(tags) if not is_known(tag)] == []
