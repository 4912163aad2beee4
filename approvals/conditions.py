"""Conditions of a policy rule: structured, closed, no code."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from itertools import chain
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, JsonValue

from connectors.actions import Effect
from connectors.labels import Label

if TYPE_CHECKING:
    from approvals.policy import Subject


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ValueIs(_Model):
    """A condition on one argument; all given parts must hold. A missing argument never matches."""

    eq: JsonValue = None
    in_: tuple[JsonValue, ...] | None = None
    gt: Decimal | None = None
    ge: Decimal | None = None
    lt: Decimal | None = None
    le: Decimal | None = None
    contains: str | None = None
    ends_with: tuple[str, ...] | None = None
    """Every text in the argument ends with one of these, for example `@northwind.example`."""

    def matches(self, value: JsonValue) -> bool:
        """Whether every part that is given holds for `value`."""
        checks = [
            self.eq is None or value == self.eq,
            self.in_ is None or value in self.in_,
            self.contains is None or self.contains.casefold() in _text(value).casefold(),
            self.ends_with is None or _all_end(value, self.ends_with),
        ]
        return all(checks) and self._compares(value)

    def _compares(self, value: JsonValue) -> bool:
        if (self.gt, self.ge, self.lt, self.le) == (None, None, None, None):
            return True
        number = _number(value)
        if number is None:
            return False
        return (
            (self.gt is None or number > self.gt)
            and (self.ge is None or number >= self.ge)
            and (self.lt is None or number < self.lt)
            and (self.le is None or number <= self.le)
        )


class When(_Model):
    """When a rule applies; every given condition must hold. Empty: always."""

    connector: str | None = None
    action: str | None = None
    """`create_deal` or `hubspot.create_deal`."""
    effect: Effect | None = None
    arguments: Mapping[str, ValueIs] = {}
    any_label: Label | None = None
    requester_role: str | None = None

    @property
    def specificity(self) -> int:
        """How many conditions are given."""
        given = (self.connector, self.action, self.effect, self.any_label, self.requester_role)
        return sum(item is not None for item in given) + len(self.arguments)

    def matches(self, subject: "Subject") -> bool:
        """Whether every given condition holds for a call."""
        checks = (
            self.connector in (None, subject.connector),
            self.action in (None, subject.action, f"{subject.connector}.{subject.action}"),
            self.effect in (None, subject.effect),
            self.requester_role in (None, subject.requester_role),
            self.any_label is None
            or any(
                item.label is self.any_label
                for item in chain(subject.labels.values(), subject.control.values())
            ),
        )
        return all(checks) and all(
            name in subject.arguments and condition.matches(subject.arguments[name])
            for name, condition in self.arguments.items()
        )


def _text(value: JsonValue) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _all_end(value: JsonValue, endings: tuple[str, ...]) -> bool:
    items = value if isinstance(value, list) else [value]
    lowered = tuple(ending.casefold() for ending in endings)
    return bool(items) and all(
        isinstance(item, str) and item.casefold().endswith(lowered) for item in items
    )


def _number(value: JsonValue) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    # "NaN" is a text like any other; comparing with it would raise.
    return number if number.is_finite() else None
