"""Cards of the demo's scene, for tests of the views."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.digests.models import Digest, DigestLine
from bot.engine.cards import (
    AnswerCard,
    ApprovalCard,
    ApprovalLine,
    ConnectCard,
    FormField,
    GoalCard,
    HandoffCard,
    PlanForm,
    QuestionCard,
    RemarkCard,
    ShownDetail,
    Step,
    StepForm,
    UnknownCard,
)
from bot.engine.home import HomeConnection, HomeDigest, HomeGoal, HomeLine, HomeView
from connectors.actions import Detail, Link
from connectors.labels import Label
from storage.tables.approvals import ApprovalStatus
from storage.tables.goals import GoalStatus, TaskStatus
from storage.tables.remarks import RemarkStatus

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
INVITE = "Invite jane.doe@acme.example to “Acme kickoff”, Tue 24 Nov 10:00–10:30 CET"  # noqa: RUF001 -- as the preview writes a range


def step(**changes: Any) -> Step:
    """Return the step that invites Jane."""
    usual = Step(
        key="t3",
        task_id=31,
        sentence=INVITE,
        details=(ShownDetail(Detail("Guests", "jane.doe@acme.example"), Label.MESSAGE),),
        status=TaskStatus.NEEDS_APPROVAL,
        asked="Mo Haddad",
        notifies="Google Calendar mails jane.doe@acme.example",
    )
    return replace(usual, **changes)


def goal_card(**changes: Any) -> GoalCard:
    """Return the scene's goal, proposed."""
    usual = GoalCard(
        goal_id=17,
        requester_id="U0DANA",
        text="Create a deal for Acme worth $48,000 and book a kickoff",
        status=GoalStatus.PROPOSED,
        version=1,
        author="offline",
        say="",
        steps=(step(),),
        changes=(),
        question=None,
        choices=(),
        reason=None,
        zone=BERLIN,
        can_run=True,
        can_edit=True,
        can_cancel=True,
    )
    return replace(usual, **changes)


def line(**changes: Any) -> ApprovalLine:
    """Return the line that asks about the invitation."""
    usual = ApprovalLine(
        item_id=5,
        sentence=INVITE,
        details=(
            ShownDetail(Detail("Title", "Acme kickoff"), Label.MODEL),
            ShownDetail(Detail("Start", "10:00", before="09:00"), Label.MESSAGE),
        ),
        notifies="Google Calendar mails her",
        status=ApprovalStatus.PENDING,
        status_reason=None,
        decided_by=None,
        decided_at=None,
        reason=None,
    )
    return replace(usual, **changes)


def approval_card(**changes: Any) -> ApprovalCard:
    """Return the approval of the invitation, as Mo reads it."""
    usual = ApprovalCard(
        approval_id=3,
        goal_id=17,
        requester_id="U0DANA",
        requester_name="Dana Reyes",
        goal_text="Create a deal for Acme worth $48,000 and book a kickoff",
        provider_title="Google Calendar",
        account="dana@northwind.example",
        lines=(line(),),
        people=("U0MO",),
        why="you are an approver",
        deadline_at=datetime(2026, 11, 22, 8, 12, tzinfo=UTC),
        zone=BERLIN,
    )
    return replace(usual, **changes)


def plan_form(*fields: FormField, can_drop: bool = True, item_id: int | None = None) -> PlanForm:
    """Return an edit form of one step."""
    return PlanForm(17, 2, item_id, (StepForm("t3", INVITE, can_drop, fields),))


def answer_card(**changes: Any) -> AnswerCard:
    usual = AnswerCard(
        question="Which deals does Acme have?",
        title="Acme has 2 deals",
        columns=("Deal", "Stage", "Amount"),
        rows=(("Acme pilot", "qualified", "$9,000"), ("Acme roll-out", "new", "")),
        total=2,
        links=(Link("Acme pilot", "https://hubspot.example/deal/1"),),
        outside=False,
    )
    return replace(usual, **changes)


def connect_card(**changes: Any) -> ConnectCard:
    usual = ConnectCard(
        provider="hubspot",
        title="HubSpot",
        scopes=("see deals", "see companies"),
        why="to look up deals of Acme.",
        url="https://countersign.example/connect/abc",
        connected_as=None,
    )
    return replace(usual, **changes)


def handoff_card(**changes: Any) -> HandoffCard:
    card = HandoffCard(
        handoff_id=5,
        requester="Dana Reyes",
        asked="Create a deal for Acme",
        position=2,
        step="Create the deal “Acme”",
        is_unknown=False,
        is_failed=True,
        provider_title="HubSpot",
        look_url="https://app.hubspot.com",
        reference="1a2b3c4d",
        settled_by=None,
    )
    return replace(card, **changes)


def remark_card(**changes: Any) -> RemarkCard:
    card = RemarkCard(
        remark_id=6,
        requester_id="U0DANA",
        text="change the size to 9",
        status=RemarkStatus.ASKING,
        said="Which one do you mean? Nothing is changed yet.",
        options=(
            ("Add “Kickoff” (size)", "Add “Kickoff”: size becomes 9"),
            ("Add “Report” (size)", "Add “Report”: size becomes 9"),
        ),
    )
    return replace(card, **changes)


def question_card(**changes: Any) -> QuestionCard:
    usual = QuestionCard(
        task_id=31,
        goal_id=17,
        requester_id="U0DANA",
        sentence="Create the deal “Acme”",
        message="HubSpot does not accept the stage. Give another value.",
        fields=("Stage",),
        choices=("Contract sent", "Closed won"),
        version=2,
        answered=None,
    )
    return replace(usual, **changes)


def unknown_card(**changes: Any) -> UnknownCard:
    usual = UnknownCard(
        task_id=31,
        goal_id=17,
        sentence=INVITE,
        details=(ShownDetail(Detail("Guests", "jane.doe@acme.example"), Label.MESSAGE),),
        provider_title="Google Calendar",
        look_url="https://calendar.example",
        settled=None,
        can_run_again=True,
    )
    return replace(usual, **changes)


def digest(**changes: Any) -> Digest:
    usual = Digest(
        person_id="U0DANA",
        zone=BERLIN,
        since=NOON,
        until=NOON,
        waiting=(DigestLine("Approve: invite jane", "https://northwind.example/1"),),
        done=(DigestLine("Created the deal Acme"),),
        next=(),
        stuck=(),
    )
    return replace(usual, **changes)


def home_view(**changes: Any) -> HomeView:
    usual = HomeView(
        waiting_for_you=(HomeLine("Approve: invite jane", "https://northwind.example/1"),),
        goals=(HomeGoal(17, "Create a deal", "Running", "https://northwind.example/2"),),
        connections=(
            HomeConnection(
                "hubspot", "HubSpot", "connected", "dana@northwind.example", is_connected=True
            ),
            HomeConnection(
                "google_calendar", "Google Calendar", "not yet", None, is_connected=False
            ),
        ),
        digest=HomeDigest(NOON.time(), (1, 2, 3, 4, 5), BERLIN, is_on=True),
        examples=("Which deals does Acme have?",),
    )
    return replace(usual, **changes)
