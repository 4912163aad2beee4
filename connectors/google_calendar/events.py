"""What can be waited for in Google Calendar: an event changes, or every guest has answered."""

from datetime import UTC, datetime

from connectors.actions import ReadContext
from connectors.errors import RejectedError
from connectors.events import (
    Changes,
    Channel,
    ChannelWanted,
    Cursor,
    Event,
    Seen,
    Sought,
    Stream,
)
from connectors.google_calendar.client import PROVIDER, READ_SCOPE, CalendarClient
from connectors.google_calendar.schemas import EVENT
from connectors.google_calendar.webhook import channel_token

_READ = frozenset({READ_SCOPE})


async def poll_events(context: ReadContext, cursor: Cursor | None) -> Changes:
    """Return the events that changed since the sync token; without one, or an expired one, anew.

    Source: https://developers.google.com/workspace/calendar/api/guides/sync
    """
    client = CalendarClient(context.http)
    if cursor is None:
        return Changes(frozenset(), {"token": await client.sync_token()})
    try:
        changed, token = await client.list_changed(str(cursor["token"]))
    except RejectedError as error:
        if error.kind != "expired":
            raise
        return Changes(None, {"token": await client.sync_token()})
    return Changes(frozenset(changed), {"token": token})


async def watch_events(context: ReadContext, wanted: ChannelWanted) -> Channel:
    """Open a channel for the person's calendar."""
    channel = await CalendarClient(context.http).watch_events(
        channel_id=wanted.id,
        address=wanted.address,
        token=channel_token(wanted.secret, wanted.id),
    )
    handle: Cursor = {"id": channel.id, "resource": channel.resource}
    ms = channel.expires_ms
    return Channel(handle, None if ms is None else datetime.fromtimestamp(ms / 1000, UTC))


async def unwatch_events(context: ReadContext, handle: Cursor) -> None:
    """Close a channel."""
    client = CalendarClient(context.http)
    await client.stop_channel(channel_id=str(handle["id"]), resource=str(handle["resource"]))


async def check_changed(context: ReadContext, sought: Sought) -> Seen:
    """Whether the organizer's content differs from the first look; an answer changes nothing."""
    event = await CalendarClient(context.http).get_event(sought.subject)
    before = sought.cursor or {"content": event.content_hash}
    return Seen(before["content"] != event.content_hash, before)


async def check_answered(context: ReadContext, sought: Sought) -> Seen:
    """Whether no guest's answer is missing.

    Raises:
        RejectedError: the event was cancelled, so nobody will answer.
    """
    event = await CalendarClient(context.http).get_event(sought.subject)
    if event.is_cancelled:
        raise RejectedError("The event was cancelled, so nobody answers any more.", kind="gone")
    missing = event.unanswered
    return Seen(not missing, {"missing": len(missing)})


EVENTS_STREAM = Stream(
    name="events",
    scopes=_READ,
    poll=poll_events,
    watch=watch_events,
    unwatch=unwatch_events,
)

EVENT_CHANGES = Event(
    connector=PROVIDER,
    name="event_changes",
    summary="Somebody changes or cancels a calendar event: its words, time, place or guests",
    subject=EVENT,
    words=lambda _value: "the event is changed",
    stream=EVENTS_STREAM.name,
    scopes=_READ,
    check=check_changed,
)

GUESTS_ANSWERED = Event(
    connector=PROVIDER,
    name="guests_answered",
    summary="Every guest of a calendar event has accepted, declined or said maybe",
    subject=EVENT,
    words=lambda _value: "every guest has answered",
    stream=EVENTS_STREAM.name,
    scopes=_READ,
    check=check_answered,
)

EVENTS = (EVENT_CHANGES, GUESTS_ANSWERED)
STREAMS = (EVENTS_STREAM,)
