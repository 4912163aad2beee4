"""Small checks for JSON, from which the Block Kit rules are put together.

A check gets a value and the JSON pointer where it stands, and reports what is wrong in the words
and the form that Slack uses: `[ERROR] must be less than 76 characters [json-pointer:/blocks/0/…]`.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Problems:
    """Collects what is wrong with one payload."""

    messages: list[str] = field(default_factory=list)

    def add(self, pointer: str, message: str) -> None:
        """Note one problem at `pointer`."""
        self.messages.append(f"[ERROR] {message} [json-pointer:{pointer}]")


Check = Callable[[object, str, Problems], None]


@dataclass(frozen=True, slots=True)
class Field:
    check: Check
    required: bool = False


def need(check: Check) -> Field:
    """Return a field that must be there."""
    return Field(check, required=True)


def may(check: Check) -> Field:
    """Return a field that may be left out."""
    return Field(check)


def anything(value: object, pointer: str, problems: Problems) -> None:
    """Accept every value."""


def boolean(value: object, pointer: str, problems: Problems) -> None:
    """Accept true and false."""
    if not isinstance(value, bool):
        problems.add(pointer, "failed to match: must be a boolean")


def integer(value: object, pointer: str, problems: Problems) -> None:
    """Accept whole numbers."""
    if isinstance(value, bool) or not isinstance(value, int):
        problems.add(pointer, "must be an integer")


def string(*, longest: int, shortest: int = 0) -> Check:
    """Return a check for strings of a length."""

    def check(value: object, pointer: str, problems: Problems) -> None:
        if not isinstance(value, str):
            problems.add(pointer, "must be a string")
        elif len(value) > longest:
            problems.add(pointer, f"must be less than {longest + 1} characters")
        elif len(value) < shortest:
            problems.add(pointer, f"must be more than {shortest - 1} characters")

    return check


def pattern(regex: str, hint: str) -> Check:
    """Return a check for strings that match `regex` as a whole."""
    compiled = re.compile(regex)

    def check(value: object, pointer: str, problems: Problems) -> None:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            problems.add(pointer, f"must be {hint}")

    return check


def one_of(choices: Collection[str]) -> Check:
    """Return a check for one of the named strings."""

    def check(value: object, pointer: str, problems: Problems) -> None:
        if value not in choices:
            problems.add(pointer, f"must be one of: {', '.join(sorted(choices))}")

    return check


def array(item: Check, *, most: int, least: int = 1) -> Check:
    """Return a check for lists whose items all pass `item`."""

    def check(value: object, pointer: str, problems: Problems) -> None:
        if not isinstance(value, list):
            problems.add(pointer, "must be an array")
            return
        if len(value) > most:
            problems.add(pointer, f"no more than {most} items allowed")
        if len(value) < least:
            problems.add(pointer, f"must have at least {least} items")
        for index, entry in enumerate(value):
            item(entry, f"{pointer}/{index}", problems)

    return check


def record(fields: Mapping[str, Field]) -> Check:
    """Return a check for objects that have these fields and no others."""

    def check(value: object, pointer: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.add(pointer, "must provide an object")
            return
        for name, spec in fields.items():
            if name in value:
                spec.check(value[name], f"{pointer}/{name}", problems)
            elif spec.required:
                problems.add(pointer, f"missing required field: {name}")
        for name in value:
            if name not in fields:
                problems.add(f"{pointer}/{name}", f"invalid additional property: {name}")

    return check


def by_type(kinds: Mapping[str, Check], *, what: str) -> Check:
    """Return a check for objects whose `type` picks the check to apply."""

    def check(value: object, pointer: str, problems: Problems) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str):
            problems.add(pointer, f"missing required field: type of {what}")
        elif kind not in kinds:
            problems.add(f"{pointer}/type", f"unsupported type: {kind}")
        else:
            kinds[kind](value, pointer, problems)

    return check
