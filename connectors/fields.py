"""What a model declares about one of its leaves: `Arg` of an argument, `Out` of a result."""

import types
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from connectors.actions import Arg, Out

Declaration = TypeVar("Declaration", Arg, Out)


def argument_at(model: type[BaseModel], path: Sequence[str | int]) -> Arg | None:
    """Return the declaration of the argument at `path`; None where there is none."""
    return _declared(model, path, Arg)


def result_at(model: type[BaseModel], path: Sequence[str | int]) -> Out | None:
    """Return the declaration of the result field at `path`; None means `outside`."""
    return _declared(model, path, Out)


def _declared(
    model: Any, path: Sequence[str | int], wanted: type[Declaration]
) -> Declaration | None:
    found: Declaration | None = None
    current: Any = model
    for part in path:
        metadata, current, is_field = _step(current, part)
        # A list's declaration holds for its items; a model's does not hold for its fields.
        inherited = None if is_field else found
        found = next((item for item in metadata if isinstance(item, wanted)), inherited)
        if current is None:
            return None
    return found


def _step(annotation: Any, part: str | int) -> tuple[Sequence[Any], Any, bool]:
    """Return (metadata, type, whether it is a field); its type is None where there is no step."""
    for option in _options(annotation):
        if isinstance(option, type) and issubclass(option, BaseModel):
            info: FieldInfo | None = option.model_fields.get(str(part))
            if info is not None:
                return [*info.metadata, *_inner_metadata(info.annotation)], info.annotation, True
        if get_origin(option) in (list, tuple) and str(part).isdigit():
            inner = get_args(option)[0]
            return _inner_metadata(inner), inner, False
    return (), None, False


def _options(annotation: Any) -> Iterator[Any]:
    """Yield the alternatives of a type: members of a union, without None and `Annotated`."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _options(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for member in get_args(annotation):
            if member is not type(None):
                yield from _options(member)
    else:
        yield annotation


def _inner_metadata(annotation: Any) -> list[Any]:
    """Return the metadata of `Annotated` in any alternative of a type."""
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *metadata = get_args(annotation)
        return [*metadata, *_inner_metadata(base)]
    if origin in (Union, types.UnionType):
        return [item for member in get_args(annotation) for item in _inner_metadata(member)]
    return []
