from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.planning.parse.addresses import Colleague, find_emails
from bot.planning.parse.clock import find_span
from bot.planning.parse.days import find_day
from bot.planning.parse.durations import find_duration
from bot.planning.parse.instants import Instants, find_when, resolve_when
from bot.planning.parse.money import find_money
from bot.planning.parse.scan import Doubt

MONEY = [
    ("$48,000", "48000.00", "USD"),
    ("US$48,000", "48000.00", "USD"),
    ("48k EUR", "48000.00", "EUR"),
    ("48.000 €", "48000.00", "EUR"),
    ("48 000 euros", "48000.00", "EUR"),
    ("USD 48,000.50", "48000.50", "USD"),
    ("€1.500,5", "1500.50", "EUR"),
    ("1,234,567", "1234567.00", None),
    ("1.5 million dollars", "1500000.00", "USD"),
    ("12 GBP", "12.00", "GBP"),
]


@pytest.mark.parametrize(("text", "amount", "currency"), MONEY, ids=[item[0] for item in MONEY])
def test_money_is_read_whole(text: str, amount: str, currency: str | None) -> None:
    """An amount has two decimals, whatever separators its writer uses."""
    found = next(find_money(text, 0))
    assert (found.end, found.value.amount, found.value.currency) == (len(text), amount, currency)


@pytest.mark.parametrize("text", ["1.500k", "$5 EUR", "10x", "five", "99999999999999", "1,2,3"])
def test_uncertain_money_is_not_read_whole(text: str) -> None:
    """What has two readings, or none, is no money."""
    assert not [found for found in find_money(text, 0) if found.end == len(text)]


DURATIONS = [
    ("30 minutes", 30),
    ("30-minute", 30),
    ("45min", 45),
    ("an hour", 60),
    ("1.5 hours", 90),
    ("1h30", 90),
    ("1 hour and 15 minutes", 75),
    ("an hour and a half", 90),
    ("half an hour", 30),
    ("two hours", 120),
    ("a quarter of an hour", 15),
]


@pytest.mark.parametrize(("text", "minutes"), DURATIONS, ids=[item[0] for item in DURATIONS])
def test_duration_is_read_in_minutes(text: str, minutes: int) -> None:
    """The longest reading comes first."""
    found = next(find_duration(text, 0))
    assert (found.end, found.value) == (len(text), minutes)


@pytest.mark.parametrize("text", ["0 minutes", "25 hours", "minutes", "30", "-5 minutes"])
def test_impossible_duration_is_none(text: str) -> None:
    """Nothing takes no time, or longer than a day."""
    assert not list(find_duration(text, 0))


def test_address_list_offers_every_length() -> None:
    """The longest list comes first, and shorter ones remain possible."""
    found = [item.value for item in find_emails("a@b.example, c@d.example and book", 0)]
    assert found == [("a@b.example", "c@d.example"), ("a@b.example",)]


def test_ambiguous_first_name_is_no_address() -> None:
    """Of two colleagues called Mo neither is meant; a full name is."""
    people = [Colleague("U1", "Mo A", "a@x.example"), Colleague("U2", "Mo B", "b@x.example")]
    assert not list(find_emails("Mo tomorrow", 0, people=people))
    assert next(find_emails("Mo B tomorrow", 0, people=people)).value == ("b@x.example",)


NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def when(text: str, *, minutes: int | None = 30, zone: ZoneInfo = NEW_YORK) -> Instants | Doubt:
    found = next(find_when(text, 0, today=date(2026, 11, 21)))
    assert found.end == len(text)
    return resolve_when(found.value, now=NOW, zone=zone, minutes=minutes)


WHENS = [
    ("next Tuesday at 10", "2026-11-24T10:00:00-05:00", "2026-11-24T10:30:00-05:00"),
    ("at noon on 1 December", "2026-12-01T12:00:00-05:00", "2026-12-01T12:30:00-05:00"),
    ("today at 7:30", "2026-11-21T07:30:00-05:00", "2026-11-21T08:00:00-05:00"),
    ("12.12. at 09:00", "2026-12-12T09:00:00-05:00", "2026-12-12T09:30:00-05:00"),
    ("Nov 24 at 23:45", "2026-11-24T23:45:00-05:00", "2026-11-25T00:15:00-05:00"),
    ("14 March 2027 at 01:45", "2027-03-14T01:45:00-05:00", "2027-03-14T03:15:00-04:00"),
    ("11 am on Friday", "2026-11-27T11:00:00-05:00", "2026-11-27T11:30:00-05:00"),
]


