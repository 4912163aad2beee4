"""Instants as people read and write them in their own zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def moment_of(text: str, zone: ZoneInfo) -> datetime | None:
    """Return the instant in an input, in UTC, so that lengths hold whatever the clocks do.

    A time without an offset is in the person's zone; a day alone is no instant.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if ":" not in text:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def moment_text(moment: datetime, zone: ZoneInfo) -> str:
    """Return an instant as a sentence has it: "Fri 27 Nov 10:00 CET"."""
    local = moment.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %H:%M %Z}"
