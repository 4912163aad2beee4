from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from connectors.google_calendar.standin.events import Event
from connectors.google_calendar.standin.times import utc_text
from connectors.standin.config import Account


class FreeBusyItem(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str


class FreeBusyBody(BaseModel):
    """The body of a freeBusy query; at most 50 calendars (discovery document)."""

    model_config = ConfigDict(extra="ignore")

    timeMin: str  # noqa: N815 (the vendor's name)
    timeMax: str  # noqa: N815 (the vendor's name)
    items: list[FreeBusyItem] = Field(default_factory=list, max_length=50)


def busy(
    events: list[Event], who: Account, *, time_min: datetime, time_max: datetime
) -> list[dict[str, Any]]:
    """Return when the person is busy within the bounds, as merged spans in order.

    Events that are cancelled, shown as free, or declined by the person do not count.
    """
    spans = sorted(
        (max(start, time_min), min(end, time_max))
        for event in events
        if _counts(event, who)
        for start, end in (event.span(zone=who.time_zone),)
        if start < time_max and end > time_min
    )
    merged: list[tuple[datetime, datetime]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return [{"start": utc_text(start), "end": utc_text(end)} for start, end in merged]


def _counts(event: Event, who: Account) -> bool:
    answer = event.guests().get(who.email.casefold())
    is_declined = answer is not None and answer.responseStatus == "declined"
    return not (event.is_cancelled or event.body.transparency == "transparent" or is_declined)
