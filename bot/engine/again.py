"""Doing a finished read again with other words: what needed it needs the new one instead."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import JsonValue

from bot.planning.valid import ValidTask

_NUMBERED = re.compile(r"t([0-9]{1,6})")


def free_key(keys: Iterable[str]) -> str:
    """Return a key that no step ever had."""
    used = [int(match[1]) for key in keys if (match := _NUMBERED.fullmatch(key))]
    return f"t{max(used, default=0) + 1}"


def repointed(step: ValidTask, renamed: Mapping[str, str]) -> ValidTask:
    """Return a step whose references and dependencies name the new steps."""
    data: dict[str, Any] = step.to_json()
    moved = {name: _moved(value, renamed) for name, value in data.items()}
    for name in ("after", "depends_on"):
        moved[name] = [renamed.get(key, key) for key in data[name]]
    return ValidTask.from_json(moved)


def _moved(value: JsonValue, renamed: Mapping[str, str]) -> JsonValue:
    """Return a part of a stored step with every reference in it renamed."""
    if isinstance(value, list):
        return [_moved(item, renamed) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"task", "path"} and isinstance(value["task"], str):
        return {"task": renamed.get(value["task"], value["task"]), "path": value["path"]}
    return {name: _moved(item, renamed) for name, item in value.items()}
