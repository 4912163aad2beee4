"""When waits end: local times, calendar steps, and what the clocks skip or show twice."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.planning.moments import Duration, MomentError, first_instant, read_until

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
APIA = ZoneInfo("Pacific/Apia")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at", "zone", "expected"),
    [
        pytest.param("2026-12-01", None, BERLIN, "2026-12-01T08:00", id="a-date-is-nine"),
        pytest.param("2026-12-01", "17:30", BERLIN, "2026-12-01T16:30", id="a-date-at"),
        pytest.param("2026-12-01T09:00", None, NEW_YORK, "2026-12-01T14:00", id="local-time"),
        pytest.param("2026-12-01T09:00:00+01:00", None, NEW_YORK, "2026-12-01T08:00", id="instant"),
        pytest.param(
            "2026-12-01T23:30:00-05:00", "09:00", BERLIN, "2026-12-02T08:00", id="its-day-at"
        ),
        pytest.param("2027-03-28", "02:30", BERLIN, "2027-03-28T01:00", id="skipped-in-spring"),
        pytest.param("2026-10-25", "02:30", BERLIN, "2026-10-25T00:30", id="twice-in-autumn"),
        pytest.param("2027-03-14", "02:30", NEW_YORK, "2027-03-14T07:00", id="skipped-new-york"),
        pytest.param("2026-10-04", "02:15", LORD_HOWE, "2026-10-03T15:30", id="half-an-hour-gap"),
        pytest.param("2011-12-30", "09:00", APIA, "2011-12-30T10:00", id="a-day-that-never-was"),
    ],
)
def test_until_names_one_instant(text: str, at: str | None, zone: ZoneInfo, expected: str) -> None:
    """A time that the clocks skip is the first instant after the gap; of two it is the first."""
    assert read_until(text, at=at, zone=zone) == utc(expected)


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "2026-12-01T25:00", "20261201T", "12"])
def test_what_is_no_date_is_refused(text: str) -> None:
    """A date or an ISO 8601 instant, or a sentence that says so."""
    with pytest.raises(MomentError, match="date"):
        read_until(text, at=None, zone=BERLIN)


@pytest.mark.parametrize(
    ("text", "start", "expected", "words"),
    [
        pytest.param("P1D", "2027-03-27T08:00", "2027-03-28T07:00", "1 day", id="nine-stays-nine"),
        pytest.param("PT24H", "2027-03-27T08:00", "2027-03-28T08:00", "24 hours", id="exact"),
        pytest.param("P1D", "2026-10-24T07:00", "2026-10-25T08:00", "1 day", id="autumn"),
        pytest.param("P2W", "2026-11-21T08:00", "2026-12-05T08:00", "14 days", id="weeks"),
        pytest.param("P1M", "2027-01-31T08:00", "2027-02-28T08:00", "1 month", id="short-month"),
        pytest.param(
            "P1Y2M3DT4H5M",
            "2026-11-21T08:00",
            "2028-01-24T12:05",
            "1 year 2 months 3 days 4 hours 5 minutes",
            id="all",
        ),
    ],
)
def test_duration_follows_the_calendar(text: str, start: str, expected: str, words: str) -> None:
    """Days, weeks, months and years are steps of the calendar; hours and less are exact."""
    duration = Duration.parse(text)
    assert duration.after(utc(start), BERLIN) == utc(expected)
    assert duration.words() == words


@pytest.mark.parametrize("text", ["", "P", "PT", "P0D", "3 days", "P-1D", "P1.5D", "P1DT", "p3d "])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """ISO 8601, and longer than nothing."""
    with pytest.raises(MomentError):
        Duration.parse(text)


@given(
    local=st.datetimes(datetime(1975, 1, 1), datetime(2036, 12, 31)),  # noqa: DTZ001 -- wall clock
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
)
def test_a_wall_clock_time_is_shown_or_just_skipped(local: datetime, zone: str) -> None:
    """At the instant the clocks show the time; only in a gap they show the time after it."""
    local = local.replace(microsecond=0)
    shown = first_instant(local, ZoneInfo(zone)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert shown == local or 0 < (shown - local).total_seconds() <= 3600
