"""Example phrasings as trees: words, placeholders, optional and alternative phrases."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from bot.planning.errors import PlanningError


class PatternError(PlanningError):
    """An example phrasing is not well-formed; mend it where its action is declared."""


@dataclass(frozen=True, slots=True)
class Word:
    text: str


@dataclass(frozen=True, slots=True)
class Hole:
    name: str


@dataclass(frozen=True, slots=True)
class Choose:
    """One of several phrases; an optional phrase has the empty one among them, tried last."""

    options: tuple["Phrase", ...]


Element: TypeAlias = Word | Hole | Choose
Phrase: TypeAlias = tuple[Element, ...]

_TOKEN = re.compile(r"\s*([\[\]()|]|\{\w+\}|[^\s\[\]()|{}]+)")
_CLOSING = {"[": "]", "(": ")"}


@lru_cache(maxsize=1024)
def parse_pattern(text: str) -> Phrase:
    """Return the tree of an example phrasing.

    Raises:
        PatternError: a bracket is not closed, or a placeholder is malformed.
    """
    tokens = _tokens(text)
    options = _options(tokens, closing=None)
    if tokens or len(options) != 1:
        message = f"{text!r}: alternatives and brackets must be balanced"
        raise PatternError(message)
    return options[0]


def holes(phrase: Phrase) -> frozenset[str]:
    """Return the names of all placeholders of a phrase."""
    found: set[str] = set()
    for element in phrase:
        if isinstance(element, Hole):
            found.add(element.name)
        elif isinstance(element, Choose):
            found.update(*(holes(option) for option in element.options))
    return frozenset(found)


def words(phrase: Phrase) -> frozenset[str]:
    """Return every literal word of a phrase, case folded."""
    found: set[str] = set()
    for element in phrase:
        if isinstance(element, Word):
            found.add(element.text)
        elif isinstance(element, Choose):
            found.update(*(words(option) for option in element.options))
    return frozenset(found)


def _tokens(text: str) -> list[str]:
    """Return the tokens in reverse, so that the next one is popped from the end."""
    found = _TOKEN.findall(text)
    if "".join(found) != re.sub(r"\s", "", text):
        message = f"{text!r}: a placeholder is a name in braces"
        raise PatternError(message)
    return found[::-1]


def _options(tokens: list[str], *, closing: str | None) -> list[Phrase]:
    options: list[list[Element]] = [[]]
    while tokens and tokens[-1] != closing:
        part = tokens.pop()
        if part == "|":
            options.append([])
        elif part in _CLOSING:
            inner = _options(tokens, closing=_CLOSING[part])
            if not tokens:
                message = f"a {part!r} is not closed"
                raise PatternError(message)
            tokens.pop()
            options[-1].append(Choose((*inner, ()) if part == "[" else tuple(inner)))
        elif part in _CLOSING.values():
            message = f"a {part!r} closes nothing"
            raise PatternError(message)
        else:
            options[-1].append(Hole(part[1:-1]) if part[0] == "{" else Word(part.casefold()))
    return [tuple(option) for option in options]
