"""How large a result may be: kept with its task, stored beside it, cut, or refused."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from storage.database import Transaction
from storage.tables.goals import Task

INLINE_BYTES = 64 * 1024
"""Up to here a result is read with its task each time a goal is driven or drawn."""

MOST_BYTES = 1024 * 1024
"""No result is kept beyond this: a hundred rows of a CRM take some 50 kB."""

TOO_LARGE = (
    "It found more than I can keep. Ask for less: a shorter period, a more specific name, "
    "or fewer records."
)

_CUTS = ((2000, 100), (500, 20), (100, 5))
"""(characters of a text, entries of a list) that are left, tried one after the other."""


def size_of(result: Mapping[str, JsonValue]) -> int:
    """Return the bytes of a result's JSON in UTF-8."""
    return len(json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode())


def clipped(result: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return a result with long texts and lists cut until it may stay with its task.

    For what a write answered: it happened, so its result is kept as far as possible. Ids are
    shorter than any cut.
    """
    cut: Any = dict(result)
    for characters, entries in _CUTS:
        cut = _cut(cut, characters, entries)
        if size_of(cut) <= INLINE_BYTES:
            return dict(cut)
    return {}


async def kept(
    tx: Transaction, task: Task, result: dict[str, JsonValue], *, is_read: bool
) -> dict[str, Any] | None:
    """Return what to put into `tasks.result` for a result of any size, storing what is large.

    None where a read found more than is kept; of what a write answered as much is kept as fits.
    """
    size = size_of(result)
    if size <= INLINE_BYTES:
        return result
    if size <= MOST_BYTES:
        return await tx.results.add(task, result, size=size)
    return None if is_read else clipped(result)


def _cut(value: JsonValue, characters: int, entries: int) -> JsonValue:
    match value:
        case str() if len(value) > characters:
            return f"{value[: characters - 1]}…"
        case list():
            return [_cut(item, characters, entries) for item in value[:entries]]
        case dict():
            return {key: _cut(item, characters, entries) for key, item in value.items()}
        case _:
            return value
