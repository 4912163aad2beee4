from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum

from pydantic import BaseModel

from connectors.google_calendar.standin.events import Attendee, Event
from connectors.google_calendar.standin.times import stamp
from connectors.standin.config import StandinConfig
from connectors.standin.store import Shelf, Store


class Updates(StrEnum):
    """The values of `sendUpdates`: who is mailed about a change."""

    ALL = "all"
    EXTERNAL_ONLY = "externalOnly"
    NONE = "none"


class Mail(BaseModel):
    """A mail that Google would have sent to a guest."""

    number: int
    at: str
    kind: str
    sender: str
    to: str
    subject: str
    event_id: str


class Outbox:
    """The mails that guests would have got; nothing leaves the machine."""

    def __init__(self, config: StandinConfig, store: Store) -> None:
        self._config = config
        self._store = store
        self._mails = Shelf(store, Mail, kind="mail")

    def list_(self) -> list[Mail]:
        return self._mails.list_()

    def send(
        self, kind: str, event: Event, *, to: Mapping[str, Attendee], updates: Updates
    ) -> None:
        """Note a mail to each guest whom `updates` includes (external: no account here)."""
        for guest in to.values():
            is_external = self._config.find_account(guest.email) is None
            if updates is Updates.NONE or (updates is Updates.EXTERNAL_ONLY and not is_external):
                continue
            number = self._store.count("mail", first=1)
            mail = Mail(
                number=number,
                at=stamp(datetime.now(UTC)),
                kind=kind,
                sender=event.organizer,
                to=guest.email,
                subject=f"{kind.capitalize()}: {event.body.summary or '(No title)'}",
                event_id=event.id,
            )
            self._mails.put(str(number), mail)
