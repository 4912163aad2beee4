"""Results as a planner may read them: short, without a stranger's words (S3).

Free text becomes a handle («note t3.notes.0.body, 812 characters»); what rows are called stays, as
data for choosing among them, if it is one short line without a link. A choice is a reference.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from connectors.actions import Result
from connectors.fields import result_at
from connectors.labels import Label

MAX_CHARACTERS = 400
"""Of one task's result; PLAN_FORMAT: more costs tokens and tells a planner little."""
MAX_NAME = 80
_MAX_VALUE = 120
_MAX_PROBLEM = 160
_NAMES = frozenset({"name", "title", "subject", "label"})
_ROWS_TRIED = (50, 20, 10, 6, 4, 3, 2, 1, 0)
_LINKS = ("://", "www.", "http:", "https:", "<", "@")


@dataclass(frozen=True, slots=True)
class Clipped:
    value: JsonValue
    has_outside: bool
    """Whether a name that a stranger may have written stands in it."""


def clip_result(key: str, result: JsonValue, model: type[Result]) -> Clipped:
    """Return a finished task's result as it stands in a prompt, at most 400 characters as JSON."""
    for names_only in (False, True):
        for rows in _ROWS_TRIED:
            view = _View(key, model, rows, names_only=names_only)
            value = view.show(result, ())
            if len(json.dumps(value, ensure_ascii=False)) <= MAX_CHARACTERS:
                return Clipped(value, view.has_outside)
    return Clipped(f"«{key}, too long to show»", has_outside=False)


def clip_problem(message: str) -> str:
    """Return what went wrong as one short line without links."""
    words = (word for word in " ".join(message.split()).split(" ") if not _has_link(word))
    return " ".join(words)[:_MAX_PROBLEM]


class _View:
    """One way of showing a result: with so many rows of each list."""

    def __init__(self, key: str, model: type[Result], rows: int, *, names_only: bool) -> None:
        self._key = key
        self._model = model
        self._rows = rows
        self._names_only = names_only
        self.has_outside = False

    def show(self, value: JsonValue, path: tuple[str | int, ...]) -> JsonValue:
        if isinstance(value, dict):
            shown = {name: self.show(item, (*path, name)) for name, item in value.items()}
            return {name: item for name, item in shown.items() if item not in (None, [], {})}
        if isinstance(value, list):
            rows = [self.show(item, (*path, at)) for at, item in enumerate(value[: self._rows])]
            hidden = len(value) - len(rows)
            return [*rows, f"and {hidden} more"] if hidden else rows
        if isinstance(value, str):
            return self._text(value, path)
        return None if self._names_only and _in_row(path) else value

    def _text(self, text: str, path: tuple[str | int, ...]) -> JsonValue:
        declared = result_at(self._model, path)
        is_name = bool(path) and path[-1] in _NAMES
        if _in_row(path) and (
            (declared and declared.id_kind) or (self._names_only and not is_name)
        ):
            return None
        if declared is not None and declared.label is not Label.OUTSIDE:
            return " ".join(text.split())[:_MAX_VALUE]
        if is_name and len(text) <= MAX_NAME and "\n" not in text and not _has_link(text):
            self.has_outside = True
            return " ".join(text.split())
        where = ".".join(str(part) for part in (self._key, *path))
        return f"«{path[-1] if path else 'text'} {where}, {len(text)} characters»"


def _in_row(path: Sequence[str | int]) -> bool:
    return any(isinstance(part, int) for part in path)


def _has_link(text: str) -> bool:
    return any(sign in text.casefold() for sign in _LINKS)
