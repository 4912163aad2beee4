"""Differences in words: between two plan versions, and between two previews of one task."""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from bot.engine.forms import value_text
from bot.planning.rows import parent_key
from bot.planning.valid import read_ref
from connectors.actions import Action, Detail
from connectors.fields import argument_at
from connectors.registry import Registry


def describe_changes(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    name: str,
    registry: Registry,
    zone: ZoneInfo,
) -> tuple[str, ...]:
    """Return one sentence for each step that went or value that changed."""
    old = {task["key"]: task for task in before["tasks"]}
    new = {task["key"]: task for task in after["tasks"]}
    lines = [
        f"{name} left out a step: {_summary(task, registry)}."
        for key, task in old.items()
        if key not in new
    ]
    lines += _rows_left_out(after, new, name=name, registry=registry)
    # A version knows its rows as they were before it was made, and after.
    old |= {row["key"]: row for row in after.get("rows_before", ())}
    new |= {row["key"]: row for row in after.get("rows", ())}
    for key, task in new.items():
        if key not in old:
            lines.append(f"{name} added a step: {_summary(task, registry)}.")
            continue
        lines += _changed_values(old[key], task, name=name, registry=registry, zone=zone)
    return tuple(lines)


def _rows_left_out(
    after: Mapping[str, Any], steps: Mapping[str, Any], *, name: str, registry: Registry
) -> list[str]:
    """Return a sentence for each list that lost rows and is still there."""
    were = Counter(parent_key(row["key"]) for row in after.get("rows_before", ()))
    are = Counter(parent_key(row["key"]) for row in after.get("rows", ()))
    return [
        f"{name} left out {count - are[key]} of {count}: {_summary(steps[key], registry)}."
        for key, count in were.items()
        if key in steps and are[key] < count
    ]


def _summary(task: Mapping[str, Any], registry: Registry) -> str:
    summary = registry.stored_action(task["action"]).summary
    return f"{summary[:1].lower()}{summary[1:]}".rstrip(".")


def _changed_values(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    *,
    name: str,
    registry: Registry,
    zone: ZoneInfo,
) -> list[str]:
    action = registry.stored_action(new["action"])
    lines = []
    for argument in action.arguments.model_fields:
        value = new["arguments"].get(argument)
        earlier = old["arguments"].get(argument)
        if earlier == value:
            continue
        declared = argument_at(action.arguments, [argument])
        title = declared.title.lower() if declared else argument.replace("_", " ")
        was, now = (_say(action, argument, item, zone) for item in (earlier, value))
        lines.append(f"{name} changed the {title}: {was} → {now}.")
    return lines


def _say(action: Action, argument: str, value: JsonValue, zone: ZoneInfo) -> str:
    if value in (None, "", []):
        return "nothing"
    if read_ref(value) is not None:
        return "what was found"
    return value_text(action, argument, value, zone)


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
