"""When a wait ends: local times by IANA zones, ISO 8601 durations, and what the clocks skip.

A wall-clock time stays what it is across a change of the clocks: 09:00 is 09:00. A time that the
clocks skip in spring means the first instant after the gap; one that they show twice in autumn
means the first of the two (PEP 495, fold=0).
"""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MAX_AHEAD = timedelta(days=731)
"""Two years: what lies further off is a slip of the pen, or nothing that a message can promise."""

DEFAULT_TIME = time(9)
"""When a date begins for somebody who names no time of day."""

_DURATION = re.compile(
    r"P(?=\d|T\d)(?:(?P<years>\d{1,4})Y)?(?:(?P<months>\d{1,4})M)?(?:(?P<weeks>\d{1,4})W)?"
    r"(?:(?P<days>\d{1,5})D)?(?:T(?=\d)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,7})M)?"
    r"(?:(?P<seconds>\d{1,9})S)?)?"
)
_GAP = timedelta(hours=26)
"""No clock was ever set on by more: Samoa's whole day of 2011 is the largest step."""


class MomentError(ValueError):
    """What was written is no date, instant or duration; the message says what would be one."""


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time: years to days are steps of the calendar, hours to seconds are exact."""

    months: int = 0
    days: int = 0
    exact: timedelta = timedelta()

    @classmethod
    def parse(cls, text: str) -> "Duration":
        """Return the duration that an ISO 8601 text names: "P3D", "PT2H", "P1M".

        Raises:
            MomentError: it is none, or it is nothing at all.
        """
        found = _DURATION.fullmatch(text.strip())
        if found is None:
            raise MomentError('a duration is ISO 8601: "P3D", "P2W", "PT4H"')
        part = {name: int(digits or 0) for name, digits in found.groupdict().items()}
        duration = cls(
            months=part["years"] * 12 + part["months"],
            days=part["weeks"] * 7 + part["days"],
            exact=timedelta(hours=part["hours"], minutes=part["minutes"], seconds=part["seconds"]),
        )
        if duration == cls():
            raise MomentError("a wait lasts longer than nothing")
        return duration

    def after(self, start: datetime, zone: ZoneInfo) -> datetime:
        """Return the instant so long after `start`, by the calendar of `zone`.

        Raises:
            MomentError: it is too far ahead.
        """
        local = start.astimezone(zone)
        try:
            day = _add_months(local.date(), self.months) + timedelta(days=self.days)
            if day != local.date():
                local = first_instant(datetime.combine(day, local.time()), zone)
            return local.astimezone(UTC) + self.exact
        except OverflowError as error:
            raise MomentError(TOO_FAR) from error

    def words(self) -> str:
        """Return it as people say it: "14 days", "1 hour 30 minutes"."""
        minutes, seconds = divmod(int(self.exact.total_seconds()), 60)
        hours, minutes = divmod(minutes, 60)
        years, months = divmod(self.months, 12)
        counts = zip(
            ("year", "month", "day", "hour", "minute", "second"),
            (years, months, self.days, hours, minutes, seconds),
            strict=True,
        )
        return " ".join(f"{n} {unit}{'' if n == 1 else 's'}" for unit, n in counts if n)


TOO_FAR = "that is more than two years ahead"


def read_until(text: str, *, at: str | None, zone: ZoneInfo) -> datetime:
    """Return the instant of a date, a local time, or an instant with its offset.

    With `at` it is that time of day on the day that the text names in `zone`.

    Raises:
        MomentError: it is none of these.
    """
    value = text.strip()
    try:
        if len(value) == len("2026-12-01"):
            return first_instant(_combine(date.fromisoformat(value), at or None), zone)
        moment = datetime.fromisoformat(value)
        if at is not None:
            day = (moment.astimezone(zone) if moment.tzinfo else moment).date()
            return first_instant(_combine(day, at), zone)
        return first_instant(moment, zone) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise MomentError('"until" is a date (2026-12-01) or an ISO 8601 instant') from error


def first_instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant at which the clocks of `zone` show or have passed a time."""
    moment = local.replace(tzinfo=zone, fold=0)
    instant = moment.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return instant
    # In the gap: find the change of the clocks, which lies just before what fold=0 computes.
    low, high = instant - _GAP, instant
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def _combine(day: date, at: str | None) -> datetime:
    return datetime.combine(day, time.fromisoformat(at) if at else DEFAULT_TIME)


def _add_months(day: date, months: int) -> date:
    """Return the same day of a later month, or its last day: 31 January + 1 month = 28 February."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    if year > date.max.year:
        raise OverflowError
    return day.replace(
        year=year, month=month + 1, day=min(day.day, calendar.monthrange(year, month + 1)[1])
    )
