"""What every value parser shares: where it looks, and what it hands back."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Found(Generic[T_co]):
    """A value and where its words end."""

    end: int
    value: T_co


@dataclass(frozen=True, slots=True)
class Doubt:
    """What to ask when words have no certain meaning.

    Attributes:
        question: the question, a sentence.
        words: the uncertain words, as written.
        readings: words that would be certain in their place.
    """

    question: str
    words: str = ""
    readings: tuple[str, ...] = ()


def skip_spaces(text: str, pos: int) -> int:
    while pos < len(text) and text[pos].isspace():
        pos += 1
    return pos


def ends_word(text: str, pos: int) -> bool:
    """Return whether no word goes on at `pos`: "10" ends in "10." and not in "100" or "10x"."""
    if pos >= len(text):
        return True
    if pos > 0 and not text[pos - 1].isalnum():
        return True
    return not (text[pos].isalnum() or text[pos] in "_@%")


def matches(pattern: re.Pattern[str], text: str, pos: int) -> Iterator[re.Match[str]]:
    """Yield the match of `pattern` at the next word, if it ends where a word ends."""
    found = pattern.match(text, skip_spaces(text, pos))
    if found is not None and found.end() > found.start() and ends_word(text, found.end()):
        yield found


NUMBER_WORDS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "forty-five": 45,
    "sixty": 60,
    "ninety": 90,
}
