"""Times of events: which ones a change gives, and how a card says them."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.errors import RejectedError
from connectors.google_calendar.schemas import EventChange, Snapshot

_DAY_LENGTH = len("2026-11-24")


def is_day(text: str) -> bool:
    """Whether a time is a whole day rather than an instant."""
    return len(text) == _DAY_LENGTH


def moment_body(text: str, *, zone: str) -> dict[str, Any]:
    """Return a start or end as a patch sends it; the other form of time is cleared."""
    if is_day(text):
        return {"date": text, "dateTime": None, "timeZone": None}
    named = {"timeZone": zone} if zone else {}
    return {"date": None, "dateTime": text, **named}


def is_same_time(one: str, other: str) -> bool:
    """Whether two times are the same day or the same instant, whatever their offsets."""
    if is_day(one) or is_day(other) or not (one and other):
        return one == other
    return datetime.fromisoformat(one) == datetime.fromisoformat(other)


def new_span(change: EventChange, before: Snapshot) -> tuple[str, str] | None:
    """Return the start and end that a change gives, or None where it moves nothing.

    A new start alone keeps the length.

    Raises:
        RejectedError: the times are not enough, or the event would end before it starts.
    """
    if change.start is None and change.end is None:
        return None
    if change.start is not None and change.end is not None:
        return change.start.isoformat(), change.end.isoformat()
    if is_day(before.start) or not (before.start and before.end):
        raise RejectedError(
            "The event lasts whole days. Say both when it starts and when it ends.",
            kind="invalid",
            fields=("start", "end"),
        )
    old_start, old_end = map(datetime.fromisoformat, (before.start, before.end))
    if change.start is not None:
        return change.start.isoformat(), (change.start + (old_end - old_start)).isoformat()
    end = change.end or old_end
    if end <= old_start:
        raise RejectedError(
            "The event would end before it starts. Give another end, or change both.",
            kind="invalid",
            fields=("end", "start"),
        )
    return before.start, end.isoformat()


def zone_of(name: str, *, otherwise: ZoneInfo) -> ZoneInfo:
    """Return a zone by name; `otherwise` where the name is empty or unknown here."""
    try:
        return ZoneInfo(name) if name else otherwise
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return otherwise


def span_text(start: str, end: str, *, zone: ZoneInfo, with_year: bool = False) -> str:
    """Return a span as a person reads it: "Tue 24 Nov 10:00–10:30 CET"."""  # noqa: RUF002 -- an en dash spans
    if not (start and end):
        return "at an unknown time"
    if is_day(start):
        first, last = date.fromisoformat(start), date.fromisoformat(end) - timedelta(days=1)
        days = _day(first, with_year=with_year)
        if last > first:
            days += f" – {_day(last, with_year=with_year)}"  # noqa: RUF001 -- an en dash spans
        return f"{days}, all day"
    first_at, last_at = (datetime.fromisoformat(text).astimezone(zone) for text in (start, end))
    head = f"{_day(first_at, with_year=with_year)} {first_at:%H:%M}"
    if first_at.tzname() != last_at.tzname():
        head += f" {_zone_text(first_at)}"
    if first_at.date() == last_at.date():
        return f"{head}–{last_at:%H:%M} {_zone_text(last_at)}"  # noqa: RUF001 -- as above
    tail = f"{_day(last_at, with_year=with_year)} {last_at:%H:%M} {_zone_text(last_at)}"
    return f"{head} – {tail}"  # noqa: RUF001 -- as above


def _day(day: date, *, with_year: bool) -> str:
    text = f"{day:%a} {day.day} {day:%b}"
    return f"{text} {day.year}" if with_year else text


def _zone_text(moment: datetime) -> str:
    """Return "CET"; where a zone has no letters of its own, "UTC+04" for "+04"."""
    name = moment.tzname() or "UTC"
    return f"UTC{name}" if name[0] in "+-" else name
