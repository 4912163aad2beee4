"""Makes a plan of fully explained clauses: arguments from words, reads first, answers last."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from bot.planning.offline.matcher import Clause
from bot.planning.offline.values import Surroundings, Value
from bot.planning.parse.instants import Instants, Period, When, resolve_period, resolve_when
from bot.planning.parse.money import Money
from bot.planning.parse.scan import Doubt
from bot.planning.plan import EACH, Question
from bot.planning.shapes import Kind, is_nullable, members
from bot.planning.validator import ANSWER
from connectors.actions import Action, Fill, Idempotency, Lookup, Result, Slot
from connectors.calls import canonical
from connectors.registry import Registry

_PLACEHOLDER = re.compile(r"\{(\w+(?:\.\w+)?)\}")
_MAX_WHY = 80
_NOT_USED = "I understood every word, but cannot take one of them into account here"
_LENGTHS = ("30 minutes", "1 hour")


class UnclearError(Exception):
    """A clause leaves something open; `question` asks for it. Caught by the offline planner."""

    def __init__(self, question: Question) -> None:
        super().__init__(question.text)
        self.question = question


_WHY = {False: "to find the record you named", True: "to find all of them"}


@dataclass(slots=True)
class PlanBuilder:
    """Collects the tasks of one message."""

    registry: Registry
    text: str
    around: Surroundings
    before: str = ""
    """The words before `text` that are explained already; the choices of a question repeat them."""
    wait: JsonValue = None
    """What everything that changes something waits for; where nothing does, the first reads."""
    tasks: list[dict[str, JsonValue]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _done: dict[bytes, str] = field(default_factory=dict)
    _list: JsonValue = None
    """The list whose every row the clause is about, if it is about one."""

    def add(self, clause: Clause) -> None:
        """Add the tasks of a clause.

        Raises:
            UnclearError: a value is missing, uncertain or in the past.
        """
        for wrote, meant in clause.fixes:
            self.notes.append(f"I read “{wrote}” as “{meant}”.")
        values = self._values(clause)
        action, example = clause.phrasing.action, clause.phrasing.example
        arguments: dict[str, JsonValue] = {}
        self._list = None
        for name, info in action.arguments.model_fields.items():
            value = self._fill(example.fills.get(name), values, clause)
            if value is None and not is_nullable(info.annotation):
                if info.is_required():
                    raise UnclearError(self._ask(clause, name))
                continue
            arguments[name] = value
        self._refuse_unused(clause)
        why = _clip(self._words(clause))
        key = self._task(action, arguments, why=why, for_each=self._list)
        if action.idempotency is Idempotency.READ:
            self._answer(action.result, key, clause)

    def plan(self) -> JsonValue:
        """Return the plan as JSON, for the validator."""
        if self.wait is not None:
            for task in self._waiting():
                task["wait"] = self.wait
        say = " ".join(dict.fromkeys(self.notes))
        return {"say": say, "tasks": [*self.tasks], "writes": [], "question": None, "final": True}

    def _waiting(self) -> list[dict[str, JsonValue]]:
        """Return the tasks that wait: no two where one needs the other.

        Reads for a change come at once, so that its card shows values.
        """
        writes = [task for task in self.tasks if not self._is_read(task)]
        return writes or [task for task in self.tasks if not _refers(task["call"])]

    def _is_read(self, task: dict[str, JsonValue]) -> bool:
        call = task["call"]
        assert isinstance(call, dict)
        (name,) = call
        return self.registry.action(name).idempotency is Idempotency.READ

    def _values(self, clause: Clause) -> dict[str, JsonValue]:
        """Return placeholder (or placeholder.part) → value, for all that was written."""
        minutes = next((v for v in clause.values.values() if isinstance(v, int)), None)
        found: dict[str, JsonValue] = {
            "zone": self.around.zone.key,
            "clause": self._words(clause),
        }
        for name, value in clause.values.items():
            for part, item in self._parts(value, minutes, clause).items():
                found[f"{name}.{part}" if part else name] = item
        return found

    def _words(self, clause: Clause) -> str:
        end = clause.end + self.text[clause.end : clause.end + 1].count("?")
        return self.text[clause.start : end]

    def _parts(self, value: Value, minutes: int | None, clause: Clause) -> dict[str, JsonValue]:
        match value:
            case Money(amount, currency):
                return {"amount": amount, "currency": currency}
            case When():
                around = self.around
                found = resolve_when(value, now=around.now, zone=around.zone, minutes=minutes)
                return self._instants(found, value.note, clause)
            case Period():
                return self._instants(
                    resolve_period(value, zone=self.around.zone), value.note, clause
                )
            case tuple():
                return {"": list(value)}
            case _:
                return {"": value}

    def _instants(self, found: Instants | Doubt, note: str, clause: Clause) -> dict[str, JsonValue]:
        if isinstance(found, Doubt):
            raise UnclearError(self._doubt(found, clause))
        if note:
            self.notes.append(note)
        return {"start": found.start, "end": found.end}

    def _fill(
        self, fill: Fill | None, values: Mapping[str, JsonValue], clause: Clause
    ) -> JsonValue:
        if isinstance(fill, Lookup):
            return self._lookup(fill, values, clause)
        if isinstance(fill, tuple):
            options = (self._fill(option, values, clause) for option in fill)
            return next((value for value in options if value is not None), None)
        if not isinstance(fill, str):
            return fill
        name = _PLACEHOLDER.fullmatch(fill)
        if name is None:
            return fill
        value = values.get(name[1])
        if clause.phrasing.example.slots.get(name[1]) is Slot.TEXT and isinstance(value, str):
            return value[:1].upper() + value[1:]
        return value

    def _refuse_unused(self, clause: Clause) -> None:
        """Refuse words that were understood and would change nothing: a currency, an end."""
        used = {name for fill in clause.phrasing.example.fills.values() for name in _names(fill)}
        takes_length = any(name.endswith(".end") for name in used)
        for name, value in clause.values.items():
            unused = sorted(_written_parts(name, value) - used)
            if unused and not (isinstance(value, int) and takes_length):
                what = unused[0].replace(".", "'s ").replace("_", " ")
                raise UnclearError(Question(text=f"{_NOT_USED} ({what}).", choices=[]))

    def _lookup(self, lookup: Lookup, values: Mapping[str, JsonValue], clause: Clause) -> JsonValue:
        """Return a reference into a read that comes first; None if its words were not written."""
        action = self.registry.action(lookup.action)
        arguments: dict[str, JsonValue] = {}
        for name, fill in lookup.arguments.items():
            value = (
                values.get(_name_of(fill)) if _name_of(fill) else self._fill(fill, values, clause)
            )
            if value is None:
                return None
            arguments[name] = value
        key = self._task(action, _with_nulls(action, arguments), why=_WHY[lookup.every])
        if not lookup.every:
            return {"task": key, "path": list(lookup.path)}
        index = next(at for at, part in enumerate(lookup.path) if isinstance(part, int))
        self._list = {"task": key, "path": list(lookup.path[:index])}
        return {"task": EACH, "path": list(lookup.path[index + 1 :])}

    def _task(
        self,
        action: Action,
        arguments: dict[str, JsonValue],
        *,
        why: str,
        for_each: JsonValue = None,
    ) -> str:
        """Add a task and return its id; the same read is made once."""
        is_read = action.idempotency is Idempotency.READ
        same = canonical([action.name, arguments])
        if is_read and same in self._done:
            return self._done[same]
        key = f"t{len(self.tasks) + 1}"
        if is_read:
            self._done[same] = key
        task: dict[str, JsonValue] = {
            "id": key,
            "call": {action.name: arguments},
            "after": [],
            "for_each": for_each,
            "when": None,
            "wait": None,
            "why": why,
        }
        self.tasks.append(task)
        return key

    def _answer(self, result: type[Result], key: str, clause: Clause) -> None:
        rows: JsonValue = {"task": key, "path": [rows_field(result)]}
        question = self._words(clause)
        arguments: dict[str, JsonValue] = {"question": question, "rows": rows, "columns": None}
        self._task(self.registry.action(ANSWER), arguments, why="to show you what was found")

    def _ask(self, clause: Clause, argument: str) -> Question:
        example = clause.phrasing.example
        text = example.asks.get(argument, f"What should be the {argument.replace('_', ' ')}?")
        fill = example.fills.get(argument)
        takes_length = any(slot is Slot.DURATION for slot in example.slots.values())
        if not (takes_length and isinstance(fill, str) and fill.endswith(".end}")):
            return Question(text=text, choices=[])
        choices = [self._with_words(clause, f" for {length}") for length in _LENGTHS]
        return Question(text=text, choices=choices)

    def _with_words(self, clause: Clause, words: str) -> str:
        return f"{self.before}{self.text[: clause.end]}{words}{self.text[clause.end :]}"

    def _doubt(self, doubt: Doubt, clause: Clause) -> Question:
        before = self.before + self.text[: clause.start]
        said = self.text[clause.start :]
        choices = [before + said.replace(doubt.words, words, 1) for words in doubt.readings]
        return Question(text=doubt.question, choices=choices)


def _refers(value: JsonValue) -> bool:
    if isinstance(value, dict):
        return value.keys() == {"task", "path"} or any(map(_refers, value.values()))
    return isinstance(value, list) and any(map(_refers, value))


def _clip(words: str) -> str:
    return words if len(words) <= _MAX_WHY else f"{words[: _MAX_WHY - 1]}…"


def rows_field(result: type[Result]) -> str:
    """Return the first field of a result that is a list of objects: its rows."""
    for name, info in result.model_fields.items():
        for member in members(info.annotation):
            if member.kind is not Kind.LIST:
                continue
            if any(item.kind is Kind.OBJECT for item in members(member.element)):
                return name
    message = f"{result.__name__} has no list of rows to answer with"
    raise TypeError(message)


def _names(fill: Fill) -> set[str]:
    """Return the placeholders that a fill uses."""
    match fill:
        case Lookup():
            return {name for inner in fill.arguments.values() for name in _names(inner)}
        case tuple():
            return {name for inner in fill for name in _names(inner)}
        case str():
            return {_name_of(fill)}
        case _:
            return set()


def _written_parts(name: str, value: Value) -> set[str]:
    """Return the placeholders that somebody's words gave a value."""
    match value:
        case Money(_, currency):
            return {f"{name}.amount"} | ({f"{name}.currency"} if currency else set())
        case When(_, span):
            return {f"{name}.start"} | ({f"{name}.end"} if span and span.end else set())
        case Period():
            return {f"{name}.start", f"{name}.end"}
        case _:
            return {name}


def _name_of(fill: Fill) -> str:
    match = _PLACEHOLDER.fullmatch(fill) if isinstance(fill, str) else None
    return match[1] if match else ""


def _with_nulls(action: Action, arguments: dict[str, JsonValue]) -> dict[str, JsonValue]:
    fields = action.arguments.model_fields
    nulls = {name: None for name, info in fields.items() if is_nullable(info.annotation)}
    return {**nulls, **arguments}
