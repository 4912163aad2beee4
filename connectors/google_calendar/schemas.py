"""What the calendar's actions take and give; Google's own shapes are in wire.py."""

import re
from datetime import datetime
from typing import Annotated, Literal, Self, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from connectors.actions import Arg, Arguments, Out, Result
from connectors.labels import Label

EVENT = "google_calendar.event"
_ADDRESS = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]+")
_MAX_GUESTS = 50


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        message = "this is not an e-mail address"
        raise ValueError(message)
    return value


def _distinct(addresses: list[str]) -> list[str]:
    """Return each address once; letter case does not make two of one."""
    first: dict[str, str] = {}
    for address in addresses:
        first.setdefault(address.casefold(), address)
    return [*first.values()]


def _zone(value: str) -> str:
    try:
        return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = "this is not the name of a time zone, such as Europe/Berlin"
        raise ValueError(message) from error


def _check_order(start: datetime | None, end: datetime | None) -> None:
    if start is not None and end is not None and end <= start:
        message = "it must end after it starts"
        raise ValueError(message)


def _day_or_instant(value: str) -> str:
    if datetime.fromisoformat(value).tzinfo is None and len(value) != len("2026-11-24"):
        message = "an instant needs its offset"
        raise ValueError(message)
    return value


Title: TypeAlias = Annotated[str, Field(min_length=1, max_length=300)]
Location: TypeAlias = Annotated[str, Field(max_length=500)]
Description: TypeAlias = Annotated[str, Field(max_length=5000)]
Zone: TypeAlias = Annotated[str, AfterValidator(_zone)]
Addresses: TypeAlias = Annotated[
    list[Annotated[str, AfterValidator(_address)]],
    Field(max_length=_MAX_GUESTS),
    AfterValidator(_distinct),
]
DayOrInstant: TypeAlias = Annotated[str, AfterValidator(_day_or_instant)]
"""A whole day ("2026-11-24") or an instant with its offset."""
EventId: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,1024}$")]
"""It becomes part of a path, so nothing but letters, digits, `_` and `-` passes."""


class EventQuery(Arguments):
    start: Annotated[AwareDatetime, Arg("From")]
    end: Annotated[AwareDatetime, Arg("Until")]
    query: Annotated[str | None, Arg("Words in it")] = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _check_order(self.start, self.end)
        return self


class NewEvent(Arguments):
    title: Annotated[Title, Arg("Title")]
    start: Annotated[AwareDatetime, Arg("Start")]
    end: Annotated[AwareDatetime, Arg("End")]
    zone: Annotated[Zone, Arg("Time zone")]
    attendees: Annotated[Addresses, Arg("Guests", recipient=True)] = Field(default_factory=list)
    location: Annotated[Location | None, Arg("Place")] = None
    description: Annotated[Description | None, Arg("Notes", multiline=True)] = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _check_order(self.start, self.end)
        return self


class ChosenEvent(Arguments):
    """An event, and the guests it has.

    The effect of a change depends on its guests, and an effect is computed from arguments alone.
    So the arguments name them; null means "not known" and counts as "somebody is mailed". The
    precondition refuses arguments that leave out a guest.
    """

    event_id: Annotated[EventId, Arg("Event", id_kind=EVENT)]
    guests: Annotated[Addresses | None, Arg("Guests it has", recipient=True)] = None


class EventChange(ChosenEvent):
    """What becomes different; null leaves a field as it is."""

    title: Annotated[Title | None, Arg("Title")] = None
    start: Annotated[AwareDatetime | None, Arg("Start")] = None
    end: Annotated[AwareDatetime | None, Arg("End")] = None
    """Null with a new start: the event keeps its length."""
    location: Annotated[Location | None, Arg("Place")] = None
    description: Annotated[Description | None, Arg("Notes", multiline=True)] = None

    @model_validator(mode="after")
    def _changes(self) -> Self:
        given = (self.title, self.start, self.end, self.location, self.description)
        if all(value is None for value in given):
            message = "nothing would change: give a title, a time, a place or notes"
            raise ValueError(message)
        _check_order(self.start, self.end)
        return self


class EventAsBefore(ChosenEvent):
    """Everything that a person can see of an event, as it stood before a change."""

    status: Annotated[Literal["confirmed", "tentative"], Arg("Status")]
    title: Annotated[str, Arg("Title")]
    start: Annotated[DayOrInstant, Arg("Start")]
    end: Annotated[DayOrInstant, Arg("End")]
    zone: Annotated[str, Arg("Time zone")]
    location: Annotated[str, Arg("Place")]
    description: Annotated[str, Arg("Notes", multiline=True)]


class CalendarEvent(Result):
    """One event. Its words are labelled `outside`: an invitation's were written by others."""

    id: Annotated[str, Out(Label.RECORD, id_kind=EVENT)]
    title: Annotated[str, Out(Label.OUTSIDE)]
    start: Annotated[str, Out(Label.OUTSIDE)]
    """RFC 3339, or a day where the event lasts whole days."""
    end: Annotated[str, Out(Label.OUTSIDE)]
    location: Annotated[str, Out(Label.OUTSIDE)]
    guests: Annotated[list[str], Out(Label.OUTSIDE)]
    """Who is mailed about a change: all attendees but the calendar's owner."""
    organizer: Annotated[str, Out(Label.OUTSIDE)]
    status: Annotated[str, Out(Label.RECORD)]
    url: Annotated[str, Out(Label.RECORD)]
    content_hash: Annotated[str, Out(Label.RECORD)]
    """What an undo must find unchanged (`WireEvent.content_hash`)."""


class CalendarEvents(Result):
    events: Annotated[list[CalendarEvent], Out(Label.OUTSIDE)]
    zone: Annotated[str, Out(Label.RECORD)]
    """The calendar's own time zone."""
    has_more: Annotated[bool, Out(Label.RECORD)]


class Snapshot(BaseModel):
    """An event as it stood when a call was frozen: the precondition of every change (S18)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    content_hash: str
    status: str
    title: str
    start: str
    end: str
    zone: str
    location: str
    description: str
    guests: list[str]
