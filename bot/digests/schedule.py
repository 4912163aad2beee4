"""When a digest is due: a person's local time on their days, through every clock change."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apscheduler.triggers.cron import CronTrigger

DEFAULT_AT = time(9, 0)
WORKDAYS = (1, 2, 3, 4, 5)
"""ISO weekdays, Monday is 1."""


def zone_of(name: str) -> ZoneInfo:
    """Return a zone by name, UTC for a name that this system does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def next_slot(*, at: time, weekdays: Sequence[int], zone: str, after: datetime) -> datetime:
    """Return the first instant after `after` when the clock on the person's wall shows `at`.

    09:00 stays 09:00 through both clock changes. A time that the clocks leap over comes an hour
    later that day; one that they show twice counts the first time only.

    Args:
        at: hour and minute.
        weekdays: ISO weekdays, at least one.
        zone: an IANA name.
        after: any aware instant; the result is later than it, and in UTC.
    """
    trigger = CronTrigger(
        day_of_week=",".join(str(day - 1) for day in sorted(weekdays)),
        hour=at.hour,
        minute=at.minute,
        timezone=zone_of(zone),
    )
    # Added to in UTC: local arithmetic would fall back into the first of two equal hours.
    start = after.astimezone(UTC)
    while True:
        slot: datetime = trigger.get_next_fire_time(None, start + timedelta(microseconds=1))
        start = slot.astimezone(UTC)
        if slot.fold == 0:
            return start
