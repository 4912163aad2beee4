import base64
import secrets
from datetime import UTC, datetime

from connectors.google_calendar.standin import errors
from connectors.google_calendar.standin.channels import Channels
from connectors.google_calendar.standin.events import (
    Attendee,
    Event,
    EventBody,
    check_id,
    checked,
    patched,
)
from connectors.google_calendar.standin.mails import Outbox, Updates
from connectors.google_calendar.standin.times import stamp
from connectors.standin.config import Account
from connectors.standin.store import Shelf, Store

_FIRST_VERSION = 3_560_000_000_000_000


class CalendarBook:
    """Everybody's primary calendar, with the vendor's rules for writing events.

    An event stands once, at its organizer; a guest with an account here sees it too.
    """

    def __init__(self, store: Store, *, outbox: Outbox, channels: Channels) -> None:
        self._store = store
        self._events = Shelf(store, Event, kind="event")
        self._outbox = outbox
        self._channels = channels

    def generation(self) -> str:
        """Return what tells tokens of this data from those of before a reset."""
        known = self._store.read("calendar", "generation")
        if known is None:
            known = secrets.token_hex(4)
            self._store.write("calendar", "generation", known, lag_s=0.0, is_old=True)
        return known

    def list_(self) -> list[Event]:
        return self._events.list_()

    def list_seen(self, viewer: Account) -> list[Event]:
        """Return the events that the viewer organizes or is a guest of, cancelled ones too."""
        address = viewer.email.casefold()
        return [
            event
            for event in self._events.list_()
            if event.organizer == viewer.email or address in event.guests()
        ]

    def get(self, viewer: Account, event_id: str) -> Event:
        """Return the event, cancelled or not.

        Raises:
            RefusedError: The viewer's calendar has no such event.
        """
        own = self._events.find(_key(viewer.email, event_id))
        if own is not None:
            return own
        address = viewer.email.casefold()
        for event in self._events.list_where("$.id", event_id):
            if address in event.guests():
                return event
        raise errors.not_found()

    def insert(self, owner: Account, body: EventBody, *, updates: Updates) -> Event:
        """Store a new event and mail its guests as asked.

        Raises:
            RefusedError: The body is not acceptable, or the id was ever used in this calendar.
        """
        event_id = check_id(body.id) if body.id is not None else _random_id()
        kept = checked(body, zone=owner.time_zone)
        if self._events.find(_key(owner.email, event_id)) is not None:
            raise errors.duplicate()
        now = stamp(datetime.now(UTC))
        event = Event(
            id=event_id,
            organizer=owner.email,
            body=kept.model_copy(update={"id": None}),
            created=now,
            updated=now,
            version=self._next_version(),
        )
        self._put(event)
        self._outbox.send("invitation", event, to=event.guests(), updates=updates)
        return event

    def patch(
        self,
        owner: Account,
        event_id: str,
        changes: EventBody,
        *,
        match: str | None,
        updates: Updates,
    ) -> Event:
        """Merge the changes into the event.

        Raises:
            RefusedError: As in `_writable`, or the result is not acceptable.
        """
        event = self._writable(owner, event_id, match=match, status=changes.status)
        return self._replace(owner, event, patched(event.body, changes), updates=updates)

    def update(
        self, owner: Account, event_id: str, body: EventBody, *, match: str | None, updates: Updates
    ) -> Event:
        """Replace the event's fields; what the body leaves out is gone.

        Raises:
            RefusedError: As in `_writable`, or the body is not acceptable.
        """
        event = self._writable(owner, event_id, match=match, status=body.status)
        return self._replace(owner, event, body, updates=updates)

    def delete(self, owner: Account, event_id: str, *, match: str | None, updates: Updates) -> None:
        """Cancel the event; it stays readable, and its id stays taken.

        Raises:
            RefusedError: As in `_writable`; a second time, 410.
        """
        event = self.get(owner, event_id)
        if event.is_cancelled:
            raise errors.deleted()
        self._writable(owner, event_id, match=match, status=None)
        body = event.body.model_copy(update={"status": "cancelled"})
        self._replace(owner, event, body, updates=updates)

    def _writable(
        self, owner: Account, event_id: str, *, match: str | None, status: str | None
    ) -> Event:
        """Return the event if the owner may change it now.

        Raises:
            RefusedError: Unknown, somebody else's, changed since (`If-Match`), or deleted and
                not being restored by an explicit status.
        """
        event = self.get(owner, event_id)
        if event.organizer != owner.email:
            raise errors.not_organizer()
        if match not in (None, "*", event.etag):
            raise errors.precondition_failed()
        if event.is_cancelled and status not in ("confirmed", "tentative"):
            raise errors.cancelled()
        return event

    def _replace(self, owner: Account, event: Event, body: EventBody, *, updates: Updates) -> Event:
        kept = checked(body, zone=owner.time_zone).model_copy(update={"id": None})
        is_moved = (kept.start, kept.end) != (event.body.start, event.body.end)
        changed = event.model_copy(
            update={
                "body": kept,
                "updated": stamp(datetime.now(UTC)),
                "version": self._next_version(),
                "sequence": event.sequence + (1 if is_moved else 0),
            }
        )
        self._put(changed, before=event)
        self._mail_change(event, changed, updates=updates)
        return changed

    def _mail_change(self, old: Event, new: Event, *, updates: Updates) -> None:
        before = {} if old.is_cancelled else old.guests()
        after = {} if new.is_cancelled else new.guests()
        groups: dict[str, dict[str, Attendee]] = {
            "invitation": {key: one for key, one in after.items() if key not in before},
            "update": {key: one for key, one in after.items() if key in before},
            "cancellation": {key: one for key, one in before.items() if key not in after},
        }
        if old.body == new.body:
            groups["update"] = {}
        for kind, guests in groups.items():
            self._outbox.send(kind, new, to=guests, updates=updates)

    def _put(self, event: Event, *, before: Event | None = None) -> None:
        self._events.put(_key(event.organizer, event.id), event)
        guests = {*event.guests(), *(before.guests() if before else ())}
        self._channels.tell({event.organizer, *guests})

    def _next_version(self) -> int:
        return self._store.count("event version", first=_FIRST_VERSION)


def _key(calendar: str, event_id: str) -> str:
    return f"{calendar} {event_id}"


def _random_id() -> str:
    return base64.b32hexencode(secrets.token_bytes(16)).decode().rstrip("=").lower()
