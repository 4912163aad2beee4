"""What the calendar's actions do: runs, preconditions, look-ups and undos."""

from typing import Any

from pydantic import JsonValue

from connectors.actions import Effect, Link, ReadContext, RunContext, UndoCall
from connectors.errors import OutcomeUnknownError, RejectedError
from connectors.google_calendar.client import CalendarClient
from connectors.google_calendar.schemas import (
    CalendarEvent,
    CalendarEvents,
    ChosenEvent,
    EventAsBefore,
    EventChange,
    EventQuery,
    NewEvent,
    Snapshot,
)
from connectors.google_calendar.when import is_same_time, moment_body, new_span
from connectors.google_calendar.wire import KEY_PROPERTY, WireEvent

_PAGES = "https://www.google.com/calendar/"
"""Where Google's own links to events lead. Source: the discovery document, Event.htmlLink."""

Before = dict[str, JsonValue] | None


async def run_list(context: ReadContext, query: EventQuery) -> CalendarEvents:
    found = await CalendarClient(context.http).list_events(
        start=query.start, end=query.end, query=query.query
    )
    return CalendarEvents(
        events=[_event(item, context) for item in found.items],
        zone=found.zone,
        has_more=found.next_page is not None,
    )


def effect_of_new(event: NewEvent) -> Effect:
    """Return `irreversible` with guests: they are mailed, and a mail cannot be taken back."""
    return Effect.IRREVERSIBLE if event.attendees else Effect.OWN


def effect_of_change(chosen: ChosenEvent) -> Effect:
    """Return `own` only where the arguments say that there are no guests.

    The precondition refuses a call that says so wrongly.
    """
    return Effect.OWN if chosen.guests == [] else Effect.IRREVERSIBLE


def effect_of_cancel(chosen: ChosenEvent) -> Effect:
    """Return as for a change, but never less than asking the requester (S6)."""
    return Effect.SHARED if chosen.guests == [] else Effect.IRREVERSIBLE


async def run_create(context: RunContext, event: NewEvent) -> CalendarEvent:
    """Create the event under an id made from the call's key; a second time, find the first one.

    Raises:
        RejectedError: of kind `conflict`, when it was made before and has been cancelled since.
    """
    client = CalendarClient(context.http)
    try:
        made = await client.insert_event(_new_body(event, key=context.key))
    except RejectedError as error:
        if error.kind != "conflict":
            raise
        made = await client.get_event(context.key)
        if made.key != context.key:
            raise
    if made.is_cancelled:
        message = "The event was made, and somebody has cancelled it since. Ask again to make one."
        raise RejectedError(message, kind="conflict")
    return _event(made, context)


async def verify_create(context: RunContext, _arguments: NewEvent) -> CalendarEvent | None:
    """Return the event that this call made, also when it was changed since; None if none."""
    try:
        made = await CalendarClient(context.http).get_event(context.key)
    except RejectedError as error:
        if error.kind == "not_found":
            return None
        raise
    return _event(made, context) if made.key == context.key else None


def undo_create(_arguments: NewEvent, made: CalendarEvent, _before: Before) -> UndoCall:
    """Return the cancellation, for the event exactly as it was made."""
    return _cancellation(made)


async def read_for_change(context: ReadContext, change: EventChange) -> dict[str, JsonValue]:
    """Return the event as it is now.

    Raises:
        RejectedError: it is cancelled, somebody else's, has guests that the arguments do not
            name, or cannot take these times.
    """
    before = await _read_live(context, change)
    new_span(change, before)
    return before.model_dump(mode="json")


async def read_for_cancel(context: ReadContext, chosen: ChosenEvent) -> dict[str, JsonValue]:
    """Return the event as it is now.

    Raises:
        RejectedError: as `read_for_change`.
    """
    return (await _read_live(context, chosen)).model_dump(mode="json")


