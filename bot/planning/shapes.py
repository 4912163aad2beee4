"""The JSON shape of a declared type: what the validator compares and the prompts describe."""

import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel, JsonValue

T = TypeVar("T")


class Kind(StrEnum):
    """What a value is in JSON; instants are text that a plan may compare."""

    TEXT = "text"
    INSTANT = "instant"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    LIST = "list"
    OBJECT = "object"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Member:
    """One alternative of a type, without its Annotated wrapper."""

    kind: Kind
    annotation: Any
    metadata: tuple[Any, ...] = ()

    @property
    def element(self) -> Any:
        """The element type of a list."""
        return next(iter(get_args(self.annotation)), Any)

    @property
    def model(self) -> type[BaseModel] | None:
        """The model of an object, or None where its keys are not declared."""
        return self.annotation if is_model(self.annotation) else None


def is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def members(annotation: Any, metadata: Sequence[Any] = ()) -> tuple[Member, ...]:
    """Return the alternatives of a type; null is none of them (see `is_nullable`)."""
    return tuple(
        Member(_kind(item), item, (*metadata, *inner))
        for item, inner in _flatten(annotation)
        if item is not type(None)
    )


def is_nullable(annotation: Any) -> bool:
    return any(item is type(None) for item, _ in _flatten(annotation))


def legal_values(annotation: Any) -> tuple[str, ...]:
    """Return the texts of an enumeration or Literal type; empty for any other type."""
    values: list[str] = []
    for item, _ in _flatten(annotation):
        if get_origin(item) is Literal:
            values.extend(value for value in get_args(item) if isinstance(value, str))
        elif isinstance(item, type) and issubclass(item, Enum):
            values.extend(value.value for value in item if isinstance(value.value, str))
    return tuple(values)


def find(metadata: Sequence[Any], wanted: type[T]) -> T | None:
    """Return the first annotation of a class among a field's metadata."""
    return next((item for item in metadata if isinstance(item, wanted)), None)


def _flatten(annotation: Any) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    origin = get_origin(annotation)
    if annotation is JsonValue or annotation in (Any, object):
        yield Any, ()
    elif origin is Annotated:
        base, *metadata = get_args(annotation)
        for item, inner in _flatten(base):
            yield item, (*metadata, *inner)
    elif origin in (Union, types.UnionType):
        for option in get_args(annotation):
            yield from _flatten(option)
    else:
        yield annotation, ()


_KINDS: tuple[tuple[tuple[type, ...], Kind], ...] = (
    ((bool,), Kind.BOOLEAN),
    ((int,), Kind.INTEGER),
    ((float,), Kind.NUMBER),
    ((datetime, date, time, timedelta, AwareDatetime), Kind.INSTANT),
    ((str, Enum, Decimal), Kind.TEXT),
    ((BaseModel,), Kind.OBJECT),
)


def _kind(annotation: Any) -> Kind:
    origin = get_origin(annotation) or annotation
    if origin is Any:
        return Kind.ANY
    if origin is Literal:
        return Kind.TEXT
    if not isinstance(origin, type):
        return Kind.ANY
    for bases, kind in _KINDS:
        if issubclass(origin, bases):
            return kind
    if issubclass(origin, Mapping):
        return Kind.OBJECT
    return Kind.LIST if issubclass(origin, Sequence | frozenset | set) else Kind.TEXT