@pytest.mark.parametrize(("text", "start", "end"), WHENS, ids=[item[0] for item in WHENS])
def test_instant_carries_the_offset_of_its_day(text: str, start: str, end: str) -> None:
    """An end is a length later on the real clock, also across a change of the clocks."""
    assert when(text) == Instants(start, end)


DAYS = [
    ("this Saturday", date(2026, 11, 21)),
    ("Saturday", date(2026, 11, 28)),
    ("next Saturday", date(2026, 11, 28)),
    ("coming Monday", date(2026, 11, 23)),
    ("last Friday", date(2026, 11, 20)),
    ("last Saturday", date(2026, 11, 14)),
    ("the day before yesterday", date(2026, 11, 19)),
    ("in two weeks", date(2026, 12, 5)),
    ("in 10 days", date(2026, 12, 1)),
    ("1.3.", date(2027, 3, 1)),
    ("24/11/2026", date(2026, 11, 24)),
    ("24th of November 2027", date(2027, 11, 24)),
    ("February 29", date(2028, 2, 29)),
]


@pytest.mark.parametrize(("text", "day"), DAYS, ids=[item[0] for item in DAYS])
def test_day_is_read_from_today(text: str, day: date) -> None:
    """On Saturday 21 November 2026, these words mean this day."""
    found = next(find_day(text, 0, today=date(2026, 11, 21)))
    assert (found.end, found.value.day, found.value.doubt) == (len(text), day, None)


@pytest.mark.parametrize("text", ["31 November", "2026-02-30", "31.11.", "40/40/2026", "someday"])
def test_impossible_day_is_none(text: str) -> None:
    """A day that no calendar has is not moved to one that it has."""
    found = list(find_day(text, 0, today=date(2026, 11, 21)))
    assert not [item for item in found if item.end == len(text)]


SPANS = [
    ("from 2 to 3pm", "14:00", "15:00"),
    ("from 11 to 1", "11:00", "13:00"),
    ("9-17", "09:00", "17:00"),
    ("between 10 and 11:30", "10:00", "11:30"),
    ("11am-1pm", "11:00", "13:00"),
    ("10 o'clock", "10:00", None),
    ("midnight", "00:00", None),
    ("12am", "00:00", None),
    ("at 7 in the evening", "19:00", None),
]


@pytest.mark.parametrize(("text", "start", "end"), SPANS, ids=[item[0] for item in SPANS])
def test_time_of_day_is_read_whole(text: str, start: str, end: str | None) -> None:
    """A range ends after it begins, and shares its am or pm."""
    found = next(find_span(text, 0))
    assert (found.end, found.value.doubt) == (len(text), None)
    assert f"{found.value.start:%H:%M}" == start
    assert (f"{found.value.end:%H:%M}" if found.value.end else None) == end


@pytest.mark.parametrize("text", ["at 25", "10:75", "13pm", "5", "10 and 11", "from 15 to 14"])
def test_impossible_time_is_none(text: str) -> None:
    """Numbers alone, and times that no clock shows, are no time of day."""
    assert not [found for found in find_span(text, 0) if found.end == len(text)]


def test_open_range_offers_both_halves_of_the_day() -> None:
    """Each reading of an uncertain range is a phrase that has one meaning."""
    doubt = next(find_span("from 2 to 3", 0)).value.doubt
    assert doubt is not None
    assert doubt.readings == ("from 02:00 to 03:00", "from 14:00 to 15:00")


def test_missing_length_has_no_end() -> None:
    """No default length is invented."""
    assert when("tomorrow at 10", minutes=None) == Instants("2026-11-22T10:00:00-05:00", None)


@pytest.mark.parametrize(
    "text",
    [
        "tomorrow",
        "at 10",
        "at 3 tomorrow",
        "today at 06:00",
        "yesterday at 10",
        "Monday 24 November at 10",
        "03/04/2027 at 10",
        "14 March 2027 at 02:30",
    ],
)
def test_uncertain_instant_is_a_doubt(text: str) -> None:
    """What is missing, past, contradictory or skipped by the clocks is asked for."""
    assert isinstance(when(text), Doubt)
