"""Words of a digest's lines: short, plain, one line each."""

from datetime import datetime
from zoneinfo import ZoneInfo

from storage.tables.goals import Goal

_GOAL_SHOWN = 70
_SENTENCE_SHOWN = 110


def quoted(goal: Goal) -> str:
    """Return what the person asked for, in quotes."""
    return f"“{_short(goal.text, _GOAL_SHOWN)}”"


def sentence(text: str) -> str:
    """Return a sentence short enough for a line."""
    return _short(text, _SENTENCE_SHOWN)


def instant(at: datetime, zone: ZoneInfo) -> str:
    """Return an instant as the reader's clock shows it: "Tue 24 Nov 10:00 CET"."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %H:%M %Z}"


def _short(text: str, most: int) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= most else f"{one_line[: most - 1].rstrip()}…"
