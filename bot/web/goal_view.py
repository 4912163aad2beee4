"""What a goal's page shows, in words; pure: no database, no clock."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.engine.cards import GoalCard, ShownDetail, Step
from bot.goals.lifecycle import ENDED_TASKS
from bot.views.rows import progress
from bot.views.text import defang, visible
from bot.views.words import APPROVAL, TASK, headline, instant, takes
from bot.web import timeline
from bot.web.timeline import Happening
from connectors.actions import Link
from connectors.labels import Label
from storage.tables.approvals import Approval, ApprovalItem, ApprovalStatus, Decision, Verdict
from storage.tables.goals import Goal, GoalStatus, TaskStatus

_FROM = {
    Label.MESSAGE: "from the request",
    Label.PROFILE: "remembered about the requester",
    Label.RECORD: "looked up",
    Label.MODEL: "the model suggested this",
    Label.OUTSIDE: "from outside: check it",
}
_CHECK = frozenset({Label.OUTSIDE, Label.MODEL})
_GOOD = frozenset({TaskStatus.SUCCEEDED, GoalStatus.DONE})
_BAD = frozenset({TaskStatus.FAILED, TaskStatus.DECLINED, TaskStatus.UNKNOWN, GoalStatus.FAILED})
_NEUTRAL = frozenset(
    {TaskStatus.SKIPPED, TaskStatus.CANCELLED, TaskStatus.UNDONE, GoalStatus.CANCELLED}
)


@dataclass(frozen=True, slots=True)
class ValueView:
    name: str
    value: str
    before: str | None
    source: str
    is_to_check: bool


@dataclass(frozen=True, slots=True)
class StepView:
    number: str
    """"2", or "2.3" of the third row of a list."""

    sentence: str
    status: str
    tone: str
    values: tuple[ValueView, ...]
    notes: tuple[str, ...]
    decisions: tuple[str, ...]
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class EventView:
    when: str
    who: str
    what: str


@dataclass(frozen=True, slots=True)
class GoalView:
    text: str
    status: str
    tone: str
    requester: str
    asked_at: str
    settled_at: str | None
    planner: str
    takes: str
    """How long what is left takes; "" once it ended."""

    version: int
    reason: str | None
    steps: tuple[StepView, ...]
    events: tuple[EventView, ...]
    zone: str


def build_goal_view(
    goal: Goal,
    card: GoalCard,
    *,
    reader_zone: str,
    names: Mapping[str, str],
    approvals: Sequence[tuple[Approval, ApprovalItem]],
    decisions: Sequence[Decision],
    happenings: Sequence[Happening],
) -> GoalView:
    """Return a goal in words, with instants as the reader's clock shows them."""
    zone = ZoneInfo(reader_zone)
    by_item = {decision.item_id: decision for decision in decisions}
    reason = card.halted or goal.reason
    sentences = {step.key: visible(step.sentence) for step in card.every_step}
    return GoalView(
        text=visible(goal.text),
        status=headline(card),
        tone=_tone(goal.status),
        requester=names.get(goal.requester_id, goal.requester_id),
        asked_at=instant(goal.created_at, zone),
        settled_at=instant(goal.settled_at, zone) if goal.settled_at else None,
        planner=_planner(card.author, names),
        takes=takes(card),
        version=card.version,
        reason=visible(reason) if reason else None,
        steps=tuple(
            _step(
                step,
                number,
                [
                    _decision(approval, item, by_item.get(item.id), names, zone)
                    for approval, item in approvals
                    if item.task_id == step.task_id
                ],
            )
            for number, step in _numbered(card)
        ),
        events=tuple(
            EventView(
                when=instant(item.at, zone),
                who="Countersign"
                if item.actor == timeline.SYSTEM
                else names.get(item.actor, item.actor),
                what=visible(timeline.words(item, sentences=sentences)),
            )
            for item in timeline.told(happenings)
        ),
        zone=_zone_words(happenings[-1].at if happenings else goal.created_at, zone),
    )


def _numbered(card: GoalCard) -> Iterator[tuple[str, Step]]:
    for number, step in enumerate(card.steps, start=1):
        yield str(number), step
        for row_number, row in enumerate(step.rows, start=1):
            yield f"{number}.{row_number}", row


def _step(step: Step, number: str, decisions: Sequence[str]) -> StepView:
    is_ahead = step.status not in ENDED_TASKS
    waits = f"{step.waits[:1].upper()}{step.waits[1:]}." if step.waits and is_ahead else None
    # What an ended step would have sent is no news any more; the timeline has what was done.
    notes = (waits, step.notifies if is_ahead else None, step.problem, step.note)
    return StepView(
        number=number,
        sentence=visible(step.sentence),
        status=progress(step) or TASK[step.status],
        tone=_tone(step.status),
        values=tuple(_value(shown) for shown in step.details),
        notes=tuple(visible(note) for note in notes if note),
        decisions=tuple(decisions),
        links=step.links,
    )


def _value(shown: ShownDetail) -> ValueView:
    is_outside = shown.label is Label.OUTSIDE
    value = defang(shown.detail.value) if is_outside else visible(shown.detail.value)
    before = shown.detail.before
    return ValueView(
        name=shown.detail.name,
        value=value,
        before=visible(before) if before is not None else None,
        source=_FROM[shown.label] if shown.label is not None else "",
        is_to_check=shown.label in _CHECK,
    )


def _decision(
    approval: Approval,
    item: ApprovalItem,
    decision: Decision | None,
    names: Mapping[str, str],
    zone: ZoneInfo,
) -> str:
    """Return who decided what when, or who is asked until when."""
    if decision is not None:
        who = names.get(decision.person_id, decision.person_id)
        verb = "approved" if decision.verdict is Verdict.APPROVE else "rejected"
        said = f"{who} {verb} this, {instant(decision.created_at, zone)}"
        return f"{said}: “{visible(decision.reason)}”" if decision.reason else f"{said}."
    asked = " or ".join(names.get(person, person) for person in approval.ask["people"])
    if item.status is ApprovalStatus.PENDING:
        return f"Waits for {asked} until {instant(approval.deadline_at, zone)}."
    return f"{APPROVAL[item.status]} ({asked} was asked)."


def _tone(status: GoalStatus | TaskStatus) -> str:
    if status in _GOOD:
        return "good"
    if status in _BAD:
        return "bad"
    return "" if status in _NEUTRAL else "wait"


def _planner(author: str, names: Mapping[str, str]) -> str:
    kind, _, who = author.partition(":")
    if kind == "person":
        return names.get(who, who)
    return {"offline": "the offline planner", "model": f"the model {who}"}.get(kind, "")


def _zone_words(at: datetime, zone: ZoneInfo) -> str:
    return f"{zone.key.replace('_', ' ')} ({at.astimezone(zone):%Z})"
