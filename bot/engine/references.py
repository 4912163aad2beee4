"""References: arguments that other tasks' results fill, with the labels they bring along."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import JsonValue

from bot.planning.plan import Ref
from bot.planning.rows import result_model
from bot.planning.valid import read_ref
from connectors.actions import Action, Result
from connectors.fields import result_at
from connectors.labels import LOST, Label, Labels, Provenance, escape_pointer, leaves


@dataclass(frozen=True, slots=True)
class Finished:
    """A task that succeeded: its action and its result as JSON."""

    action: Action
    result: Mapping[str, JsonValue]
    is_for_each: bool = False

    @property
    def model(self) -> type[Result]:
        """What the result declares about its fields."""
        return result_model(self.action.result, is_for_each=self.is_for_each)


@dataclass(slots=True)
class Resolved:
    """Arguments with every reference filled, where each leaf came from, and what is missing."""

    arguments: dict[str, JsonValue] = field(default_factory=dict)
    labels: dict[str, Provenance] = field(default_factory=dict)
    missing: list[tuple[str, Ref]] = field(default_factory=list)
    """(JSON pointer, reference) of what pointed at nothing; the argument is then null."""
    absent: set[str] = field(default_factory=set)
    """Pointers among `missing` where there is no such record, rather than an empty field."""
    pending: list[tuple[str, Ref]] = field(default_factory=list)
    """(JSON pointer, reference) of what is not known yet, because its task has not run."""
    names: dict[str, str] = field(default_factory=dict)
    """Argument that takes an id → what the record it came from is called; for cards only."""


def resolve(
    arguments: Mapping[str, Any], *, literals: Labels, finished: Mapping[str, Finished]
) -> Resolved:
    """Fill references from finished tasks and label every leaf (S3)."""
    resolved = Resolved()
    for name, value in arguments.items():
        pointer = f"/{escape_pointer(name)}"
        resolved.arguments[name] = _fill(
            value, pointer=pointer, literals=literals, finished=finished, into=resolved
        )
    return resolved


def _fill(
    value: Any,
    *,
    pointer: str,
    literals: Labels,
    finished: Mapping[str, Finished],
    into: Resolved,
) -> JsonValue:
    reference = read_ref(value)
    if reference is not None:
        return _fill_reference(reference, pointer=pointer, finished=finished, into=into)
    if isinstance(value, list) and value:
        return [
            _fill(
                item,
                pointer=f"{pointer}/{index}",
                literals=literals,
                finished=finished,
                into=into,
            )
            for index, item in enumerate(value)
        ]
    if isinstance(value, dict) and value:
        return {
            key: _fill(
                item,
                pointer=f"{pointer}/{escape_pointer(key)}",
                literals=literals,
                finished=finished,
                into=into,
            )
            for key, item in value.items()
        }
    into.labels[pointer] = literals.get(pointer, LOST)
    literal: JsonValue = value
    return literal


def _fill_reference(
    reference: Ref, *, pointer: str, finished: Mapping[str, Finished], into: Resolved
) -> JsonValue:
    source = finished.get(reference.task)
    if source is None:
        into.pending.append((pointer, reference))
        return None
    found, value = look_up(source.result, reference.path)
    if not found:
        into.missing.append((pointer, reference))
        if not look_up(source.result, reference.path[:-1])[0]:
            into.absent.add(pointer)
        into.labels[pointer] = Provenance(Label.RECORD, f"{reference}: nothing there")
        return None
    for leaf, _ in leaves(value):
        path = [*reference.path, *parts_of(leaf)]
        declared = result_at(source.model, path)
        label = declared.label if declared is not None else Label.OUTSIDE
        into.labels[f"{pointer}{leaf}"] = Provenance(label, f"{reference}{leaf}")
    if reference.path[-1:] == ["id"]:
        _, record = look_up(source.result, reference.path[:-1])
        into.names |= {parts_of(pointer)[0]: name for name in names_of(record)}
    return value


def names_of(record: JsonValue) -> list[str]:
    """Return what a record is called; nothing where it has no name."""
    given = record if isinstance(record, dict) else {}
    found = (given.get(key) for key in ("name", "title", "email"))
    return [name for name in found if isinstance(name, str) and name][:1]


def look_up(value: object, path: Sequence[str | int]) -> tuple[bool, JsonValue]:
    """Return (whether there is something, the value) at a path."""
    current: Any = value
    for part in path:
        if isinstance(current, Mapping) and str(part) in current:
            current = current[str(part)]
        elif isinstance(current, list) and (at := index_of(part)) is not None and at < len(current):
            current = current[at]
        else:
            return False, None
    return current is not None, current


def index_of(part: str | int) -> int | None:
    """Return the place in a list that a step of a path names."""
    text = str(part)
    return int(text) if text.isascii() and text.isdigit() else None


def parts_of(pointer: str) -> list[str]:
    """Return the steps of a JSON pointer."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
