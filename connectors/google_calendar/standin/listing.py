from dataclasses import dataclass
from datetime import datetime

from starlette.datastructures import QueryParams

from connectors.google_calendar.standin import errors
from connectors.google_calendar.standin.events import Event
from connectors.google_calendar.standin.times import read_bound

DEFAULT_PAGE = 250
MAX_PAGE = 2500
"""Source: the discovery document, resources.events.methods.list.parameters.maxResults."""

_SYNC_TOKEN = "standin-sync-"  # noqa: S105 (no secret: it names a version of the calendar)
_NOT_WITH_SYNC = (
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "timeMin",
    "timeMax",
    "updatedMin",
)
"""Source: the discovery document, resources.events.methods.list.parameters.syncToken."""

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
    since: int | None
    """With a sync token: only what changed after this version of the calendar."""


def read_listing(query: QueryParams, *, generation: str) -> Listing:
    """Return the request.

    Raises:
        RefusedError: A parameter is wrong; a sync token from before the data was reset is
            answered as Google answers one that is too old (410).
    """
    since = _read_sync(query, generation=generation)
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
        has_deleted=query.get("showDeleted") == "true" or since is not None,
        since=since,
        order=order,
        first=_number(query.get("pageToken", f"{_PAGE_TOKEN}0").removeprefix(_PAGE_TOKEN)),
        size=min(_number(query.get("maxResults", str(DEFAULT_PAGE)), least=1), MAX_PAGE),
    )


def sync_token(listing: Listing, seen: list[Event], *, generation: str) -> str | None:
    """Return the token of a listing that can be followed; one with filters cannot."""
    filters = (listing.time_min, listing.time_max, listing.ical_uid, listing.order)
    if listing.words or listing.private or any(item is not None for item in filters):
        return None
    newest = max((event.version for event in seen), default=0)
    return f"{_SYNC_TOKEN}{generation}-{max(newest, listing.since or 0)}"


def _read_sync(query: QueryParams, *, generation: str) -> int | None:
    token = query.get("syncToken")
    if token is None:
        return None
    for name in _NOT_WITH_SYNC:
        if name in query:
            message = f"Sync token cannot be combined with {name}"
            raise errors.error(400, "badRequest", message)
    known, _, version = token.removeprefix(_SYNC_TOKEN).rpartition("-")
    if not token.startswith(_SYNC_TOKEN) or not version.isdecimal():
        raise errors.invalid("Invalid sync token value.", parameter="syncToken")
    if known != generation:
        message = "Sync token is no longer valid, a full sync is required."
        raise errors.error(410, "fullSyncRequired", message, domain="calendar")
    return int(version)


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
    if listing.since is not None and event.version <= listing.since:
        return False
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
