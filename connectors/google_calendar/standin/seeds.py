from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from connectors.google_calendar.standin.calendar import CalendarBook
from connectors.google_calendar.standin.events import EventBody
from connectors.google_calendar.standin.mails import Updates
from connectors.google_calendar.standin.times import EventTime
from connectors.standin.config import Account

MONDAY, THURSDAY = 0, 3

# Weekday, start, length in minutes, title. Tuesday at 10 and every 9 o'clock stay free for
# what the demo books.
_EVENTS = (
    (MONDAY, time(9, 30), 30, "Sales sync"),
    (THURSDAY, time(15, 0), 60, "Pipeline review"),
)


def seed(book: CalendarBook, accounts: tuple[Account, ...]) -> None:
    """Give each account two events in the coming week, seen from today in its own zone."""
    for account in accounts:
        today = datetime.now(ZoneInfo(account.time_zone)).date()
        for weekday, at, minutes, title in _EVENTS:
            start = datetime.combine(_next(today, weekday), at)
            body = EventBody(
                summary=title,
                start=_local(start, account),
                end=_local(start + timedelta(minutes=minutes), account),
            )
            book.insert(account, body, updates=Updates.NONE)


def _next(today: date, weekday: int) -> date:
    """Return the next such weekday after today."""
    return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)


def _local(moment: datetime, account: Account) -> EventTime:
    return EventTime(dateTime=moment.isoformat(), timeZone=account.time_zone)
