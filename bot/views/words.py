"""One word per thing on every card: states, labels, instants."""

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.engine.cards import ShownDetail
from bot.views.text import defang, one_line
from connectors.labels import Label
from storage.tables.approvals import ApprovalStatus
from storage.tables.goals import GoalStatus, TaskStatus

GOAL = {
    GoalStatus.RECEIVED: "On it",
    GoalStatus.PLANNING: "Working out the steps",
    GoalStatus.ASKING: "I need one thing from you",
    GoalStatus.PROPOSED: "Ready to run",
    GoalStatus.RUNNING: "Running",
    GoalStatus.WAITING: "Waiting",
    GoalStatus.PAUSED: "Paused",
    GoalStatus.DONE: "Done",
    GoalStatus.PARTLY_DONE: "Partly done",
    GoalStatus.FAILED: "Not done",
    GoalStatus.CANCELLED: "Cancelled",
}

TASK = {
    TaskStatus.PENDING: "comes next",
    TaskStatus.READY: "about to run",
    TaskStatus.SKIPPED: "skipped",
    TaskStatus.NEEDS_CONNECTION: "needs a connection",
    TaskStatus.NEEDS_APPROVAL: "waits for approval",
    TaskStatus.WAITING: "waiting",
    TaskStatus.RUNNING: "running",
    TaskStatus.SUCCEEDED: "done",
    TaskStatus.FAILED: "failed",
    TaskStatus.UNKNOWN: "outcome unknown",
    TaskStatus.DECLINED: "not approved",
    TaskStatus.CANCELLED: "cancelled",
    TaskStatus.UNDONE: "undone",
}

TASK_SIGN = {
    TaskStatus.SUCCEEDED: "✓",
    TaskStatus.UNDONE: "↶",
    TaskStatus.FAILED: "✗",
    TaskStatus.DECLINED: "✗",
    TaskStatus.CANCELLED: "✗",
    TaskStatus.UNKNOWN: "?",
    TaskStatus.SKIPPED: "-",
}

APPROVAL = {
    ApprovalStatus.PENDING: "Waiting for a decision",
    ApprovalStatus.APPROVED: "Approved",
    ApprovalStatus.REJECTED: "Rejected",
    ApprovalStatus.EXPIRED: "Expired: nothing was done",
    ApprovalStatus.WITHDRAWN: "Withdrawn: nothing was done",
    ApprovalStatus.SUPERSEDED: "Replaced by a newer question: nothing was done",
    ApprovalStatus.USED: "Approved",
}

_LABEL = {
    Label.OUTSIDE: "from outside: check it",
    Label.MODEL: "the model suggested this",
    Label.PROFILE: "remembered about you",
}


def label(value: Label | None) -> str | None:
    """Return what to say about where a value came from; None when that needs no saying."""
    return None if value is None else _LABEL.get(value)


def detail(shown: ShownDetail) -> str:
    """Return one value as a line: name, before → after, its label in words."""
    outside = shown.label is Label.OUTSIDE
    given = shown.detail
    value = defang(given.value) if outside else given.value
    changed = f"{one_line(given.before)} → {value}" if given.before is not None else value
    words = label(shown.label)
    return f"{given.name}: {changed}" + (f"  ({words})" if words else "")


def instant(at: datetime, zone: ZoneInfo) -> str:
    """Return an instant in somebody's zone: "Sun 22 Nov 09:12 CET"."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %H:%M %Z}"
