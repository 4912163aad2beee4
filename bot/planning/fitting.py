"""Whether a reference fits an argument: declared result fields, their types, and typed ids (S5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

from bot.planning.shapes import Kind, Member, find, members
from connectors.actions import Arg, Out, Result


@dataclass(frozen=True, slots=True)
class Declared:
    """What a result declares at a path."""

    members: tuple[Member, ...]
    out: Out | None


@dataclass(frozen=True, slots=True)
class Undeclared:
    """Nothing is declared at a path; `message` says where it ends and what there is instead."""

    message: str


_ACCEPTS: dict[Kind, frozenset[Kind]] = {
    Kind.TEXT: frozenset({Kind.TEXT, Kind.INSTANT, Kind.INTEGER}),
    Kind.INSTANT: frozenset({Kind.INSTANT, Kind.TEXT}),
    Kind.INTEGER: frozenset({Kind.INTEGER}),
    Kind.NUMBER: frozenset({Kind.NUMBER, Kind.INTEGER}),
    Kind.BOOLEAN: frozenset({Kind.BOOLEAN}),
    Kind.LIST: frozenset(),
    Kind.OBJECT: frozenset(),
    Kind.ANY: frozenset(Kind),
}


def declared_at(result: type[Result], path: Sequence[str | int]) -> Declared | Undeclared:
    """Return what the result model declares at `path`, following fields, keys and list indices."""
    current: tuple[Member, ...] = (Member(Kind.OBJECT, result),)
    out: Out | None = None
    walked = "the result"
    for part in path:
        step = _step(current, part)
        if step is None:
            return Undeclared(f"{walked} has no {_what(part)}; {_offers(current)}")
        current, found = step
        out = found or out if isinstance(part, int) else found
        walked = f"{walked}.{part}"
    return Declared(current, out)


def misfit(argument: Any, metadata: Sequence[Any], declared: Declared) -> str | None:
    """Return why a declared value cannot fill an argument, or None when it can.

    A value that may be null fits: the engine treats a missing value as a deviation. An argument
    that is an id takes only an id of the same kind; text and enumerations take text, and the
    resolved value passes the argument model once more before anything runs.
    """
    accepted = members(argument, metadata)
    wanted_id = _argument_id_kind(accepted)
    id_kind = _result_id_kind(declared)
    if wanted_id is not None and id_kind != wanted_id:
        return f"it takes an id of kind {wanted_id}, and this is {id_kind or 'not an id'}"
    for member in declared.members:
        if not any(_accepts(option, member) for option in accepted):
            wanted = " or ".join(dict.fromkeys(option.kind.value for option in accepted))
            return f"it takes {wanted}, and this is {member.kind.value}"
    return None


def _argument_id_kind(accepted: tuple[Member, ...]) -> str | None:
    for member in accepted:
        arg = find(member.metadata, Arg)
        if arg is not None and arg.id_kind is not None:
            return arg.id_kind
        if member.kind is Kind.LIST:
            return _argument_id_kind(members(member.element))
    return None


def _result_id_kind(declared: Declared) -> str | None:
    if declared.out is not None and declared.out.id_kind is not None:
        return declared.out.id_kind
    for member in declared.members:
        inner = members(member.element) if member.kind is Kind.LIST else ()
        out = _out(inner)
        if out is not None:
            return out.id_kind
    return None


def _accepts(argument: Member, value: Member) -> bool:
    if Kind.ANY in (argument.kind, value.kind):
        return True
    if argument.kind is Kind.LIST and value.kind is Kind.LIST:
        options = members(argument.element)
        return all(any(_accepts(o, v) for o in options) for v in members(value.element))
    if argument.kind is Kind.OBJECT and value.kind is Kind.OBJECT:
        return argument.model in (None, value.model)
    return value.kind in _ACCEPTS[argument.kind]


def _step(
    current: tuple[Member, ...], part: str | int
) -> tuple[tuple[Member, ...], Out | None] | None:
    for member in current:
        if member.kind is Kind.ANY:
            return (member,), None
        if member.kind is Kind.LIST and isinstance(part, int) and part >= 0:
            inner = members(member.element)
            return inner, _out(inner)
        if member.kind is not Kind.OBJECT or not isinstance(part, str):
            continue
        if member.model is None:
            values = members(next(iter(get_args(member.annotation)[1:]), Any))
            return values, _out(values)
        info = member.model.model_fields.get(part)
        if info is not None:
            inner = members(info.annotation, info.metadata)
            return inner, _out(inner)
    return None


def _out(found: tuple[Member, ...]) -> Out | None:
    return next((out for member in found if (out := find(member.metadata, Out))), None)


def _what(part: str | int) -> str:
    return f"element {part}" if isinstance(part, int) else f"field {part!r}"


def _offers(current: tuple[Member, ...]) -> str:
    for member in current:
        if member.model is not None:
            return "it has " + ", ".join(member.model.model_fields)
        if member.kind is Kind.LIST:
            return "it is a list: name an element by its index, from 0"
    return "it has no parts"
