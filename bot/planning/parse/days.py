"""Days as people write them: tomorrow · next Tuesday · 24 November · 2026-11-24 · in two weeks.

"Tuesday" and "this Tuesday" are the first Tuesday after today (on a Tuesday, "this Tuesday" is
today); "next Tuesday" is the Tuesday of the next calendar week, which begins on Monday. Where
another reading is common the value says so in a note; the card shows the full date anyway.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import dateparser

from bot.planning.parse.scan import NUMBER_WORDS, Doubt, Found, matches

_WEEKDAYS = (
    ("monday", "mon"),
    ("tuesday", "tues", "tue"),
    ("wednesday", "wed"),
    ("thursday", "thurs", "thur", "thu"),
    ("friday", "fri"),
    ("saturday", "sat"),
    ("sunday", "sun"),
)
_NUMBER_OF = {name: number for number, names in enumerate(_WEEKDAYS) for name in names}
_WEEKDAY = "|".join(sorted(_NUMBER_OF, key=len, reverse=True))
_MONTH = (
    "january|february|march|april|may|june|july|august|september|october|november|december"
    "|jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec"
)
_COUNT = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
_DAY_MONTH = rf"(?:the )?(\d{{1,2}})(?:st|nd|rd|th)?\.?(?: of)? ({_MONTH})\.?(?:,? (\d{{4}}))?"
_MONTH_DAY = rf"({_MONTH})\.? (?:the )?(\d{{1,2}})(?:st|nd|rd|th)?(?:,? (\d{{4}}))?(?![:.]\d|\d)"


@dataclass(frozen=True, slots=True)
class Day:
    """A day, or why the words name none with certainty.

    Attributes:
        day: the day; meaningless when `doubt` is set.
        doubt: what to ask; None when the day is certain.
        note: how the words were read, where another reading is common.
    """

    day: date
    doubt: Doubt | None = None
    note: str = ""


def find_day(text: str, pos: int, *, today: date) -> Iterator[Found[Day]]:
    """Yield the days that may be written at `pos`, the longest phrase first."""
    found = [
        Found(match.end(), day)
        for pattern, read in _FORMS
        for match in matches(pattern, text, pos)
        if (day := read(match, today)) is not None
    ]
    yield from sorted(found, key=lambda item: -item.end)


def written(day: date) -> str:
    """Return a day as cards write it: "Tue 24 Nov 2026"."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def _relative(match: re.Match[str], today: date) -> Day:
    words = match[0].casefold()
    if "after" in words:
        return Day(today + timedelta(days=2))
    if "before" in words:
        return Day(today - timedelta(days=2))
    return Day(today + timedelta(days={"today": 0, "tomorrow": 1, "yesterday": -1}[words]))


def _in_some_time(match: re.Match[str], today: date) -> Day:
    word = match[1].casefold()
    count = NUMBER_WORDS.get(word) or int(word)
    return Day(today + timedelta(days=count * (7 if match[2].casefold() == "week" else 1)))


def _weekday(match: re.Match[str], today: date) -> Day:
    which = (match[1] or "").casefold()
    ahead = (_NUMBER_OF[match[2].casefold()] - today.weekday()) % 7
    soonest = today + timedelta(days=ahead or 7)
    if which == "this" and ahead == 0:
        return Day(today)
    if which == "next":
        monday = today + timedelta(days=7 - today.weekday())
        day = monday + timedelta(days=_NUMBER_OF[match[2].casefold()])
        return Day(day, note=_note(match, day) if day != soonest else "")
    return Day(soonest, note=_note(match, soonest) if ahead == 0 else "")


def _last_weekday(match: re.Match[str], today: date) -> Day:
    behind = (today.weekday() - _NUMBER_OF[match[1].casefold()]) % 7
    return Day(today - timedelta(days=behind or 7))


def _note(match: re.Match[str], day: date) -> str:
    return f"I read “{match[0]}” as {written(day)}."


def _named_month(match: re.Match[str], today: date) -> Day | None:
    parsed = dateparser.parse(
        match[0].replace("the ", ""),
        languages=["en"],
        settings={
            "RELATIVE_BASE": datetime.combine(today, time()),
            "PREFER_DATES_FROM": "future",
            "REQUIRE_PARTS": ["day", "month"],
        },
    )
    return None if parsed is None else Day(parsed.date())


def _weekday_and_date(match: re.Match[str], today: date) -> Day | None:
    for found in find_day(match[2], 0, today=today):
        if found.end != len(match[2]) or found.value.doubt:
            continue
        day = found.value.day
        if day.weekday() == _NUMBER_OF[match[1].casefold()]:
            return found.value
        question = f"{day.day} {day:%B %Y} is a {day:%A}. Which day do you mean?"
        return Day(day, Doubt(question, match[0], (match[2], match[1])))
    return None


def _iso(match: re.Match[str], _today: date) -> Day | None:
    return _certain(int(match[1]), int(match[2]), int(match[3]))


def _dotted(match: re.Match[str], today: date) -> Day | None:
    """Read 24.11. or 24.11.2026: day first, as everywhere that writes dots."""
    if match[3]:
        return _certain(int(match[3]), int(match[2]), int(match[1]))
    day = _certain(today.year, int(match[2]), int(match[1]))
    if day is not None and day.day < today:
        return _certain(today.year + 1, int(match[2]), int(match[1]))
    return day


def _slashed(match: re.Match[str], _today: date) -> Day | None:
    first, second, year = int(match[1]), int(match[2]), int(match[3])
    readings = {_certain(year, second, first), _certain(year, first, second)} - {None}
    if len(readings) == 1:
        return readings.pop()
    days = sorted(reading.day for reading in readings if reading is not None)
    if not days:
        return None
    shown = tuple(f"{day.day} {day:%B %Y}" for day in days)
    return Day(days[0], Doubt(f"Is {match[0]} {' or '.join(shown)}?", match[0], shown))


def _certain(year: int, month: int, day: int) -> Day | None:
    try:
        return Day(date(year, month, day))
    except ValueError:
        return None


_Read = Callable[[re.Match[str], date], Day | None]
_ABSOLUTE = rf"{_DAY_MONTH}|{_MONTH_DAY}|\d{{4}}-\d\d-\d\d|\d{{1,2}}\.\d{{1,2}}\.(?:\d{{4}})?"
_FORMS: tuple[tuple[re.Pattern[str], _Read], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), read)
    for pattern, read in (
        (r"today|tomorrow|yesterday", _relative),
        (r"(?:the )?day (?:after tomorrow|before yesterday)", _relative),
        (rf"in (\d{{1,2}}|{_COUNT}) (day|week)s?", _in_some_time),
        (rf"(?:(this|next|coming|the coming) )?({_WEEKDAY})", _weekday),
        (rf"last ({_WEEKDAY})", _last_weekday),
        (_DAY_MONTH, _named_month),
        (_MONTH_DAY, _named_month),
        (rf"({_WEEKDAY}),? ((?:the )?(?:{_ABSOLUTE}))", _weekday_and_date),
        (r"(\d{4})-(\d\d)-(\d\d)", _iso),
        (r"(\d{1,2})\.(\d{1,2})\.(\d{4})?", _dotted),
        (r"(\d{1,2})/(\d{1,2})/(\d{4})", _slashed),
    )
)
