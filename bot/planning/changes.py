"""Changes of mind: what a person writes about a goal that is under way, told by exact forms.

Whoever means something new writes something else; so only whole messages of these forms count.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from bot.planning.parse.instants import When, find_when
from bot.planning.parse.money import Money, find_money
from bot.planning.text import folded, plain

_POLITE = r"(?:(?:please|actually|sorry|no|ok|okay|wait|oh|instead)[,.!]? )*"
_END = r"(?:,? (?:please|instead|after all|thanks))*[.!]*"
_THE = r"(?:the |that |this |my )?"
_DROP = re.compile(
    rf"{_POLITE}(?:drop|skip|remove|leave out|forget(?: about)?|cancel|never ?mind|"
    rf"don't do|do not do|no need for) {_THE}(?P<what>[^,;]+?){_END}",
    re.IGNORECASE,
)
_VERB = r"(?:make|move|change|set|put|push|bring)"
_IT = rf"(?:(?:it|that|this)|{_THE}(?P<what>[^,;]+?))"
_NEW = rf"(?P<value>\S.*?){_END}"
_MAKE = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"{_POLITE}{_VERB} {_IT}(?P<to> (?:to|at|on|into|(?:back|up|down) to)) {_NEW}",
        rf"{_POLITE}{_VERB} {_IT}(?P<to>) {_NEW}",
        rf"{_POLITE}(?P<what>)(?P<to>)(?:better|rather) {_NEW}",
    )
)
_INSTEAD = re.compile(
    rf"{_POLITE}(?P<value>\S.*?) (?:instead|is better|rather)[.!]*", re.IGNORECASE
)
_LEADING = re.compile(r"(?:on|at|for|to) ", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_EMPTY = frozenset({"the", "a", "an", "that", "this", "my", "step", "one", "for", "of", "with"})


@dataclass(frozen=True, slots=True)
class Drop:
    """A step is to be left out.

    Attributes:
        words: the words that the person used for it, folded.
    """

    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Make:
    """A value is to become another one.

    Attributes:
        words: the words for what changes, folded; empty for "it".
        value: a day, a time of day or both; an amount; or text for a field that `words` name.
        written: the value as it was written.
    """

    words: frozenset[str]
    value: When | Money | str
    written: str


def read_changes(text: str, *, today: date) -> list[Drop | Make]:
    """Return the ways to read a message as a change, the plainest first; none for other messages.

    Args:
        text: the whole message.
        today: where the person is.
    """
    said = " ".join(plain(text).split())
    found: list[Drop | Make] = []
    if match := _DROP.fullmatch(said):
        found.append(Drop(words_of(match["what"])))
    matches = [match for form in _MAKE if (match := form.fullmatch(said))]
    for match in matches[:1]:
        words, written = words_of(match["what"] or ""), match["value"]
        typed = read_value(written, today=today)
        if typed is not None:
            found.append(Make(words, typed, written))
        if words and match["to"]:
            found.append(Make(words, written, written))
    if not matches and (match := _INSTEAD.fullmatch(said)):
        typed = read_value(match["value"], today=today)
        if typed is not None:
            found.append(Make(frozenset(), typed, match["value"]))
    return found


def words_of(text: str) -> frozenset[str]:
    """Return the words that tell one thing from another, folded."""
    return frozenset(_WORD.findall(folded(plain(text)))) - _EMPTY


def read_value(written: str, *, today: date) -> When | Money | None:
    """Return the instant or amount that the words are as a whole."""
    start = match.end() if (match := _LEADING.match(written)) else 0
    for when in find_when(written, start, today=today):
        if when.end == len(written):
            return when.value
    for money in find_money(written, start):
        if money.end == len(written) and Decimal(money.value.amount) > 0:
            return money.value
    return None