async def read_for_restore(context: ReadContext, wanted: EventAsBefore) -> dict[str, JsonValue]:
    """Return the event as it is now, which may be cancelled.

    Raises:
        RejectedError: it is somebody else's, or has guests that the arguments do not name.
    """
    return (await _read(context, wanted)).model_dump(mode="json")


async def run_change(context: RunContext, change: EventChange) -> CalendarEvent:
    """Change the event, if it is still as it was shown."""
    return await _patch(context, change, _change_body(change, _before(context)))


async def run_cancel(context: RunContext, chosen: ChosenEvent) -> CalendarEvent:
    """Cancel the event, if it is still as it was shown. It stays in Google's bin."""
    return await _patch(context, chosen, {"status": "cancelled"})


async def run_restore(context: RunContext, wanted: EventAsBefore) -> CalendarEvent:
    """Write back what the event was, cancelled or not, if nobody changed it since."""
    return await _patch(context, wanted, _restore_body(wanted))


async def verify_change(context: RunContext, change: EventChange) -> CalendarEvent | None:
    """Return the event if it is as wanted, None if it is as it was.

    Raises:
        OutcomeUnknownError: it is neither; only a human can tell.
    """
    return await _verify(context, change, _change_body(change, _before(context)))


async def verify_cancel(context: RunContext, chosen: ChosenEvent) -> CalendarEvent | None:
    """As `verify_change`."""
    return await _verify(context, chosen, {"status": "cancelled"})


async def verify_restore(context: RunContext, wanted: EventAsBefore) -> CalendarEvent | None:
    """As `verify_change`."""
    return await _verify(context, wanted, _restore_body(wanted))


def undo_change(chosen: ChosenEvent, done: CalendarEvent, before: Before) -> UndoCall | None:
    """Return the call that makes the event what it was, while it is as this call left it."""
    if before is None:
        return None
    old = Snapshot.model_validate(before)
    if old.status == "cancelled":
        return _cancellation(done)
    arguments: dict[str, JsonValue] = {
        "event_id": chosen.event_id,
        **old.model_dump(mode="json", exclude={"content_hash"}),
    }
    return UndoCall("restore_event", arguments, expects={"content_hash": done.content_hash})


def link_to(event: CalendarEvent) -> tuple[Link, ...]:
    """Return the event's page; a cancelled event has none worth opening."""
    return () if event.status == "cancelled" else (Link("Open in Google Calendar", event.url),)


def _cancellation(event: CalendarEvent) -> UndoCall:
    arguments: dict[str, JsonValue] = {"event_id": event.id, "guests": [*event.guests]}
    return UndoCall("cancel_event", arguments, expects={"content_hash": event.content_hash})


async def _patch(context: RunContext, chosen: ChosenEvent, body: dict[str, Any]) -> CalendarEvent:
    """Patch the event as it was shown; its etag of this moment guards the rest of the way.

    Raises:
        RejectedError: of kind `changed`, when its content is not what was shown.
        ConnectorError: as its kinds say what to do.
    """
    before = _before(context)
    _check_guests(chosen, before)
    client = CalendarClient(context.http)
    found = await client.get_event(chosen.event_id)
    if found.content_hash != before.content_hash:
        message = "Somebody changed the event since it was read, so nothing was done."
        raise RejectedError(message, kind="changed")
    return _event(await client.patch_event(chosen.event_id, body, etag=found.etag), context)


async def _verify(
    context: RunContext, chosen: ChosenEvent, body: dict[str, Any]
) -> CalendarEvent | None:
    found = await CalendarClient(context.http).get_event(chosen.event_id)
    if _is_as_wanted(found, body):
        return _event(found, context)
    if found.content_hash == _before(context).content_hash:
        return None
    message = "The event changed, but not only as asked. Look at it in Google Calendar."
    raise OutcomeUnknownError(message)


