"""Lengths of time as people write them: 30 minutes · an hour · 1h30 · half an hour."""

import re
from collections.abc import Iterator
from decimal import Decimal

from bot.planning.parse.scan import NUMBER_WORDS, Found, matches

_COUNT = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
_HOURS = r"(?:hours?|hrs?|h)"
_MINUTES = r"(?:minutes?|mins?|min|m)"
_PATTERNS = (
    re.compile(rf"(?P<n>{_COUNT}) hours? and a (?P<half>half)", re.IGNORECASE),
    re.compile(r"(?P<half>half) (?:an |a )?hour|a (?P<half2>half)[ -]hour", re.IGNORECASE),
    re.compile(r"(?:a )?(?P<quarter>quarter)(?: of)?(?: an)? hour", re.IGNORECASE),
    re.compile(
        rf"(?P<h>\d{{1,2}}) ?{_HOURS}(?: and)? ?(?P<m>\d{{1,2}}) ?{_MINUTES}?", re.IGNORECASE
    ),
    re.compile(rf"(?P<n>\d{{1,2}}(?:[.,]\d{{1,2}})?|{_COUNT})[ -]?{_HOURS}", re.IGNORECASE),
    re.compile(rf"(?P<minutes>\d{{1,3}}|{_COUNT})[ -]?{_MINUTES}", re.IGNORECASE),
)
_MAX_MINUTES = 24 * 60


def find_duration(text: str, pos: int) -> Iterator[Found[int]]:
    """Yield the lengths in minutes that may be written at `pos`, the longest phrase first."""
    found = [
        Found(match.end(), minutes)
        for pattern in _PATTERNS
        for match in matches(pattern, text, pos)
        if (minutes := _minutes(match.groupdict())) is not None
    ]
    yield from sorted(found, key=lambda item: -item.end)


def _minutes(groups: dict[str, str | None]) -> int | None:
    if groups.get("quarter"):
        return 15
    total = Decimal(0)
    if groups.get("half") or groups.get("half2"):
        total += 30
    total += _number(groups.get("n")) * 60 + _number(groups.get("h")) * 60
    total += _number(groups.get("m")) + _number(groups.get("minutes"))
    if total != total.to_integral_value() or not 0 < total <= _MAX_MINUTES:
        return None
    return int(total)


def _number(written: str | None) -> Decimal:
    if written is None:
        return Decimal(0)
    word = NUMBER_WORDS.get(written.casefold())
    return Decimal(word) if word is not None else Decimal(written.replace(",", "."))
