from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.actions import Preview, PreviewContext
from connectors.google_calendar.actions import CANCEL_EVENT, CREATE_EVENT, UPDATE_EVENT
from connectors.google_calendar.schemas import ChosenEvent, EventChange, NewEvent
from tests.connectors.google_calendar.events import ALONE, snapshot

BERLIN = ZoneInfo("Europe/Berlin")
JANE = "jane.doe@acme.example"
SPAN = "Tue 24 Nov 10:00\u201310:30 CET"


def preview_new(*, reader: ZoneInfo = BERLIN, **changed: Any) -> Preview:
    event = NewEvent.model_validate({**ALONE, **changed})
    return CREATE_EVENT.preview(event, PreviewContext(reader, None))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({}, f"Put “Report” into your calendar, {SPAN}"),
        ({"attendees": [JANE]}, f"Invite {JANE} to “Report”, {SPAN}"),
        (
            {"attendees": [JANE, "joe@acme.example"]},
            f"Invite {JANE} and joe@acme.example to “Report”, {SPAN}",
        ),
        (
            {"end": "2026-11-25T09:00:00+01:00"},
            "Put “Report” into your calendar, Tue 24 Nov 10:00 \u2013 Wed 25 Nov 09:00 CET",
        ),
        (
            {"zone": "Asia/Dubai"},
            "Put “Report” into your calendar, Tue 24 Nov 13:00\u201313:30 UTC+04",
        ),
        (
            {"start": "2026-10-25T01:30:00+02:00", "end": "2026-10-25T02:30:00+01:00"},
            "Put “Report” into your calendar, Sun 25 Oct 01:30 CEST\u201302:30 CET",
        ),
    ],
    ids=["alone", "one guest", "two guests", "overnight", "no letters", "clocks change"],
)
def test_new_event_reads_as_one_sentence(changed: dict[str, Any], sentence: str) -> None:
    """The card says first who is invited to what, and when in the event's own zone."""  # S17
    assert preview_new(**changed).sentence == sentence


def test_invitation_names_everybody_who_is_mailed() -> None:
    """Who hears of it stands on the card, and each guest can be marked."""
    preview = preview_new(attendees=[JANE, "joe@acme.example"])
    assert preview.notifies == f"Google Calendar mails {JANE} and joe@acme.example"
    guests = [detail.pointer for detail in preview.details if detail.name == "Guest"]
    assert guests == ["/attendees/0", "/attendees/1"]
    assert preview_new().notifies is None


def test_details_tell_the_year() -> None:
    """A date on a card is complete: next year's Tuesday is not this year's."""
    when = next(detail for detail in preview_new().details if detail.name == "When")
    assert when.value == "Tue 24 Nov 2026 10:00\u201310:30 CET"


def test_time_in_another_zone_is_shown_in_both() -> None:
    """A person elsewhere also reads their own clock."""
    preview = preview_new(reader=ZoneInfo("America/New_York"))
    own = next(detail for detail in preview.details if detail.name == "In your time zone")
    assert own.value == "Tue 24 Nov 04:00\u201304:30 EST"


def test_moved_event_shows_before_and_after() -> None:
    """A change shows the title that a person knows, and what each value is today."""
    change = EventChange.model_validate(
        {"event_id": "abc12", "guests": [], "start": "2026-11-25T09:00:00+01:00"}
    )
    before = snapshot().model_dump(mode="json")
    preview = UPDATE_EVENT.preview(change, PreviewContext(BERLIN, before))
    assert preview.sentence == f"Move “Report” from {SPAN} to Wed 25 Nov 09:00\u201309:30 CET"
    (when,) = preview.details
    assert (when.value, when.before) == (
        "Wed 25 Nov 2026 09:00\u201309:30 CET",
        "Tue 24 Nov 2026 10:00\u201310:30 CET",
    )


def test_cancelled_meeting_names_whom_google_tells() -> None:
    """The guests come from the event, not from what a plan says of it."""
    before = snapshot(guests=[JANE]).model_dump(mode="json")
    chosen = ChosenEvent(event_id="abc12")
    preview = CANCEL_EVENT.preview(chosen, PreviewContext(BERLIN, before))
    assert preview.sentence == f"Cancel “Report”, {SPAN}"
    assert preview.notifies == f"Google Calendar mails {JANE}"


def test_unread_event_warns_that_guests_may_be_mailed() -> None:
    """Before anything was read the card assumes that somebody is told."""
    early = CANCEL_EVENT.preview(ChosenEvent(event_id="abc12"), PreviewContext(BERLIN, None))
    assert early.notifies == "Google Calendar mails its guests, if it has any"
