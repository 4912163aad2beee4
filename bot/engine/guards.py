"""Guards: a condition on a finished task's result that decides whether a task runs."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import JsonValue

from bot.engine.references import Finished, look_up


def holds(guard: Mapping[str, Any], finished: Mapping[str, Finished]) -> bool:
    """Whether a guard is true; a comparison of things that cannot be compared is false."""
    left = guard["left"]
    source = finished.get(left["task"])
    found, value = look_up(source.result, left["path"]) if source else (False, None)
    return _OPERATIONS[guard["op"]](found, value, guard["right"])


def _empty(found: bool, value: JsonValue) -> bool:  # noqa: FBT001 -- one of the table's shape
    return not found or value in ("", [], {})


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[bool, JsonValue, JsonValue], bool]:
    def compare(found: bool, value: JsonValue, right: JsonValue) -> bool:  # noqa: FBT001 -- as above
        if not found:
            return False
        pair = _comparable(value, right)
        return pair is not None and test(*pair)

    return compare


def _comparable(left: JsonValue, right: JsonValue) -> tuple[Any, Any] | None:
    """Return both as numbers where both are, else as text where both are text."""
    numbers = _number(left), _number(right)
    if None not in numbers:
        return numbers
    if isinstance(left, str) and isinstance(right, str):
        return left.casefold(), right.casefold()
    return None


def _equal(left: JsonValue, right: JsonValue) -> bool:
    pair = _comparable(left, right) or (left, right)
    return bool(pair[0] == pair[1])


def _number(value: JsonValue) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    # "NaN" and "Infinity" are words that somebody wrote; comparing with NaN would raise.
    return number if number.is_finite() else None


def _contains(found: bool, value: JsonValue, right: JsonValue) -> bool:  # noqa: FBT001 -- as above
    if not found:
        return False
    if isinstance(value, list):
        return right in value
    return isinstance(value, str) and str(right).casefold() in value.casefold()


_OPERATIONS: dict[str, Callable[[bool, JsonValue, JsonValue], bool]] = {
    "exists": lambda found, _value, _right: found,
    "empty": lambda found, value, _right: _empty(found, value),
    "eq": lambda found, value, right: found and _equal(value, right),
    "ne": lambda found, value, right: not (found and _equal(value, right)),
    "lt": _ordered(lambda left, right: left < right),
    "le": _ordered(lambda left, right: left <= right),
    "gt": _ordered(lambda left, right: left > right),
    "ge": _ordered(lambda left, right: left >= right),
    "contains": _contains,
}
