"""The timeline of a goal's page: audit rows in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Happening:
    """One audit row of a goal."""

    at: datetime
    tag: str
    actor: str
    data: Mapping[str, Any]


_GOAL = {
    "receive": "asked for this",
    "planning": "began to work out the steps",
    "asking": "asked a question",
    "proposed": "showed the plan",
    "running": "set the plan going",
    "waiting": "paused until something happens",
    "paused": "paused the goal",
    "done": "finished",
    "partly_done": "finished in part",
    "failed": "could not do it",
    "cancelled": "cancelled it",
    "out_of_budget": "stopped it: a budget is used up",
    "undo": "began to undo it",
}
_TASK = {
    "ready": "got ready",
    "needs_connection": "needs a connection",
    "asking": "asked for another value",
    "needs_approval": "put up for approval",
    "waiting": "waits",
    "running": "began",
    "succeeded": "done",
    "failed": "failed",
    "unknown": "outcome unknown",
    "declined": "not approved",
    "cancelled": "cancelled",
    "skipped": "skipped",
    "undone": "undone",
}
_APPROVAL = {
    "ask": "asked for an approval",
    "approved": "approved",
    "rejected": "rejected",
    "expired": "let the deadline pass: the approval expired",
    "withdrawn": "withdrew the question",
    "superseded": "replaced the question by a newer one",
    "used": "used the approval for its one execution",
}
_PAGE = {"link": "opened a link to this page"}
_PLAN = {
    "adopt": "made the plan",
    "edit": "changed the plan",
    "ask_again": "asked the planner again",
    "revise": "changed the plan",
    "stay": "left the plan as it is",
}
_HANDOFF = {"open": "handed it to a person", "settle": "looked, and settled what was handed over"}
_NOUNS = {
    "goal": _GOAL,
    "approval": _APPROVAL,
    "page": _PAGE,
    "plan": _PLAN,
    "handoff": _HANDOFF,
}
_MINOR = frozenset({"task:ready", "goal:waiting"})
"""Moves that say nothing to a reader: what follows them does."""


def told(happenings: Sequence[Happening]) -> list[Happening]:
    """Return what a reader wants to know, in order."""
    return [item for item in happenings if item.tag.partition(":")[2] not in _MINOR]


def is_known(tag: str) -> bool:
    """Whether an audit row of a goal has words of its own; others are shown as their tag."""
    _, noun, verb = (*tag.split(":"), "", "")[:3]
    return verb in (_TASK if noun == "task" else _NOUNS.get(noun, {}))


def words(happening: Happening, *, sentences: Mapping[str, str]) -> str:
    """Return what happened, to follow the name of who did it.

    Args:
        happening: an audit row.
        sentences: task key → the step as a sentence.
    """
    _, noun, verb = (*happening.tag.split(":"), "", "")[:3]
    if noun == "task":
        key = str(happening.data.get("task", ""))
        return f"{_TASK.get(verb, verb)}: {sentences.get(key, key)}"
    said = _NOUNS.get(noun, {}).get(verb, f"{noun} {verb}".replace("_", " ").strip())
    version = happening.data.get("version")
    if noun == "plan" and version is not None:
        said = f"{said} (version {version})"
    reason = happening.data.get("reason")
    return f"{said}: {reason}" if reason else said
