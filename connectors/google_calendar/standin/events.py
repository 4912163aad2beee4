import base64
import re
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from connectors.google_calendar.standin import errors
from connectors.google_calendar.standin.times import EventTime, instant, normal
from connectors.standin.config import Account

_EVENT_ID = re.compile(r"[a-v0-9]{5,1024}")
"""Base32hex, 5 to 1024. Source: the discovery document, schemas.Event.properties.id."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


class Attendee(BaseModel):
    model_config = ConfigDict(extra="ignore")

    email: str
    displayName: str | None = None  # noqa: N815 (the vendor's name)
    optional: bool | None = None
    comment: str | None = None
    additionalGuests: int | None = None  # noqa: N815 (the vendor's name)
    responseStatus: Literal["needsAction", "declined", "tentative", "accepted"] = (  # noqa: N815 -- the vendor's name
        "needsAction"
    )


class ExtendedProperties(BaseModel):
    private: dict[str, str] | None = None
    shared: dict[str, str] | None = None


class EventBody(BaseModel):
    """The fields of an event that a client may write; others it sends are ignored."""

    model_config = ConfigDict(extra="ignore")

    id: str | None = None
    status: Literal["confirmed", "tentative", "cancelled"] | None = None
    summary: str | None = None
    description: str | None = None
    location: str | None = None
    colorId: str | None = None  # noqa: N815 (the vendor's name)
    transparency: Literal["opaque", "transparent"] | None = None
    visibility: Literal["default", "public", "private", "confidential"] | None = None
    start: EventTime | None = None
    end: EventTime | None = None
    attendees: list[Attendee] | None = None
    recurrence: list[str] | None = None
    extendedProperties: ExtendedProperties | None = None  # noqa: N815 (the vendor's name)
    reminders: dict[str, Any] | None = None
    guestsCanModify: bool | None = None  # noqa: N815 (the vendor's name)
    guestsCanInviteOthers: bool | None = None  # noqa: N815 (the vendor's name)
    guestsCanSeeOtherGuests: bool | None = None  # noqa: N815 (the vendor's name)


class Event(BaseModel):
    """A stored event: what its organizer wrote, and what the calendar adds."""

    id: str
    organizer: str
    body: EventBody
    created: str
    updated: str
    version: int
    sequence: int = 0

    @property
    def is_cancelled(self) -> bool:
        return self.body.status == "cancelled"

    @property
    def etag(self) -> str:
        return f'"{self.version}"'

    def guests(self) -> dict[str, Attendee]:
        """Return the attendees but the organizer, by address in lower case."""
        guests = {one.email.casefold(): one for one in self.body.attendees or ()}
        guests.pop(self.organizer.casefold(), None)
        return guests

    def span(self, *, zone: str) -> tuple[datetime, datetime]:
        assert self.body.start is not None, "checked when written"
        assert self.body.end is not None, "checked when written"
        start = instant(self.body.start, calendar_zone=zone)
        return start, instant(self.body.end, calendar_zone=zone)


def check_id(wanted: str) -> str:
    if not _EVENT_ID.fullmatch(wanted):
        raise errors.invalid("Invalid resource id value.")
    return wanted


def checked(body: EventBody, *, zone: str) -> EventBody:
    """Return the body as the calendar keeps it.

    Raises:
        RefusedError: A time is missing, wrong or not before the end, an attendee's address is
            wrong, or it recurs (which Google can do, and this stand-in cannot).
    """
    if body.recurrence:
        raise errors.invalid("The stand-in does not do recurring events.", parameter="recurrence")
    if body.start is None:
        raise errors.required("start")
    if body.end is None:
        raise errors.required("end")
    start, end = normal(body.start, calendar_zone=zone), normal(body.end, calendar_zone=zone)
    if (start.date is None) != (end.date is None):
        message = "Start and end times must either both be date or both be dateTime."
        raise errors.invalid(message)
    if instant(start, calendar_zone=zone) >= instant(end, calendar_zone=zone):
        raise errors.empty_range()
    for guest in body.attendees or ():
        if not _EMAIL.fullmatch(guest.email):
            raise errors.invalid("Invalid attendee email.")
    status = body.status or "confirmed"
    return body.model_copy(update={"start": start, "end": end, "status": status})


def patched(body: EventBody, changes: EventBody) -> EventBody:
    """Return the body with the changes merged in: objects field by field, arrays as a whole.

    Source: https://developers.google.com/workspace/calendar/api/guides/performance#patch
    """
    merged = _merge(body.model_dump(exclude_none=True), changes.model_dump(exclude_unset=True))
    return EventBody.model_validate(merged)


def _merge(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for name, value in new.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict):
            merged[name] = _merge(merged.get(name) or {}, value)
        else:
            merged[name] = value
    return merged


def shown(event: Event, *, viewer: Account, organizer: Account, base_url: str) -> dict[str, Any]:
    """Return the event as the viewer's calendar shows it."""
    who: dict[str, Any] = {"email": organizer.email, "displayName": organizer.name}
    if viewer.email == organizer.email:
        who["self"] = True
    body = event.body.model_dump(exclude_none=True, exclude={"id"})
    if "attendees" in body:
        body["attendees"] = [_shown_guest(one, viewer, organizer) for one in body["attendees"]]
    return {
        "kind": "calendar#event",
        "etag": event.etag,
        "id": event.id,
        "htmlLink": f"{base_url}/calendar/event?eid={link_id(event.id, viewer.email)}",
        "created": event.created,
        "updated": event.updated,
        "creator": who,
        "organizer": who,
        "iCalUID": f"{event.id}@google.com",
        "sequence": event.sequence,
        "reminders": {"useDefault": True},
        "eventType": "default",
        **body,
    }


def _shown_guest(guest: dict[str, Any], viewer: Account, organizer: Account) -> dict[str, Any]:
    address = guest["email"].casefold()
    flags = {"organizer": address == organizer.email, "self": address == viewer.email}
    return guest | {name: True for name, is_set in flags.items() if is_set}


def link_id(event_id: str, calendar: str) -> str:
    """Return the `eid` of an event's page: its id and calendar in base64url."""
    return base64.urlsafe_b64encode(f"{event_id} {calendar}".encode()).rstrip(b"=").decode()


def read_link_id(eid: str) -> tuple[str, str] | None:
    """Return the event's id and calendar, or None if the link is broken."""
    try:
        text = base64.urlsafe_b64decode(eid + "=" * (-len(eid) % 4)).decode()
    except ValueError:
        return None
    event_id, _, calendar = text.partition(" ")
    return event_id, calendar
