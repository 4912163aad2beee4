"""A wait before everything else: "wait until Friday at 9, then …", "in three days, …".

Only at the beginning of a message, and only in words that mean nothing else: "on Friday at 9, book
…" may be the time of the event. A message that waits may name no other day or time, because
"tomorrow" would then mean two days.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import JsonValue

from bot.planning.offline.matcher import Clause
from bot.planning.offline.values import Surroundings
from bot.planning.offline.vocabulary import POLITE_START
from bot.planning.parse.days import written
from bot.planning.parse.instants import Period, When, find_when
from bot.planning.parse.scan import NUMBER_WORDS, Doubt

_COUNT = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
_LENGTH = rf"(?P<n>\d{{1,4}}|{_COUNT}) (?P<unit>minute|hour|day|week|month|year)s?"
_AFTER = re.compile(rf"in {_LENGTH}, (?:please )?", re.IGNORECASE)
_FOR = re.compile(rf"wait (?:for )?{_LENGTH}", re.IGNORECASE)
_UNTIL = re.compile(r"wait (?:until|till) ", re.IGNORECASE)
_THEN = re.compile(r"(?:,? and then|,? then|, and|,) (?:please )?", re.IGNORECASE)
_UNITS = {
    "minute": "PT{}M",
    "hour": "PT{}H",
    "day": "P{}D",
    "week": "P{}W",
    "month": "P{}M",
    "year": "P{}Y",
}


@dataclass(frozen=True, slots=True)
class Delay:
    """What a message waits for first, where the rest of it begins, and what to say about it."""

    wait: JsonValue
    end: int
    note: str = ""


def find_delay(text: str, around: Surroundings) -> Delay | Doubt | None:
    """Return what a message waits for before all else; a doubt where its day is uncertain."""
    polite = POLITE_START.match(text)
    start = polite.end() if polite else 0
    if (after := _AFTER.match(text, start)) is not None:
        return Delay(_duration(after), after.end())
    if (length := _FOR.match(text, start)) is not None:
        then = _THEN.match(text, length.end())
        return Delay(_duration(length), then.end()) if then else None
    until = _UNTIL.match(text, start)
    return _until(text, until.end(), around) if until else None


def names_a_time(clauses: Iterable[Clause]) -> bool:
    """Return whether clauses name a day or a time of their own."""
    return any(
        isinstance(value, (When, Period)) for clause in clauses for value in clause.values.values()
    )


def _duration(match: re.Match[str]) -> JsonValue:
    count = NUMBER_WORDS.get(match["n"].casefold(), match["n"])
    return {"for": _UNITS[match["unit"].casefold()].format(count)}


def _until(text: str, pos: int, around: Surroundings) -> Delay | Doubt | None:
    for found in find_when(text, pos, today=around.today):
        then = _THEN.match(text, found.end)
        when = found.value
        if then is None or (when.span is not None and when.span.end is not None):
            continue
        doubt = (when.day.doubt if when.day else Doubt("On which day?")) or (
            when.span.doubt if when.span else None
        )
        if doubt is not None or when.day is None:
            return doubt
        if when.day.day < around.today:
            return Doubt(f"{written(when.day.day)} is in the past. Until when should I wait?")
        at = f"{when.span.start:%H:%M}" if when.span else None
        return Delay({"until": when.day.day.isoformat(), "at": at}, then.end(), when.note)
    return None
