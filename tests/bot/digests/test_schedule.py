"""09:00 stays 09:00, whatever the clocks do."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.digests.schedule import next_slot

WEEK = (1, 2, 3, 4, 5, 6, 7)


def _slots(at: time, zone: str, after: datetime, *, days: tuple[int, ...] = WEEK) -> list[str]:
    slots = []
    for _ in range(3):
        after = next_slot(at=at, weekdays=days, zone=zone, after=after)
        slots.append(after.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes"))
    return slots


@pytest.mark.parametrize(
    ("at", "zone", "after", "expected"),
    [
        pytest.param(
            time(9),
            "Europe/Berlin",
            datetime(2026, 10, 24, 6, tzinfo=UTC),
            ["2026-10-24T09:00+02:00", "2026-10-25T09:00+01:00", "2026-10-26T09:00+01:00"],
            id="clocks go back",
        ),
        pytest.param(
            time(9),
            "Europe/Berlin",
            datetime(2026, 3, 28, 6, tzinfo=UTC),
            ["2026-03-28T09:00+01:00", "2026-03-29T09:00+02:00", "2026-03-30T09:00+02:00"],
            id="clocks go forward",
        ),
        pytest.param(
            time(2, 30),
            "Europe/Berlin",
            datetime(2026, 10, 24, 12, tzinfo=UTC),
            ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00", "2026-10-27T02:30+01:00"],
            id="a time shown twice counts once",
        ),
        pytest.param(
            time(2, 30),
            "Europe/Berlin",
            datetime(2026, 3, 28, 12, tzinfo=UTC),
            ["2026-03-29T03:30+02:00", "2026-03-30T02:30+02:00", "2026-03-31T02:30+02:00"],
            id="a time leapt over comes later that day",
        ),
    ],
)
def test_clock_change_keeps_the_time_on_the_wall(
    at: time, zone: str, after: datetime, expected: list[str]
) -> None:
    """A schedule is a time on the person's wall, once a day."""
    assert _slots(at, zone, after) == expected


def test_workdays_skip_the_weekend() -> None:
    """After Friday comes Monday."""
    friday = datetime(2026, 11, 20, 12, tzinfo=UTC)

    slots = _slots(time(9), "Europe/Berlin", friday, days=(1, 2, 3, 4, 5))

    assert slots == ["2026-11-23T09:00+01:00", "2026-11-24T09:00+01:00", "2026-11-25T09:00+01:00"]


def test_unknown_zone_counts_as_utc() -> None:
    """A zone that this system does not know costs nobody their digest."""
    after = datetime(2026, 11, 20, 12, tzinfo=UTC)

    assert next_slot(at=time(9), weekdays=WEEK, zone="Mars/Base", after=after) == datetime(
        2026, 11, 21, 9, tzinfo=UTC
    )


@given(
    at=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
    after=st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 -- hypothesis adds the zone
    days=st.sets(st.integers(1, 7), min_size=1).map(tuple),
)
def test_next_slot_is_later_and_on_one_of_the_days(
    at: time, zone: str, after: datetime, days: tuple[int, ...]
) -> None:
    """Whatever is asked, the next digest lies ahead, within eight days, on a chosen day."""
    slot = next_slot(at=at, weekdays=days, zone=zone, after=after)

    assert slot > after
    assert (slot - after).days <= 8
    assert slot.astimezone(ZoneInfo(zone)).isoweekday() in days
