"""Instants and periods: a day and a time of day together, in the person's zone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.planning.parse.clock import Span, find_span
from bot.planning.parse.days import Day, find_day, written
from bot.planning.parse.scan import Doubt, Found, matches, skip_spaces

_ON = re.compile(r"(?:on|for|in)\b", re.IGNORECASE)
_COMMA = re.compile(r" ?,? ?")
_WEEK = re.compile(r"(this|next) week", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class When:
    """A day, a time of day, or both, as far as they were written."""

    day: Day | None = None
    span: Span | None = None

    def merge(self, other: "When") -> "When | None":
        """Return both together, or None when they say the same thing twice."""
        if (self.day and other.day) or (self.span and other.span):
            return None
        return When(self.day or other.day, self.span or other.span)

    @property
    def note(self) -> str:
        return self.day.note if self.day else ""


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days, from the first to before the last."""

    first: Day
    until: date

    @property
    def note(self) -> str:
        return self.first.note


@dataclass(frozen=True, slots=True)
class Instants:
    """Start and end as RFC 3339 text with the zone's offset; `end` None where nothing gives it."""

    start: str
    end: str | None


def find_when(text: str, pos: int, *, today: date) -> Iterator[Found[When]]:
    """Yield the days and times that may be written at `pos`, the longest phrase first."""
    found = [*_days(text, pos, today), *_times(text, pos)]
    pairs = [
        Found(second.end, both)
        for first in found
        for second in _rest(text, first, today)
        if (both := first.value.merge(second.value)) is not None
    ]
    yield from sorted([*pairs, *found], key=lambda item: -item.end)


def find_period(text: str, pos: int, *, today: date) -> Iterator[Found[Period]]:
    """Yield the days or weeks that may be written at `pos`, the longest phrase first."""
    start = _skip(_ON, text, pos)
    for match in matches(_WEEK, text, start):
        monday = today - timedelta(days=today.weekday())
        if match[1].casefold() == "next":
            monday += timedelta(days=7)
        yield Found(match.end(), Period(Day(monday), monday + timedelta(days=7)))
    for found in _day(text, pos, today):
        yield Found(found.end, Period(found.value, found.value.day + timedelta(days=1)))


def resolve_when(
    when: When, *, now: datetime, zone: ZoneInfo, minutes: int | None
) -> Instants | Doubt:
    """Return start and end of something that is to come, or what to ask.

    Args:
        when: what was written.
        now: an aware instant.
        zone: where the person is.
        minutes: how long it takes, where that was written.
    """
    doubt = _doubt(when)
    if doubt is not None or when.day is None or when.span is None:
        return doubt or Doubt("On which day and at what time?")
    start = datetime.combine(when.day.day, when.span.start, zone)
    if start <= now:
        return Doubt(f"{_shown(start)} is in the past. When should it be?")
    if not _exists(start):
        return Doubt(f"{_shown(start)} does not exist: the clocks change. When should it be?")
    return _with_end(start, when.span, minutes)


def _doubt(when: When) -> Doubt | None:
    if when.day is None:
        return Doubt("On which day?")
    if when.day.doubt is not None:
        return when.day.doubt
    if when.span is None:
        return Doubt(f"At what time on {written(when.day.day)}?")
    return when.span.doubt


def resolve_period(period: Period, *, zone: ZoneInfo) -> Instants | Doubt:
    """Return the midnights around a period, or what to ask."""
    if period.first.doubt is not None:
        return period.first.doubt
    first = datetime.combine(period.first.day, time(), zone)
    return Instants(first.isoformat(), datetime.combine(period.until, time(), zone).isoformat())


def _with_end(start: datetime, span: Span, minutes: int | None) -> Instants | Doubt:
    length = None if minutes is None else timedelta(minutes=minutes)
    # Wall-clock arithmetic would be an hour off across a change of the clocks.
    end = None if length is None else (start.astimezone(UTC) + length).astimezone(start.tzinfo)
    if span.end is not None:
        until = datetime.combine(start.date(), span.end, start.tzinfo)
        if end is not None and end != until:
            return Doubt(f"Should it end at {until:%H:%M} or take {minutes} minutes?")
        end = until
    return Instants(start.isoformat(), end.isoformat() if end else None)


def _days(text: str, pos: int, today: date) -> list[Found[When]]:
    return [Found(item.end, When(day=item.value)) for item in _day(text, pos, today)]


def _day(text: str, pos: int, today: date) -> Iterator[Found[Day]]:
    # "in" belongs to "in three days" and is a mere preposition elsewhere.
    for start in dict.fromkeys((_skip(_ON, text, pos), pos)):
        yield from find_day(text, start, today=today)


def _times(text: str, pos: int) -> list[Found[When]]:
    return [Found(item.end, When(span=item.value)) for item in find_span(text, pos)]


def _rest(text: str, first: Found[When], today: date) -> list[Found[When]]:
    comma = _COMMA.match(text, first.end)
    pos = comma.end() if comma else first.end
    return _times(text, pos) if first.value.span is None else _days(text, pos, today)


def _skip(word: re.Pattern[str], text: str, pos: int) -> int:
    match = word.match(text, skip_spaces(text, pos))
    return match.end() if match else pos


def _exists(moment: datetime) -> bool:
    """Return whether the wall clock shows this time: not within an hour that is skipped."""
    there = moment.astimezone(UTC).astimezone(moment.tzinfo)
    return there.replace(tzinfo=None) == moment.replace(tzinfo=None)


def _shown(moment: datetime) -> str:
    return f"{written(moment.date())} {moment:%H:%M}"
