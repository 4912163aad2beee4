"""Every view obeys Slack's limits, whatever the texts and however many of them."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.digests.models import DigestLine
from bot.engine.cards import FormField, ShownDetail, StepForm
from bot.engine.home import HomeGoal, HomeLine
from bot.views.answers import answer_fallback, build_answer_blocks
from bot.views.approvals import approval_fallback, build_approval_blocks, build_reject_modal
from bot.views.connections import build_connect_blocks, connect_fallback
from bot.views.digests import build_digest_blocks, digest_fallback
from bot.views.goals import build_goal_blocks, goal_fallback
from bot.views.handoffs import build_handoff_blocks, handoff_fallback
from bot.views.home import build_home
from bot.views.limits import MESSAGE_TEXT
from bot.views.metadata import Place
from bot.views.notes import build_note_blocks, build_notice_modal, note_fallback
from bot.views.plans import build_plan_modal
from bot.views.questions import build_question_blocks, question_fallback
from bot.views.remarks import build_remark_blocks, remark_fallback
from bot.views.summaries import build_summary_blocks, summary_fallback
from bot.views.unknown import build_unknown_blocks, unknown_fallback
from bot.views.welcome import build_welcome_blocks
from bot.workspace.blocks import check_blocks, check_view
from connectors.actions import Detail, Link
from connectors.labels import Label
from storage.tables.approvals import ApprovalStatus
from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.views import cards

PLACE = Place("C0SALES", "1732180000.000100")
HARD = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["", " ", "<!channel> & co", "x" * 4000, "&" * 3000, "😀" * 2000, "\u202e\n" * 900]
    ),
)
COUNT = st.sampled_from([0, 1, 3, 60])
FAST = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
KINDS = [
    "text",
    "multiline",
    "number",
    "date",
    "datetime",
    "emails",
    "select",
    "checkbox",
    "readonly",
]


def assert_message(blocks: list[dict[str, Any]], text: str) -> None:
    assert check_blocks(blocks) == []
    assert blocks
    assert 0 < len(text) <= MESSAGE_TEXT
    assert "<!" not in text


@FAST
@given(HARD, HARD, COUNT, st.sampled_from(GoalStatus), st.sampled_from(TaskStatus))
def test_goal_card_fits(
    text: str, other: str, count: int, status: GoalStatus, task_status: TaskStatus
) -> None:
    """A goal's card is valid in every state."""
    shown = cards.step(
        sentence=text,
        status=task_status,
        details=(ShownDetail(Detail(other, text, other), Label.OUTSIDE),) * count,
        problem=other,
        links=(Link(text, "https://a.example/?x=1&y=2"),) * count,
        can_undo=True,
    )
    card = cards.goal_card(
        text=text,
        say=other,
        status=status,
        steps=(shown,) * count,
        changes=(other,) * count,
        question=text,
        choices=(other,) * count,
        reason=other,
        decides_alone=True,
    )
    assert_message(build_goal_blocks(card), goal_fallback(card))
    assert_message(build_summary_blocks(card), summary_fallback(card))


@FAST
@given(HARD, HARD, st.sampled_from([1, 2, 60]), st.sampled_from(ApprovalStatus))
def test_approval_card_fits(text: str, other: str, count: int, status: ApprovalStatus) -> None:
    """An approval's card is valid in every state, with any number of calls."""
    lines = tuple(
        cards.line(
            item_id=number,
            sentence=text,
            status=status,
            reason=other,
            decided_by=text,
            decided_at=cards.NOON,
            links=(Link(text, other),),
            task_status=TaskStatus.SUCCEEDED,
            difference=(Detail(text, other, text),),
        )
        for number in range(count)
    )
    card = cards.approval_card(requester_name=text, account=other, lines=lines, why=other)
    assert_message(build_approval_blocks(card), approval_fallback(card))


@FAST
@given(HARD, HARD, COUNT)
def test_other_messages_fit(text: str, other: str, count: int) -> None:
    """Answers, connect requests, unknown outcomes, digests, welcomes and notes are valid."""
    answer = cards.answer_card(title=text, rows=((text, other, text),) * count, outside=True)
    assert_message(build_answer_blocks(answer), answer_fallback(answer))
    connect = cards.connect_card(title=text, why=other, scopes=(text,) * count)
    assert_message(build_connect_blocks(connect), connect_fallback(connect))
    unknown = cards.unknown_card(sentence=text, provider_title=other)
    assert_message(build_unknown_blocks(unknown), unknown_fallback(unknown))
    asked = cards.question_card(sentence=text, message=other, choices=(text,) * min(count, 5))
    assert_message(build_question_blocks(asked), question_fallback(asked))
    handoff = cards.handoff_card(asked=text, step=other, requester=text)
    assert_message(build_handoff_blocks(handoff), handoff_fallback(handoff))
    remark = cards.remark_card(text=text, said=other, options=((text, other),) * 4)
    assert_message(build_remark_blocks(remark), remark_fallback(remark))
    lines = (DigestLine(text, "https://a.example"), DigestLine(other, None)) * count
    digest = cards.digest(waiting=lines, done=lines, stuck=lines, late_note=text)
    assert_message(build_digest_blocks(digest), digest_fallback(digest))
    assert_message(build_note_blocks(text), note_fallback(text))
    assert check_blocks(build_welcome_blocks([text, other])) == []


@FAST
@given(HARD, HARD, COUNT)
def test_home_fits(text: str, other: str, count: int) -> None:
    """Home is valid with nothing and with far too much on it."""
    home = cards.home_view(
        waiting_for_you=(HomeLine(text, "https://a.example"),) * count,
        goals=(HomeGoal(1, text, other),) * count,
        examples=(text,) * min(count, 3),
        connections=cards.home_view().connections[:1] * min(count, 1),
    )
    assert check_view(build_home(home)) == []


@FAST
@given(HARD, HARD, st.sampled_from([1, 3, 60]), st.sampled_from(KINDS))
def test_modals_fit(text: str, other: str, count: int, kind: str) -> None:
    """Modals are valid for every kind of field and any value."""
    field = FormField("start", text, kind, other, options=(text, other), hint=other)
    steps = tuple(
        StepForm(f"t{number}", text, can_drop=True, fields=(replace(field, name=f"f{number}"),))
        for number in range(count)
    )
    form = replace(cards.plan_form(), steps=steps)
    assert check_view(build_plan_modal(form, place=PLACE)) == []
    assert check_view(build_notice_modal(text)) == []
    assert check_view(build_reject_modal(5, sentence="Invite Jane", place=PLACE)) == []


@pytest.mark.parametrize("outside", [True, False])
def test_link_of_a_stranger_is_dead_in_answers(outside: bool) -> None:  # noqa: FBT001 -- a table
    """Rows that a stranger could have written show their links, unclickable."""  # S21
    card = cards.answer_card(rows=(("see https://evil.example", "", ""),), outside=outside)
    shown = str(build_answer_blocks(card))
    assert ("https://evil.example" in shown) is not outside
