"""One word per thing on every card: states, labels, instants."""

import re
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.engine.cards import BY_RUN, NOBODY, GoalCard, ShownDetail
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

ANSWERED = "Answered"

TASK = {
    TaskStatus.PENDING: "comes next",
    TaskStatus.READY: "about to run",
    TaskStatus.SKIPPED: "skipped",
    TaskStatus.NEEDS_CONNECTION: "waits for a connection",
    TaskStatus.ASKING: "waits for your answer",
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

_UNDECIDED = frozenset({TaskStatus.PENDING, TaskStatus.NEEDS_APPROVAL})
_NOW = frozenset({TaskStatus.READY, TaskStatus.RUNNING})
_MINUTE_S = 60
_HOUR_S = 3600
_MAY_WAIT = frozenset({GoalStatus.PLANNING, GoalStatus.WAITING})
_YEAR = re.compile(r" \d{4}\b")

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


def headline(card: GoalCard) -> str:
    """Return the state of a goal; one that waits says on what."""
    if card.status is GoalStatus.DONE and all(step.is_read for step in card.steps):
        return ANSWERED
    if card.halted:
        return "Halted"
    if held := _held(card):
        return held
    if card.status not in _MAY_WAIT:
        return GOAL[card.status]
    return _waiting(card) or GOAL[card.status]


def _held(card: GoalCard) -> str:
    """Return that a goal waits for a provider, where every step that could run does."""
    if card.status not in (GoalStatus.PLANNING, GoalStatus.RUNNING):
        return ""
    now = [step for step in card.every_step if step.status in _NOW]
    providers = [step.provider for step in now if step.status is TaskStatus.READY and step.problem]
    return f"Waiting for {listed(providers)}" if now and len(providers) == len(now) else ""


def _waiting(card: GoalCard) -> str:
    steps = card.every_step
    unconnected = [s.provider for s in steps if s.status is TaskStatus.NEEDS_CONNECTION]
    asked = [s.asked for s in steps if s.status is TaskStatus.NEEDS_APPROVAL and s.asked]
    awaited = [f"you to connect {listed(unconnected)}"] if unconnected else []
    awaited += [f"{listed(asked)} to approve"] if asked else []
    if any(step.status is TaskStatus.ASKING for step in steps):
        awaited.append("your answer")
    if any(step.status is TaskStatus.UNKNOWN for step in steps):
        awaited.append("you to say what happened")
    if awaited:
        return f"Waiting for {', and for '.join(awaited)}"
    every = [one for step in steps for one in (step, *step.rows)]
    until = [one.waits for one in every if one.status is TaskStatus.WAITING and one.waits]
    return f"Waiting {until[0].removeprefix('waits ')}" if until else ""


def takes(card: GoalCard) -> str:
    """Return how long what is left takes: "about 3 s, plus the time Mo Haddad takes"."""
    if card.estimate_s is None:
        return ""
    said = duration(card.estimate_s)
    if any(step.waits for step in card.every_step):
        said += " besides the wait"
    people = [
        step.asked
        for step in card.every_step
        if step.asked and step.asked not in (BY_RUN, NOBODY) and step.status in _UNDECIDED
    ]
    names = listed(people) if people else ""
    verb = "take" if names == "you" else "takes"
    return f"{said}, plus the time {names} {verb}" if names else said


def duration(seconds: float) -> str:
    """Return a length of time as people say it; nobody needs it exactly."""
    if seconds < _MINUTE_S:
        return f"about {max(round(seconds), 1)} s"
    if seconds < 2 * _HOUR_S:
        return f"about {round(seconds / _MINUTE_S)} min"
    return f"about {round(seconds / _HOUR_S)} h"


def listed(words: Sequence[str]) -> str:
    """Return "a", "a and b", "a, b and c", each once."""
    *first, last = dict.fromkeys(words)
    return f"{', '.join(first)} and {last}" if first else last


def is_said(shown: ShownDetail, sentence: str) -> bool:
    """Whether a sentence says a value already: not if it changes, or needs a mark."""
    given = shown.detail
    if given.before is not None or label(shown.label) is not None:
        return False
    return given.value in sentence or _YEAR.sub("", given.value) in sentence


def instant(at: datetime, zone: ZoneInfo) -> str:
    """Return an instant in somebody's zone: "Sun 22 Nov 09:12 CET"."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %H:%M %Z}"
