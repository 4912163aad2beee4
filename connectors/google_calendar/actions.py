"""Google Calendar's actions, on the primary calendar of the person who asks."""

from pathlib import Path

from connectors.actions import Action, Effect, Idempotency, always, needs
from connectors.google_calendar import events, examples, previews, runs
from connectors.google_calendar.client import PROVIDER, READ_SCOPE, WRITE_SCOPE
from connectors.google_calendar.schemas import (
    CalendarEvent,
    CalendarEvents,
    ChosenEvent,
    EventAsBefore,
    EventChange,
    EventQuery,
    NewEvent,
)
from connectors.google_calendar.webhook import read_webhook
from connectors.manifest import Manifest
from connectors.registry import Connector

LIST_EVENTS = Action(
    connector=PROVIDER,
    name="list_events",
    summary="Look into your calendar",
    arguments=EventQuery,
    result=CalendarEvents,
    effect=always(Effect.READ),
    scopes=needs(READ_SCOPE),
    idempotency=Idempotency.READ,
    run=runs.run_list,
    preview=previews.preview_query,
    examples=examples.LIST_EVENTS,
)

CREATE_EVENT = Action(
    connector=PROVIDER,
    name="create_event",
    summary="Create an event",
    arguments=NewEvent,
    result=CalendarEvent,
    effect=runs.effect_of_new,
    scopes=needs(WRITE_SCOPE),
    idempotency=Idempotency.KEYED,
    run=runs.run_create,
    preview=previews.preview_new,
    verify=runs.verify_create,
    undo=runs.undo_create,
    links=runs.link_to,
    examples=examples.CREATE_EVENT,
)

UPDATE_EVENT = Action(
    connector=PROVIDER,
    name="update_event",
    summary="Change an event",
    arguments=EventChange,
    result=CalendarEvent,
    effect=runs.effect_of_change,
    scopes=needs(WRITE_SCOPE),
    idempotency=Idempotency.VERIFIABLE,
    run=runs.run_change,
    preview=previews.preview_change,
    precondition=runs.read_for_change,
    verify=runs.verify_change,
    undo=runs.undo_change,
    links=runs.link_to,
    examples=examples.UPDATE_EVENT,
)

CANCEL_EVENT = Action(
    connector=PROVIDER,
    name="cancel_event",
    summary="Cancel an event",
    arguments=ChosenEvent,
    result=CalendarEvent,
    effect=runs.effect_of_cancel,
    scopes=needs(WRITE_SCOPE),
    idempotency=Idempotency.VERIFIABLE,
    run=runs.run_cancel,
    preview=previews.preview_cancel,
    precondition=runs.read_for_cancel,
    verify=runs.verify_cancel,
    undo=runs.undo_change,
    links=runs.link_to,
    examples=examples.CANCEL_EVENT,
)

RESTORE_EVENT = Action(
    connector=PROVIDER,
    name="restore_event",
    summary="Put an event back as it was",
    arguments=EventAsBefore,
    result=CalendarEvent,
    effect=runs.effect_of_change,
    scopes=needs(WRITE_SCOPE),
    idempotency=Idempotency.VERIFIABLE,
    run=runs.run_restore,
    preview=previews.preview_restore,
    precondition=runs.read_for_restore,
    verify=runs.verify_restore,
    undo=runs.undo_change,
    links=runs.link_to,
    planned=False,
)

CONNECTOR = Connector(
    name=PROVIDER,
    title="Google Calendar",
    manifest=Manifest.load(Path(__file__).with_name("manifest.toml")),
    actions=(LIST_EVENTS, CREATE_EVENT, UPDATE_EVENT, CANCEL_EVENT, RESTORE_EVENT),
    events=events.EVENTS,
    streams=events.STREAMS,
    webhook=read_webhook,
)
