# ruff: noqa: RUF001 -- the en dash stands between two times, as on the card
from zoneinfo import ZoneInfo

import pytest

from connectors.errors import RejectedError
from connectors.google_calendar.schemas import EventChange, Snapshot
from connectors.google_calendar.when import is_same_time, moment_body, new_span, span_text, zone_of

BERLIN = ZoneInfo("Europe/Berlin")


def _before(start: str, end: str) -> Snapshot:
    return Snapshot(
        content_hash="0" * 64,
        status="confirmed",
        title="Report",
        start=start,
        end=end,
        zone="Europe/Berlin",
        location="",
        description="",
        guests=[],
    )


@pytest.mark.parametrize(
    ("start", "end", "zone", "text"),
    [
        pytest.param("2026-11-24T10:00:00+01:00", "2026-11-24T10:30:00+01:00", "Europe/Berlin",
                     "Tue 24 Nov 10:00–10:30 CET", id="one day"),
        pytest.param("2026-11-24T09:00:00Z", "2026-11-24T09:30:00Z", "Europe/Berlin",
                     "Tue 24 Nov 10:00–10:30 CET", id="given in UTC"),
        pytest.param("2026-07-01T23:00:00+02:00", "2026-07-02T01:00:00+02:00", "Europe/Berlin",
                     "Wed 1 Jul 23:00 – Thu 2 Jul 01:00 CEST", id="over midnight"),
        pytest.param("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", "Europe/Berlin",
                     "Sun 25 Oct 02:30 CEST–02:30 CET", id="the clock goes back"),
        pytest.param("2026-11-24T10:00:00+04:00", "2026-11-24T11:00:00+04:00", "Asia/Dubai",
                     "Tue 24 Nov 10:00–11:00 UTC+04", id="a zone without letters"),
        pytest.param("2026-11-24", "2026-11-25", "Europe/Berlin", "Tue 24 Nov, all day",
                     id="a whole day"),
        pytest.param("2026-11-24", "2026-11-27", "Europe/Berlin",
                     "Tue 24 Nov – Thu 26 Nov, all day", id="whole days"),
        pytest.param("", "", "Europe/Berlin", "at an unknown time", id="not told"),
    ],
)  # fmt: skip
def test_span_reads_as_a_person_says_it(start: str, end: str, zone: str, text: str) -> None:
    """A card names day, both times and the zone, and both days where they differ."""
    assert span_text(start, end, zone=ZoneInfo(zone)) == text


def test_span_with_year_names_it() -> None:
    """The detail on a card leaves no doubt about the year."""
    start, end = "2027-11-24T10:00:00+01:00", "2027-11-24T10:30:00+01:00"
    text = span_text(start, end, zone=BERLIN, with_year=True)
    assert text == "Wed 24 Nov 2027 10:00–10:30 CET"


def test_new_start_alone_keeps_the_length() -> None:
    """A plan cannot do arithmetic, so the end follows the start."""
    change = EventChange.model_validate({"event_id": "e1", "start": "2026-11-30T10:00:00+01:00"})
    before = _before("2026-11-24T10:00:00+01:00", "2026-11-24T11:30:00+01:00")
    assert new_span(change, before) == ("2026-11-30T10:00:00+01:00", "2026-11-30T11:30:00+01:00")


def test_new_end_alone_keeps_the_start() -> None:
    """Making an event longer leaves its start."""
    change = EventChange.model_validate({"event_id": "e1", "end": "2026-11-24T12:00:00+01:00"})
    before = _before("2026-11-24T10:00:00+01:00", "2026-11-24T11:30:00+01:00")
    assert new_span(change, before) == ("2026-11-24T10:00:00+01:00", "2026-11-24T12:00:00+01:00")


@pytest.mark.parametrize(
    ("fields", "before"),
    [
        pytest.param({"start": "2026-11-30T10:00:00Z"}, ("2026-11-24", "2026-11-25"),
                     id="whole day, start alone"),
        pytest.param({"end": "2026-11-24T08:00:00Z"},
                     ("2026-11-24T10:00:00Z", "2026-11-24T11:00:00Z"), id="ends before its start"),
    ],
)  # fmt: skip
def test_times_that_are_not_enough_are_refused(
    fields: dict[str, str], before: tuple[str, str]
) -> None:
    """What cannot be worked out is asked for, never guessed."""
    change = EventChange.model_validate({"event_id": "e1", **fields})
    with pytest.raises(RejectedError) as refused:
        new_span(change, _before(*before))
    assert refused.value.kind == "invalid"


def test_other_fields_leave_the_time() -> None:
    """A new title moves nothing."""
    change = EventChange.model_validate({"event_id": "e1", "title": "Plan"})
    assert new_span(change, _before("2026-11-24", "2026-11-25")) is None


def test_same_instant_in_another_offset_is_the_same_time() -> None:
    """Google gives times back in the calendar's zone."""
    assert is_same_time("2026-11-24T10:00:00+01:00", "2026-11-24T09:00:00Z")
    assert not is_same_time("2026-11-24", "2026-11-24T00:00:00Z")
    assert is_same_time("2026-11-24", "2026-11-24")


def test_patch_of_a_time_clears_its_other_form() -> None:
    """A whole day that becomes an instant is not left with both."""
    assert moment_body("2026-11-24", zone="Europe/Berlin") == {
        "date": "2026-11-24",
        "dateTime": None,
        "timeZone": None,
    }
    instant = moment_body("2026-11-24T10:00:00+01:00", zone="")
    assert instant == {"date": None, "dateTime": "2026-11-24T10:00:00+01:00"}


def test_unknown_zone_falls_back_to_the_persons() -> None:
    """A card can always be drawn."""
    assert zone_of("Mars/Base", otherwise=BERLIN) is BERLIN
    assert zone_of("", otherwise=BERLIN) is BERLIN
    assert zone_of("Asia/Dubai", otherwise=BERLIN).key == "Asia/Dubai"
