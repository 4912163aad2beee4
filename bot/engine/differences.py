"""Differences in words: between two plan versions, and between two previews of one task."""

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from bot.planning.valid import read_ref
from connectors.actions import Detail
from connectors.fields import argument_at
from connectors.registry import Registry


def describe_changes(
    before: Mapping[str, Any], after: Mapping[str, Any], *, name: str, registry: Registry
) -> tuple[str, ...]:
    """Return one sentence for each step that went or value that changed."""
    old = {task["key"]: task for task in before["tasks"]}
    new = {task["key"]: task for task in after["tasks"]}
    lines = [
        f"{name} dropped “{registry.action(task['action']).summary}”."
        for key, task in old.items()
        if key not in new
    ]
    for key, task in new.items():
        if key not in old:
            lines.append(f"{name} added “{registry.action(task['action']).summary}”.")
            continue
        lines += _changed_values(old[key], task, name=name, registry=registry)
    return tuple(lines)


def _changed_values(
    old: Mapping[str, Any], new: Mapping[str, Any], *, name: str, registry: Registry
) -> list[str]:
    action = registry.action(new["action"])
    lines = []
    for argument, value in new["arguments"].items():
        earlier = old["arguments"].get(argument)
        if earlier == value:
            continue
        declared = argument_at(action.arguments, [argument])
        title = declared.title if declared else argument.replace("_", " ")
        lines.append(f"{name} changed {title}: {_say(earlier)} → {_say(value)}.")
    return lines


def _say(value: JsonValue) -> str:
    if value in (None, "", []):
        return "nothing"
    if read_ref(value) is not None:
        return "a found value"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def differing_details(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Detail, ...]:
    """Return the details whose shown value or current state differs between two previews."""
    old = {item["name"]: item for item in before["details"]}
    lines = []
    for item in after["details"]:
        earlier = old.get(item["name"])
        if earlier is None:
            lines.append(Detail(item["name"], item["value"], "nothing", item["pointer"]))
        elif earlier["value"] != item["value"]:
            lines.append(Detail(item["name"], item["value"], earlier["value"], item["pointer"]))
        elif earlier["before"] != item["before"]:
            now = f"now {item['before'] or 'nothing'}"
            shown = f"was {earlier['before'] or 'nothing'} when it was shown"
            lines.append(Detail(f"{item['name']} today", now, shown, item["pointer"]))
    return tuple(lines)
