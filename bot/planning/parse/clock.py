"""Times of day as people write them: at 10 · 10:30 · 3pm · noon · from 10 to 11 · 10:00-10:30.

The clock has 24 hours. One to six without am, pm or a leading zero is in doubt, and so asked.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time

from bot.planning.parse.scan import Doubt, Found, matches

_HALF = (
    r"(?: ?(?P<half{n}>[ap]\.?m\b\.?)"
    r"|(?: in the (?P<part{n}>morning|afternoon|evening)))?"
)
_TIME = r"(?P<hour{n}>\d{{1,2}})(?:[:.](?P<minute{n}>\d\d))?(?: o'clock\b)?" + _HALF
_ONE = re.compile(
    rf"(?P<at>(?:at|@|from|starting at|starting) ?)?{_TIME.format(n=1)}", re.IGNORECASE
)
_RANGE = re.compile(
    rf"(?P<at>from |between |at )?{_TIME.format(n=1)}"
    rf" ?(?:[-\u2013\u2014]|to|until|till|and) ?{_TIME.format(n=2)}",
    re.IGNORECASE,
)
_NAMED = re.compile(r"(?:at )?(?P<name>noon|midday|midnight)", re.IGNORECASE)

_FIRST_CERTAIN_HOUR = 7
_NOON = 12


@dataclass(frozen=True, slots=True)
class Span:
    """A time of day and, where a range was written, its end; `doubt` asks what is uncertain."""

    start: time
    end: time | None = None
    doubt: Doubt | None = None


@dataclass(frozen=True, slots=True)
class _Written:
    """One time as written: its digits, and whether they leave morning or afternoon open."""

    hour: int
    minute: int
    is_open: bool

    def plus_half(self) -> "_Written":
        return _Written(self.hour + _NOON, self.minute, is_open=False)

    @property
    def minutes(self) -> int:
        return self.hour * 60 + self.minute

    @property
    def time(self) -> time:
        return time(self.hour, self.minute)


def find_span(text: str, pos: int) -> Iterator[Found[Span]]:
    """Yield the times that may be written at `pos`, the longest phrase first."""
    for match in matches(_RANGE, text, pos):
        span = _range(match)
        if span is not None:
            yield Found(match.end(), span)
    for match in matches(_NAMED, text, pos):
        yield Found(match.end(), Span(time(0 if match["name"].casefold() == "midnight" else 12)))
    for match in matches(_ONE, text, pos):
        one = _read(match, 1)
        if one is not None and (match["at"] or _is_plainly_a_time(match, 1)):
            yield Found(match.end(), Span(one.time, doubt=_doubt(match[0], one)))


def _range(match: re.Match[str]) -> Span | None:
    prefix = (match["at"] or "").strip().casefold()
    joined_by_and = re.search(r"\band\b", match[0], re.IGNORECASE) is not None
    if joined_by_and != (prefix == "between"):
        return None
    dashed = re.search(r"\d ?[-\u2013\u2014] ?\d", match[0]) is not None
    plain = _is_plainly_a_time(match, 1) or _is_plainly_a_time(match, 2)
    if not (prefix or dashed or plain):
        return None
    start, end = _read(match, 1), _read(match, 2)
    if start is None or end is None:
        return None
    half_is_shared = bool(_half(match, 2)) and not _half(match, 1)
    return _span(start, end, words=match[0], half_is_shared=half_is_shared)


def _span(start: _Written, end: _Written, *, words: str, half_is_shared: bool) -> Span | None:
    """Return a range; "2 to 3pm" is both in the afternoon, "11 to 1" ends after it begins."""
    if half_is_shared and end.hour >= _NOON and start.hour < _NOON:
        later = start.plus_half()
        start = later if later.minutes < end.minutes else start
        start = _Written(start.hour, start.minute, is_open=False)
    if end.minutes <= start.minutes and end.hour < _NOON:
        end = end.plus_half()
    if end.minutes <= start.minutes:
        return None
    return Span(start.time, end.time, _doubt(words, start, end))


def _read(match: re.Match[str], number: int) -> _Written | None:
    digits, half = match[f"hour{number}"], _half(match, number)
    hour, minute = int(digits), int(match[f"minute{number}"] or 0)
    if half:
        if not 1 <= hour <= _NOON:
            return None
        hour = hour % _NOON + (_NOON if half == "p" else 0)
    if hour > 23 or minute > 59:  # noqa: PLR2004 -- the clock's own limits
        return None
    is_open = not half and not digits.startswith("0") and 1 <= hour < _FIRST_CERTAIN_HOUR
    return _Written(hour, minute, is_open)


def _half(match: re.Match[str], number: int) -> str:
    """Return "a" or "p" where the words say which half of the day it is, else ""."""
    if match[f"half{number}"]:
        return match[f"half{number}"][0].casefold()
    part = (match[f"part{number}"] or "").casefold()
    return {"morning": "a", "afternoon": "p", "evening": "p"}.get(part, "")


def _is_plainly_a_time(match: re.Match[str], number: int) -> bool:
    """Return whether it reads as a time without an "at": it has minutes, am or pm, o'clock."""
    group = match[f"minute{number}"] or _half(match, number)
    return bool(group) or "o'clock" in match[0].casefold()


def _doubt(words: str, start: _Written, end: _Written | None = None) -> Doubt | None:
    if not start.is_open:
        return None
    later = start.plus_half()
    question = f"Do you mean {start.time:%H:%M} or {later.time:%H:%M}?"
    if end is None:
        return Doubt(question, words, (f"at {start.time:%H:%M}", f"at {later.time:%H:%M}"))
    closing = end.plus_half() if end.hour < _NOON else end
    readings = ((start.time, end.time), (later.time, closing.time))
    return Doubt(question, words, tuple(f"from {a:%H:%M} to {b:%H:%M}" for a, b in readings))
