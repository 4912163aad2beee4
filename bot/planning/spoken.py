"""What the requester's words say: the instants, amounts, lengths and addresses in a message."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from bot.planning.parse.addresses import EMAIL, Colleague, find_emails
from bot.planning.parse.clock import Span, find_span
from bot.planning.parse.days import Day
from bot.planning.parse.durations import find_duration
from bot.planning.parse.instants import (
    Instants,
    Period,
    When,
    find_period,
    find_when,
    resolve_period,
)
from bot.planning.parse.money import find_money
from bot.planning.text import folded, plain

_WORD_START = re.compile(r"(?<!\w)(?<!\d[.,:'])(?=[\w$€£<@])")
_DIGITS = re.compile(r"[\d.,']+")
_MAX_TEXT = 4_000
"""Beyond it nothing more is looked up: what a long message says later counts as `model`."""

_MAX_CHOICE_WORDS = 4


@dataclass(slots=True)
class Spoken:
    """Every value in the requester's words, parsed at most once, with the span that says it.

    The spans point into `plain(text)`, case folded where a plain text was looked for.
    """

    text: str
    now: datetime
    zone: ZoneInfo
    people: Sequence[Colleague]
    _folded: str = ""
    _instants: dict[datetime, str] = field(default_factory=dict)
    _amounts: dict[Decimal, str] = field(default_factory=dict)
    _currencies: dict[str, str] = field(default_factory=dict)
    _minutes: dict[int, str] = field(default_factory=dict)
    _written: dict[str, str] = field(default_factory=dict)
    _addresses: dict[str, str] = field(default_factory=dict)

    _is_read: bool = False

    def __post_init__(self) -> None:
        self._folded = folded(self.text)

    def _read(self) -> None:
        """Read the values once, and only when one is wanted that is no span of the text."""
        if self._is_read:
            return
        self._is_read = True
        starts = [match.start() for match in _WORD_START.finditer(self.text)]
        self._read_amounts(starts)
        self._read_instants(starts)
        for match in EMAIL.finditer(self.text):
            self._written[match[0].casefold()] = self._source(match.start(), match.end())
        known = {person.email for person in self.people}
        for pos in starts:
            for found in find_emails(self.text, pos, people=self.people):
                named = known.intersection(found.value)
                self._addresses.update(dict.fromkeys(named, self._source(pos, found.end)))

    @classmethod
    def of(
        cls, text: str, *, now: datetime, zone: ZoneInfo, people: Sequence[Colleague] = ()
    ) -> Self:
        """Return what a message says; of an over-long one, what its beginning says."""
        return cls(plain(text)[:_MAX_TEXT], now=now, zone=zone, people=people)

    def find(self, value: JsonValue, *, choices: Collection[tuple[str, str]]) -> str | None:
        """Return where the text says a value, or None.

        Args:
            value: a leaf of an argument.
            choices: (phrase, value) pairs that mean the same.
        """
        if isinstance(value, str):
            return self._of_text(value, choices)
        return self._of_number(value)

    def colleague(self, value: JsonValue) -> str | None:
        """Return where the text names the colleague whose address a value is."""
        self._read()
        return self._addresses.get(value) if isinstance(value, str) else None

    def named_id(self, value: JsonValue) -> str | None:
        """Return where the text calls a value an id, a number or `#…`; else None (S5)."""
        named = re.search(
            rf"(?:\bid|#|\bno\.|\bnumber) ?[:=]? ?{re.escape(folded(str(value)))}(?!\w)",
            self._folded,
        )
        return self._source(named.start(), named.end()) if named else None

    def _of_text(self, value: str, choices: Collection[tuple[str, str]]) -> str | None:
        is_address = EMAIL.fullmatch(value) is not None
        if not is_address and (span := self._span(folded(value))):
            return span
        self._read()
        if is_address:
            return self._written.get(value.casefold())
        return (
            self._of_instant(value)
            or self._of_amount(value)
            or self._currencies.get(value)
            or self._of_choice(value, choices)
        )

    def _span(self, wanted: str) -> str | None:
        if not any(letter.isalnum() for letter in wanted):
            return None
        # "48" is not what "$48,000" says, nor is "example" a word of an address.
        around = (
            (r"[\w.,:'$€£]", r"\w|[.,:']\d") if _DIGITS.fullmatch(wanted) else (r"[\w@]", r"[\w@]")
        )
        pattern = rf"(?<!{around[0]}){re.escape(wanted)}(?!{around[1]})"
        match = re.search(pattern, self._folded)
        return self._source(match.start(), match.end()) if match else None

    def _of_number(self, value: JsonValue) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int):
            return None
        self._read()
        return self._minutes.get(value) or self._amounts.get(Decimal(value))

    def _of_amount(self, value: str) -> str | None:
        try:
            return self._amounts.get(Decimal(value))
        except InvalidOperation:
            return None

    def _of_instant(self, value: str) -> str | None:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        return None if moment.tzinfo is None else self._instants.get(moment.astimezone(UTC))

    def _of_choice(self, value: str, choices: Collection[tuple[str, str]]) -> str | None:
        """Return the words that name an enumerated value: "contract sent" for contractsent."""
        phrases = [phrase for phrase, meant in choices if meant == value]
        words = self._folded.split()
        for start in range(len(words)):
            for count in range(1, _MAX_CHOICE_WORDS + 1):
                some = words[start : start + count]
                if "".join(some).strip(".,;!?") == value.casefold():
                    phrases.append(" ".join(some).strip(".,;!?"))
        return next((source for phrase in phrases if (source := self._span(phrase))), None)

    def _read_amounts(self, starts: Sequence[int]) -> None:
        for pos in starts:
            for money in find_money(self.text, pos):
                source = self._source(pos, money.end)
                self._amounts.setdefault(Decimal(money.value.amount), source)
                if money.value.currency:
                    self._currencies.setdefault(money.value.currency, source)
            for duration in find_duration(self.text, pos):
                self._minutes.setdefault(duration.value, self._source(pos, duration.end))

    def _read_instants(self, starts: Sequence[int]) -> None:
        today = self.now.astimezone(self.zone).date()
        days: dict[Day, str] = {}
        spans: dict[Span, str] = {}
        for pos in starts:
            for found in find_when(self.text, pos, today=today):
                self._add_when(found.value, self._source(pos, found.end))
                if found.value.day is not None:
                    days.setdefault(found.value.day, self._source(pos, found.end))
            for time_of_day in find_span(self.text, pos):
                spans.setdefault(time_of_day.value, self._source(pos, time_of_day.end))
            for period in find_period(self.text, pos, today=today):
                self._add_period(period.value, self._source(pos, period.end))
        if len({day.day for day in days}) == len({span.start for span in spans}) == 1:
            # One day and one time, however far apart they stand, belong together.
            for day, source in days.items():
                for span in spans:
                    self._add_when(When(day, span), source)

    def _add_when(self, when: When, source: str) -> None:
        if when.day is None or when.span is None or when.day.doubt or when.span.doubt:
            return
        start = datetime.combine(when.day.day, when.span.start, self.zone)
        self._add_instant(start, source)
        if when.span.end is not None:
            self._add_instant(datetime.combine(when.day.day, when.span.end, self.zone), source)
        for minutes in self._minutes:
            end = start.astimezone(UTC) + timedelta(minutes=minutes)
            self._add_instant(end, f"{source} + {minutes} minutes")

    def _add_period(self, period: Period, source: str) -> None:
        bounds = resolve_period(period, zone=self.zone)
        if isinstance(bounds, Instants):
            for text in (bounds.start, bounds.end or bounds.start):
                self._add_instant(datetime.fromisoformat(text), source)

    def _add_instant(self, moment: datetime, source: str) -> None:
        self._instants.setdefault(moment.astimezone(UTC), source)

    def _source(self, start: int, end: int) -> str:
        return f"message[{start}:{end}]"
