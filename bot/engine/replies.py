"""Replies: the words of an answer as the text that a form's input would hold."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from bot.engine.forms import input_kind
from bot.engine.targets import combined
from bot.planning.changes import read_value
from bot.planning.parse.instants import When
from bot.planning.parse.money import Money
from bot.planning.text import folded, plain
from connectors.actions import Action

_LEAVE_OUT = re.compile(
    r"(?:please )?(?:leave|drop|skip)(?: (?:it|this|that)(?: step| one)?| (?:the|this|that) step)?"
    r"(?: out)?(?: please)?[.!]*"
)


def leaves_out(text: str) -> bool:
    """Whether words say that the step is to be left out: "leave it out", "skip this step"."""
    return _LEAVE_OUT.fullmatch(folded(" ".join(plain(text).split()))) is not None


def read_reply(
    action: Action, name: str, text: str, *, before: JsonValue, now: datetime, zone: ZoneInfo
) -> str:
    """Return a new value as its input takes it: "Thursday 3pm" as an instant, "60k" as a number.

    What is read as neither is returned as it was written; the form's own check says what is wrong.

    Args:
        action: declares the argument.
        name: the argument's.
        text: the whole message.
        before: the value that was refused; what the words leave out of an instant stays as it was.
        now: an aware instant.
        zone: where the person is.
    """
    said = " ".join(plain(text).split())
    kind = input_kind(action, name, before)
    value = read_value(said, today=now.astimezone(zone).date())
    if kind == "number" and isinstance(value, Money):
        return value.amount
    if kind == "datetime" and isinstance(value, When):
        old = datetime.fromisoformat(before) if isinstance(before, str) else None
        start = combined(value, old, zone=zone, now=now)
        if isinstance(start, datetime):
            return start.astimezone(zone).isoformat()
    return said
