"""Matches a message against the example phrasings: each clause fully explained, or not at all."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from rapidfuzz.distance import OSA

from bot.planning.errors import PlanningError
from bot.planning.offline.patterns import Choose, Element, Hole, Phrase, Word, parse_pattern, words
from bot.planning.offline.values import Surroundings, Value, read
from bot.planning.offline.vocabulary import POLITE_END, POLITE_START
from bot.planning.parse.instants import When
from bot.planning.parse.scan import skip_spaces
from connectors.actions import Action, Example, Slot

_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_SEPARATOR = re.compile(
    r"(?:[.!?]+ (?=[^\W_])|\s*\n\s*|\s*;\s*|,? and then |,? then |,? and also |,? and )"
    r"(?:(?:then|also|and) )?",
    re.IGNORECASE,
)
_CLOSING = re.compile(r"[\s.!?]*")
_MAX_STEPS = 60_000
_TYPO_COST = 3
_MAX_TIES = 4


class TooComplicatedError(PlanningError):
    """The message has too many readings to try; say it in shorter sentences."""


@dataclass(frozen=True, slots=True)
class Phrasing:
    """An example of an action, ready to match."""

    action: Action
    example: Example
    head: Phrase
    parts: tuple[Phrase, ...]

    @classmethod
    def of(cls, action: Action, example: Example) -> "Phrasing":
        parts = tuple(parse_pattern(part) for part in example.parts)
        return cls(action, example, parse_pattern(example.text), parts)


@dataclass(frozen=True, slots=True)
class Clause:
    """One fully explained clause of a message.

    Attributes:
        phrasing: the example it matches.
        values: placeholder → what was written.
        start: where its words begin.
        end: where they end.
        fixes: (written, read as) of each mistyped keyword.
        cost: how unsure the reading is: free words and typing mistakes.
    """

    phrasing: Phrasing
    values: dict[str, Value]
    start: int
    end: int
    fixes: tuple[tuple[str, str], ...]
    cost: int


@dataclass(frozen=True, slots=True)
class _State:
    pos: int
    values: tuple[tuple[str, Value], ...] = ()
    fixes: tuple[tuple[str, str], ...] = ()
    cost: int = 0


@dataclass(slots=True)
class Matcher:
    """Reads one message. `furthest` is where the words begin that no reading explains."""

    text: str
    phrasings: Sequence[Phrasing]
    around: Surroundings
    furthest: int = 0
    _steps: int = 0
    _known: frozenset[str] = frozenset()
    _foreign: dict[str, frozenset[str]] = field(default_factory=dict)
    _memo: dict[int, list[tuple[Clause, ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        spoken: dict[str, set[str]] = {}
        for item in self.phrasings:
            for phrase in (item.head, *item.parts):
                spoken.setdefault(item.action.connector, set()).update(words(phrase))
        self._known = frozenset().union(*spoken.values())
        self._foreign = {name: self._known - own for name, own in spoken.items()}

    def messages(self) -> list[tuple[Clause, ...]]:
        """Return the surest readings of the whole message: none, one, or equally sure ones.

        Raises:
            TooComplicatedError: there are too many to try.
        """
        return self._from(0)

    def _from(self, pos: int) -> list[tuple[Clause, ...]]:
        if pos in self._memo:
            return self._memo[pos]
        self._memo[pos] = []
        readings: list[tuple[Clause, ...]] = []
        for clause in self._clauses(pos):
            if self._is_over(clause.end):
                readings.append((clause,))
                continue
            separator = _SEPARATOR.match(self.text, _after_politeness(self.text, clause.end))
            if separator is not None:
                readings.extend((clause, *rest) for rest in self._from(separator.end()))
        surest = min((_cost(reading) for reading in readings), default=0)
        best = [reading for reading in readings if _cost(reading) == surest]
        # Ties multiply with every clause; a few are enough to see that a message has two readings.
        self._memo[pos] = best[:_MAX_TIES]
        return self._memo[pos]

    def _is_over(self, pos: int) -> bool:
        closing = _CLOSING.match(self.text, _after_politeness(self.text, pos))
        return closing is not None and closing.end() == len(self.text)

    def _clauses(self, pos: int) -> Iterator[Clause]:
        """Yield every distinct clause at `pos`: ways to the same values and end are one."""
        polite = POLITE_START.match(self.text, pos)
        start = polite.end() if polite else pos
        for phrasing in self.phrasings:
            seen: set[tuple[int, frozenset[tuple[str, Value]]]] = set()
            for state in self._parts(phrasing, start):
                same = (state.pos, frozenset(state.values))
                if same in seen or self._is_anothers_noun(phrasing, state):
                    continue
                seen.add(same)
                yield Clause(
                    phrasing, dict(state.values), start, state.pos, state.fixes, state.cost
                )

    def _is_anothers_noun(self, phrasing: Phrasing, state: _State) -> bool:
        """Return whether a title ends in another connector's word: an event called "new deal"."""
        foreign = self._foreign[phrasing.action.connector]
        return any(
            phrasing.example.slots[name] is Slot.TEXT
            and isinstance(value, str)
            and value.casefold().split()[-1] in foreign
            for name, value in state.values
        )

    def _parts(self, phrasing: Phrasing, start: int) -> Iterator[_State]:
        for state in self._phrase(phrasing.head, _State(start), phrasing.example):
            yield from self._more_parts(phrasing, phrasing.parts, state)

    def _more_parts(
        self, phrasing: Phrasing, left: tuple[Phrase, ...], state: _State
    ) -> Iterator[_State]:
        yield state
        pos = state.pos
        if pos < len(self.text) and self.text[pos] == ",":
            pos += 1
        for index, part in enumerate(left):
            for found in self._phrase(part, replace(state, pos=pos), phrasing.example):
                if found.pos > pos:
                    again = part if _may_repeat(part, phrasing.example) else None
                    rest = (*left[:index], *((again,) if again else ()), *left[index + 1 :])
                    yield from self._more_parts(phrasing, rest, found)

    def _phrase(self, phrase: Phrase, state: _State, example: Example) -> Iterator[_State]:
        if not phrase:
            yield state
            return
        for found in self._element(phrase[0], state, example):
            yield from self._phrase(phrase[1:], found, example)

    def _element(self, element: Element, state: _State, example: Example) -> Iterator[_State]:
        self._count()
        match element:
            case Word(text):
                yield from self._word(text, state)
            case Choose(options):
                for option in options:
                    yield from self._phrase(option, state, example)
            case Hole(name):
                yield from self._hole(name, state, example)

    def _word(self, wanted: str, state: _State) -> Iterator[_State]:
        match = _WORD.match(self.text, skip_spaces(self.text, state.pos))
        if match is None:
            return
        written = match[0].casefold()
        if written == wanted:
            yield self._advance(replace(state, pos=match.end()))
        elif written not in self._known and is_typo(written, wanted):
            fixes = (*state.fixes, (match[0], wanted))
            yield self._advance(
                replace(state, pos=match.end(), fixes=fixes, cost=state.cost + _TYPO_COST)
            )

    def _hole(self, name: str, state: _State, example: Example) -> Iterator[_State]:
        slot, choices = example.slots[name], example.choices.get(name)
        for reading in read(slot, self.text, state.pos, around=self.around, choices=choices):
            values = _with(state.values, name, reading.value)
            if values is not None:
                cost = state.cost + reading.free * (2 if slot is Slot.TEXT else 1)
                yield self._advance(replace(state, pos=reading.end, values=values, cost=cost))

    def _advance(self, state: _State) -> _State:
        self.furthest = max(self.furthest, state.pos)
        return state

    def _count(self) -> None:
        self._steps += 1
        if self._steps > _MAX_STEPS:
            raise TooComplicatedError(TooComplicatedError.__doc__)


