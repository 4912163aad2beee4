"""What a placeholder may stand for: every way to read its kind at a place in the message."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

from bot.planning.offline.vocabulary import ARTICLES, COMPANY_ENDINGS, INNER, STOP
from bot.planning.parse.addresses import Colleague, find_email, find_emails
from bot.planning.parse.durations import find_duration
from bot.planning.parse.instants import Period, When, find_period, find_when
from bot.planning.parse.money import Money, find_money
from bot.planning.parse.scan import Found, skip_spaces
from connectors.actions import Slot

Value: TypeAlias = str | int | tuple[str, ...] | Money | When | Period


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a placeholder: where it ends, its value, and how many words are free.

    Free words are those that only the placeholder explains; the fewer a parse needs, the surer
    it is.
    """

    end: int
    value: Value
    free: int = 0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the meaning of words depends on."""

    now: datetime
    zone: ZoneInfo
    people: Sequence[Colleague] = ()

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()


_WORD = re.compile(r"[^\W_][\w&.+'/-]*|&")
_QUOTED = re.compile(r"\"([^\"\n]{1,120})\"")
_MAX_WORDS = 6


def read(
    slot: Slot,
    text: str,
    pos: int,
    *,
    around: Surroundings,
    choices: Mapping[str, str] | None = None,
) -> Iterator[Reading]:
    """Yield every reading of a placeholder of kind `slot` at `pos`."""
    match slot:
        case Slot.TEXT:
            yield from _quoted(text, pos)
            yield from _title(text, pos)
        case Slot.NAME:
            yield from _quoted(text, pos)
            yield from _name(text, pos)
        case Slot.CHOICE:
            yield from _choice(text, pos, choices or {})
        case _:
            for found in _typed(slot, text, pos, around):
                yield Reading(found.end, found.value)


def _typed(
    slot: Slot, text: str, pos: int, around: Surroundings
) -> Iterator[
    Found[str] | Found[int] | Found[tuple[str, ...]] | Found[Money] | Found[When] | Found[Period]
]:
    match slot:
        case Slot.EMAIL:
            yield from find_email(text, pos)
        case Slot.EMAILS:
            yield from find_emails(text, pos, people=around.people)
        case Slot.MONEY:
            yield from find_money(text, pos)
        case Slot.DURATION:
            yield from find_duration(text, pos)
        case Slot.WHEN:
            yield from find_when(text, pos, today=around.today)
        case Slot.PERIOD:
            yield from find_period(text, pos, today=around.today)


def _quoted(text: str, pos: int) -> Iterator[Reading]:
    match = _QUOTED.match(text, skip_spaces(text, pos))
    if match is not None and match[1].strip():
        yield Reading(match.end(), match[1].strip())


def _words(text: str, pos: int) -> list[re.Match[str]]:
    """Return the next plain words, up to the first that is none."""
    found: list[re.Match[str]] = []
    at = skip_spaces(text, pos)
    while len(found) < _MAX_WORDS and (match := _WORD.match(text, at)) is not None:
        found.append(match)
        if not (match.end() < len(text) and text[match.end()] == " "):
            break
        at = match.end() + 1
    return found


def _ends(text: str, words: list[re.Match[str]]) -> Iterator[Reading]:
    start = words[0].start()
    for count in range(len(words), 0, -1):
        end = words[count - 1].end()
        bare = text[start:end].rstrip(".'/-")
        if bare and not _is_inner(words[count - 1][0]):
            yield Reading(start + len(bare), bare, free=count)


def _title(text: str, pos: int) -> Iterator[Reading]:
    words: list[re.Match[str]] = []
    for match in _words(text, pos):
        if _bare(match[0]) in STOP or (not words and _bare(match[0]) in ARTICLES):
            break
        words.append(match)
        if match[0].endswith("."):
            break
    if words:
        yield from _ends(text, words)


def _name(text: str, pos: int) -> Iterator[Reading]:
    words: list[re.Match[str]] = []
    for match in _words(text, pos):
        if not _goes_on(match[0], words):
            break
        words.append(match)
        if match[0].endswith(".") and match[0].casefold() not in COMPANY_ENDINGS:
            break
    if words and not _is_inner(words[0][0]):
        yield from _ends(text, words)


def _goes_on(word: str, before: list[re.Match[str]]) -> bool:
    """Return whether a word may stand in a proper name after the words before it."""
    if _bare(word) in STOP and not (before and _is_inner(word)):
        return False
    if word[0].isupper() or word[0].isdigit():
        return True
    if not before:
        return True
    # A name in lower case is one word, or ends in a company's legal form.
    written_small = not (before[0][0][0].isupper() or before[0][0][0].isdigit())
    return word.casefold() in COMPANY_ENDINGS or (_is_inner(word) and not written_small)


def _is_inner(word: str) -> bool:
    return word.casefold() in INNER


def _bare(word: str) -> str:
    return word.casefold().rstrip(".'/-")


def _choice(text: str, pos: int, choices: Mapping[str, str]) -> Iterator[Reading]:
    start = skip_spaces(text, pos)
    for phrase in sorted(choices, key=len, reverse=True):
        match = re.compile(rf"{re.escape(phrase)}(?!\w)", re.IGNORECASE).match(text, start)
        if match is not None:
            yield Reading(match.end(), choices[phrase])
