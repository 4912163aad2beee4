from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict

from connectors.google_calendar.standin.errors import invalid


class EventTime(BaseModel):
    """A moment with a zone, or a whole day, in Google's shape."""

    model_config = ConfigDict(extra="ignore")

    date: str | None = None
    dateTime: str | None = None  # noqa: N815 (the vendor's name)
    timeZone: str | None = None  # noqa: N815 (the vendor's name)


def zone_of(name: str) -> ZoneInfo:
    """Return the zone.

    Raises:
        RefusedError: No such zone is known.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as err:
        raise invalid(f"Invalid time zone: {name}") from err


def normal(when: EventTime, *, calendar_zone: str) -> EventTime:
    """Return the time as Google gives it back: with the offset of its zone.

    Raises:
        RefusedError: Not exactly one of date and dateTime, or one that cannot be read, or a
            dateTime with neither offset nor zone.
    """
    if (when.date is None) == (when.dateTime is None):
        raise invalid("Start and end times must either both be date or both be dateTime.")
    if when.date is not None:
        return EventTime(date=_read_day(when.date).isoformat())
    assert when.dateTime is not None, "checked above"
    moment = _read(when.dateTime)
    zone = zone_of(when.timeZone or calendar_zone)
    if moment.tzinfo is None:
        if when.timeZone is None:
            raise invalid("Missing time zone definition for start time.")
        moment = moment.replace(tzinfo=zone)
    text = moment.astimezone(zone).isoformat(timespec="seconds")
    return EventTime(dateTime=text, timeZone=zone.key)


def instant(when: EventTime, *, calendar_zone: str) -> datetime:
    """Return the moment of a normal time; a day begins at midnight in the calendar's zone."""
    if when.date is not None:
        midnight = datetime.combine(date.fromisoformat(when.date), time())
        return midnight.replace(tzinfo=zone_of(calendar_zone))
    assert when.dateTime is not None, "a normal time has one of both"
    return datetime.fromisoformat(when.dateTime)


def read_bound(value: str | None, *, parameter: str) -> datetime | None:
    """Return a query's bound, which must carry an offset.

    Raises:
        RefusedError: It cannot be read, or has no offset.
    """
    if value is None:
        return None
    moment = _read(value)
    if moment.tzinfo is None:
        raise invalid("Bad Request", parameter=parameter)
    return moment


def utc_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def stamp(moment: datetime) -> str:
    """Return the moment as `created` and `updated` show it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _in_range(moment: date) -> bool:
    """Return whether the year is one that every zone conversion can bear."""
    return 1900 <= moment.year <= 2200  # noqa: PLR2004 (generous bounds, not the vendor's)


def _read(text: str) -> datetime:
    if "T" not in text.upper():
        raise invalid("Invalid value for: dateTime")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as err:
        raise invalid("Invalid value for: dateTime") from err
    if not _in_range(moment):
        raise invalid("Invalid value for: dateTime")
    return moment


def _read_day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as err:
        raise invalid("Invalid value for: date") from err
    if not _in_range(day):
        raise invalid("Invalid value for: date")
    return day