def is_typo(written: str, wanted: str) -> bool:
    """Return whether `written` is `wanted` mistyped, and hardly another word.

    Swapped letters count from four letters on, any one slip from five, two from eight; the first
    letter must be right unless it is among the swapped ones.
    """
    if len(wanted) < 4 or abs(len(written) - len(wanted)) > 2:  # noqa: PLR2004 -- as above
        return False
    slips = OSA.distance(written, wanted, score_cutoff=2)
    if sorted(written) == sorted(wanted):
        return slips == 1
    allowed = 0 if len(wanted) < 5 else 1 if len(wanted) < 8 else 2  # noqa: PLR2004 -- as above
    return 0 < slips <= allowed and written[0] == wanted[0]


def _with(
    values: tuple[tuple[str, Value], ...], name: str, value: Value
) -> tuple[tuple[str, Value], ...] | None:
    """Return the values with one more; a day and a time written apart become one."""
    known = dict(values)
    if name not in known:
        return (*values, (name, value))
    before = known[name]
    if not (isinstance(before, When) and isinstance(value, When)):
        return None
    merged = before.merge(value)
    return None if merged is None else tuple({**known, name: merged}.items())


def _may_repeat(part: Phrase, example: Example) -> bool:
    return any(
        isinstance(element, Hole) and example.slots[element.name] is Slot.WHEN for element in part
    )


def _after_politeness(text: str, pos: int) -> int:
    polite = POLITE_END.match(text, pos)
    return polite.end() if polite else pos


def _cost(reading: tuple[Clause, ...]) -> int:
    return sum(clause.cost for clause in reading)