def _is_as_wanted(found: WireEvent, body: dict[str, Any]) -> bool:
    """Whether an event has every value that a patch gives it."""
    held = {
        "status": found.status,
        "summary": found.title,
        "location": found.location,
        "description": found.description,
    }
    texts = all(held[name] == (body[name] or "") for name in held if name in body)
    times = all(
        is_same_time(moment.text, body[name]["date"] or body[name]["dateTime"])
        for name, moment in (("start", found.start), ("end", found.end))
        if name in body
    )
    return texts and times and ("status" in body or not found.is_cancelled)


async def _read(context: ReadContext, chosen: ChosenEvent) -> Snapshot:
    found = await CalendarClient(context.http).get_event(chosen.event_id)
    if not found.organizer.is_self:
        message = (
            "Somebody else organizes this event, so only they can change it. "
            "Ask them, or decline it in Google Calendar."
        )
        raise RejectedError(message, kind="forbidden")
    snapshot = Snapshot(
        content_hash=found.content_hash,
        status=found.status,
        title=found.title,
        start=found.start.text,
        end=found.end.text,
        zone=found.start.zone or "",
        location=found.location,
        description=found.description,
        guests=found.guests,
    )
    _check_guests(chosen, snapshot)
    return snapshot


async def _read_live(context: ReadContext, chosen: ChosenEvent) -> Snapshot:
    snapshot = await _read(context, chosen)
    if snapshot.status == "cancelled":
        raise RejectedError("This event is cancelled already.", kind="not_found")
    return snapshot


def _check_guests(chosen: ChosenEvent, found: Snapshot) -> None:
    """Refuse a call whose effect was computed without a guest that the event has.

    Raises:
        RejectedError: the arguments name the guests, and not all of them.
    """
    if chosen.guests is None:
        return
    named = {address.casefold() for address in chosen.guests}
    if not named.issuperset(found.guests):
        message = "The event has other guests than this step was planned for. Please ask again."
        raise RejectedError(message, kind="invalid")


def _before(context: RunContext) -> Snapshot:
    if context.precondition is None:
        message = "The event was not read before it was to change. Please ask again."
        raise RejectedError(message, kind="invalid")
    return Snapshot.model_validate(context.precondition)


def _new_body(event: NewEvent, *, key: str) -> dict[str, Any]:
    """Return the event as Google takes it; hexadecimal digits are valid base32hex for its id."""
    body: dict[str, Any] = {
        "id": key,
        "summary": event.title,
        "start": {"dateTime": event.start.isoformat(), "timeZone": event.zone},
        "end": {"dateTime": event.end.isoformat(), "timeZone": event.zone},
        "extendedProperties": {"private": {KEY_PROPERTY: key}},
    }
    if event.attendees:
        body["attendees"] = [{"email": address} for address in event.attendees]
    if event.location:
        body["location"] = event.location
    if event.description:
        body["description"] = event.description
    return body


def _change_body(change: EventChange, before: Snapshot) -> dict[str, Any]:
    body: dict[str, Any] = {
        name: value
        for name, value in (
            ("summary", change.title),
            ("location", change.location),
            ("description", change.description),
        )
        if value is not None
    }
    span = new_span(change, before)
    if span is not None:
        body["start"], body["end"] = (moment_body(text, zone=before.zone) for text in span)
    return body


def _restore_body(wanted: EventAsBefore) -> dict[str, Any]:
    return {
        "status": wanted.status,
        "summary": wanted.title or None,
        "location": wanted.location or None,
        "description": wanted.description or None,
        "start": moment_body(wanted.start, zone=wanted.zone),
        "end": moment_body(wanted.end, zone=wanted.zone),
    }


def _event(found: WireEvent, context: ReadContext) -> CalendarEvent:
    base = f"{context.web_url.rstrip('/')}/"
    is_known = found.url.startswith((base, _PAGES))
    return CalendarEvent(
        id=found.id,
        title=found.title,
        start=found.start.text,
        end=found.end.text,
        location=found.location,
        guests=found.guests,
        organizer=found.organizer.email,
        status=found.status,
        url=found.url if is_known else base,
        content_hash=found.content_hash,
    )
