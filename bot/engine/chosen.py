"""Which record a reference chose from a found list, in words: an id says nothing to a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import JsonValue

from bot.engine.references import Finished, index_of, look_up
from bot.planning.plan import Ref
from bot.planning.valid import read_ref
from connectors.actions import Action, Detail, Preview
from connectors.fields import argument_at, result_at
from connectors.labels import Label, Provenance, escape_pointer, join

_NAMES = ("name", "title", "subject", "summary")
_ASIDES = ("domain", "email", "start")
_ORDINALS = ("first", "second", "third")
NOTHING = "nothing found"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a card says of chosen records, and where these words came from.

    The labels stand below the pointer of the argument, so that its line is marked by the least
    trusted of both; policy does not see them, since the words are shown and not sent.
    """

    details: tuple[Detail, ...] = ()
    labels: Mapping[str, Provenance] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a finished read's list, and how many rows there were."""

    source: Finished
    path: list[str | int]
    position: int
    found: int
    content: Mapping[str, JsonValue]


def choose(
    action: Action,
    arguments: Mapping[str, Any],
    finished: Mapping[str, Finished],
    *,
    every: Ref | None = None,
) -> Chosen:
    """Return the records that references into lists chose, one detail for each argument.

    `every` is a list all of whose records are used: there was nothing to choose.
    """
    details: list[Detail] = []
    labels: dict[str, Provenance] = {}
    for name, value in arguments.items():
        reference = read_ref(value)
        source = finished.get(reference.task) if reference is not None else None
        if reference is None or source is None or not _is_indexed(reference):
            continue
        declared = argument_at(action.arguments, [name])
        title = declared.title if declared else name.replace("_", " ").capitalize()
        pointer = f"/{escape_pointer(name)}"
        row = _row(source, reference)
        if row is None:
            details.append(Detail(title, NOTHING, pointer=pointer))
            continue
        said, provenance = _say(row, reference, is_choice=not _is_in(row, reference, every))
        details.append(Detail(title, said, pointer=pointer))
        labels[f"{pointer}/chosen"] = provenance
    return Chosen(tuple(details), labels)


def show_chosen(preview: Preview, chosen: Chosen) -> Preview:
    """Return a preview that says which records were chosen.

    A line of the preview about the same argument is replaced where it says less; where it says
    something else, such as a name that changed since, both are shown.
    """
    details = list(preview.details)
    for item in chosen.details:
        place = next((i for i, at in enumerate(details) if at.pointer == item.pointer), None)
        if place is None:
            details.append(item)
        elif item.value.startswith(details[place].value) or _is_vague(details[place]):
            details[place] = replace(item, before=details[place].before)
        else:
            details.insert(place + 1, replace(item, name=f"{item.name} found"))
    return replace(preview, details=tuple(details))


def _is_vague(detail: Detail) -> bool:
    """Whether a line only points at a choice, as previews do before the record was read."""
    return detail.value.startswith("the chosen ")


def _is_indexed(reference: Ref) -> bool:
    return any(index_of(part) is not None for part in reference.path)


def _row(source: Finished, reference: Ref) -> _Row | None:
    """Return the innermost row that a reference goes through; None where there is none."""
    for end in range(len(reference.path), 0, -1):
        position = index_of(reference.path[end - 1])
        if position is None:
            continue
        _, rows = look_up(source.result, reference.path[: end - 1])
        _, content = look_up(source.result, reference.path[:end])
        if isinstance(rows, list) and isinstance(content, dict):
            found = max(len(rows), _total(source.result, reference.path[: end - 1]))
            return _Row(source, list(reference.path[:end]), position, found, content)
    return None


def _total(result: Mapping[str, JsonValue], path: Sequence[str | int]) -> int:
    """Return how many there were altogether, where a result says so beside its list."""
    found, value = look_up(result, [*path[:-1], "total"])
    return value if found and isinstance(value, int) and not isinstance(value, bool) else 0


def _is_in(row: _Row, reference: Ref, every: Ref | None) -> bool:
    return every is not None and (reference.task, row.path[:-1]) == (every.task, every.path)


def _say(row: _Row, reference: Ref, *, is_choice: bool) -> tuple[str, Provenance]:
    name, aside = (_first(row.content, fields) for fields in (_NAMES, _ASIDES))
    said = str(row.content[name]) if name else "without a name"
    said += f" ({row.content[aside]})" if aside else ""
    if row.found > 1 and is_choice:
        said += f", {_nth(row.position)} of {row.found} found: check it"
    sources = [
        Provenance(_label(row, used), f"{reference.task}.{'.'.join(map(str, [*row.path, used]))}")
        for used in (name, aside)
        if used
    ]
    return said, join(sources)


def _nth(position: int) -> str:
    return _ORDINALS[position] if position < len(_ORDINALS) else f"no. {position + 1}"


def _first(content: Mapping[str, JsonValue], names: Sequence[str]) -> str | None:
    return next((name for name in names if isinstance(content.get(name), str)), None)


def _label(row: _Row, name: str) -> Label:
    declared = result_at(row.source.model, [*row.path, name])
    return declared.label if declared is not None else Label.OUTSIDE
