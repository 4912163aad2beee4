from dataclasses import dataclass
from datetime import datetime

from starlette.datastructures import QueryParams

from connectors.google_calendar.standin import errors
from connectors.google_calendar.standin.events import Event
from connectors.google_calendar.standin.times import read_bound

DEFAULT_PAGE = 250
MAX_PAGE = 2500
"""Source: the discovery document, resources.events.methods.list.parameters.maxResults."""

_PAGE_TOKEN = "standin-page-"  # noqa: S105 (no secret: it numbers the page)


@dataclass(frozen=True, slots=True)
class Listing:
    """A checked `events.list` request."""

    time_min: datetime | None
    time_max: datetime | None
    words: tuple[str, ...]
    private: tuple[tuple[str, str], ...]
    ical_uid: str | None
    has_deleted: bool
    order: str | None
    first: int
    size: int


def read_listing(query: QueryParams) -> Listing:
    """Return the request.

    Raises:
        RefusedError: A parameter is wrong; a sync token is answered as Google answers one that
            is too old (410), because the stand-in keeps none.
    """
    if "syncToken" in query:
        message = "Sync token is no longer valid, a full sync is required."
        raise errors.error(410, "fullSyncRequired", message, domain="calendar")
    time_min = read_bound(query.get("timeMin"), parameter="timeMin")
    time_max = read_bound(query.get("timeMax"), parameter="timeMax")
    if time_min is not None and time_max is not None and time_min >= time_max:
        raise errors.empty_range()
    order = query.get("orderBy")
    if order not in (None, "startTime", "updated"):
        raise errors.invalid("Invalid value", parameter="orderBy")
    if order == "startTime" and query.get("singleEvents") != "true":
        message = "The requested ordering is not available for the particular query."
        raise errors.error(400, "badRequest", message)
    return Listing(
        time_min=time_min,
        time_max=time_max,
        words=tuple(query.get("q", "").casefold().split()),
        private=tuple(_pair(value) for value in query.getlist("privateExtendedProperty")),
        ical_uid=query.get("iCalUID"),
        has_deleted=query.get("showDeleted") == "true",
        order=order,
        first=_number(query.get("pageToken", f"{_PAGE_TOKEN}0").removeprefix(_PAGE_TOKEN)),
        size=min(_number(query.get("maxResults", str(DEFAULT_PAGE)), least=1), MAX_PAGE),
    )


def page_token(first: int) -> str:
    return f"{_PAGE_TOKEN}{first}"


def select(events: list[Event], listing: Listing, *, zone: str) -> list[Event]:
    """Return all events that the listing asks for, in its order."""
    found = [event for event in events if _is_wanted(event, listing, zone=zone)]
    if listing.order == "startTime":
        found.sort(key=lambda event: event.span(zone=zone)[0])
    if listing.order == "updated":
        found.sort(key=lambda event: event.version)
    return found


def _is_wanted(event: Event, listing: Listing, *, zone: str) -> bool:
    start, end = event.span(zone=zone)
    is_outside = (listing.time_min is not None and end <= listing.time_min) or (
        listing.time_max is not None and start >= listing.time_max
    )
    if is_outside or (event.is_cancelled and not listing.has_deleted):
        return False
    if listing.ical_uid not in (None, f"{event.id}@google.com"):
        return False
    extended = event.body.extendedProperties
    private = (extended.private if extended is not None else None) or {}
    if any(private.get(name) != value for name, value in listing.private):
        return False
    text = _text(event)
    return all(word in text for word in listing.words)


def _text(event: Event) -> str:
    body = event.body
    parts = [body.summary, body.description, body.location, event.organizer]
    for guest in body.attendees or ():
        parts += [guest.email, guest.displayName]
    return " ".join(part for part in parts if part).casefold()


def _pair(value: str) -> tuple[str, str]:
    name, equals, wanted = value.partition("=")
    if not equals:
        raise errors.invalid("Invalid value", parameter="privateExtendedProperty")
    return name, wanted


def _number(text: str, *, least: int = 0) -> int:
    if not text.isascii() or not text.isdigit() or not least <= int(text[:9]):
        raise errors.invalid("Invalid value", parameter="maxResults or pageToken")
    return int(text[:9])
