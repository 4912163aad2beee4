"""Google's shapes, as far as Countersign reads them; what else an answer holds is ignored.

Source: the Calendar API's discovery document (calendar v3), schemas Event and Events.
"""

import hashlib
import json
from datetime import UTC

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

KEY_PROPERTY = "countersign_key"
"""The private extended property that shows which call made an event."""


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class Moment(_Wire):
    """A day, or an instant with the zone it was entered in."""

    day: str | None = Field(None, alias="date")
    instant: AwareDatetime | None = Field(None, alias="dateTime")
    zone: str | None = Field(None, alias="timeZone")

    @property
    def text(self) -> str:
        """The day, or the instant in RFC 3339; empty where Google tells neither."""
        if self.instant is not None:
            return self.instant.isoformat()
        return self.day or ""

    @property
    def same(self) -> str:
        """The day, or the instant in UTC: equal for equal times, whatever their offsets."""
        return self.text if self.instant is None else self.instant.astimezone(UTC).isoformat()


class Person(_Wire):
    email: str = ""
    is_self: bool = Field(default=False, alias="self")
    is_organizer: bool = Field(default=False, alias="organizer")
    is_resource: bool = Field(default=False, alias="resource")
    answer: str = Field("needsAction", alias="responseStatus")


class ExtendedProperties(_Wire):
    private: dict[str, str] = {}


class WireEvent(_Wire):
    """An event; a deleted occurrence of a series has little more than its id."""

    id: str
    etag: str
    status: str = "confirmed"
    url: str = Field(default="", alias="htmlLink")
    title: str = Field(default="", alias="summary")
    description: str = ""
    location: str = ""
    start: Moment = Moment()
    end: Moment = Moment()
    organizer: Person = Person()
    attendees: tuple[Person, ...] = ()
    extended: ExtendedProperties = Field(ExtendedProperties(), alias="extendedProperties")

    @property
    def is_cancelled(self) -> bool:
        return self.status == "cancelled"

    @property
    def guests(self) -> list[str]:
        """Everybody else in it, sorted: whom Google mails when it changes.

        A guest without an address still counts.
        """
        return sorted(
            {
                person.email.casefold() or "somebody"
                for person in self.attendees
                if not (person.is_self or person.is_organizer)
            }
        )

    @property
    def unanswered(self) -> list[str]:
        """The guests, rooms left out, whose answer is missing; sorted."""
        return sorted(
            person.email.casefold() or "somebody"
            for person in self.attendees
            if person.answer == "needsAction"
            and not (person.is_self or person.is_organizer or person.is_resource)
        )

    @property
    def content_hash(self) -> str:
        """A digest of what its organizer decides: words, times, guests, cancelled or not.

        Google's etag changes too when a guest only answers, which makes no other event of it.
        """
        content = [
            self.status,
            self.title,
            self.description,
            self.location,
            self.start.same,
            self.end.same,
            self.guests,
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    @property
    def key(self) -> str | None:
        """The key of the call that made it; None for everybody else's events."""
        return self.extended.private.get(KEY_PROPERTY)


class WireChannel(_Wire):
    id: str
    resource: str = Field(alias="resourceId")
    expires_ms: int | None = Field(None, alias="expiration")


class WireEvents(_Wire):
    items: tuple[WireEvent, ...] = ()
    zone: str = Field("UTC", alias="timeZone")
    next_page: str | None = Field(None, alias="nextPageToken")
    next_sync: str | None = Field(None, alias="nextSyncToken")
