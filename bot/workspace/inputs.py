"""What a person has put into the inputs of a message or a view, in the shape Slack sends it."""

import re
from collections.abc import Callable, Mapping

from bot.workspace.blocks import interactive_elements
from bot.workspace.shapes import JsonObject

StateValues = dict[str, dict[str, JsonObject]]
Typed = Mapping[str, Mapping[str, object]]
"""Values by block id and action id: bare, or element states as Slack writes them."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_TYPED = {"plain_text_input", "number_input", "email_text_input", "url_text_input"}
_SIMPLE_KEYS = {
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    **dict.fromkeys(_TYPED, ("value", "initial_value")),
}
_ONE_OPTION = {"static_select", "radio_buttons", "overflow"}
_MANY_OPTIONS = {"multi_static_select", "checkboxes"}


def state_values(blocks: list[JsonObject], typed: Typed) -> StateValues:
    """Return `state.values`: what was typed or chosen, else the initial values.

    Args:
        blocks: The blocks as shown.
        typed: By block id and action id: a bare value (`"48000"`, an option's value, a list of
            them, a date), or the element state as Slack writes it.
    """
    values: StateValues = {}
    for block in blocks:
        for element in interactive_elements(block):
            if element["type"] in {"button", "overflow"}:
                continue
            given = typed.get(block["block_id"], {})
            action_id = element["action_id"]
            state = (
                element_state(element, given[action_id])
                if action_id in given
                else _initial_state(element)
            )
            values.setdefault(block["block_id"], {})[action_id] = state
    return values


def element_state(element: JsonObject, value: object) -> JsonObject:
    """Return the state of one element after `value` was typed or chosen in it."""
    kind = element["type"]
    if isinstance(value, dict):
        return {"type": kind, **value}
    if kind in _ONE_OPTION:
        return {"type": kind, "selected_option": _option(element, value)}
    if kind in _MANY_OPTIONS:
        chosen = value if isinstance(value, list) else [value]
        found = [_option(element, entry) for entry in chosen if entry is not None]
        return {"type": kind, "selected_options": found}
    key = _SIMPLE_KEYS[kind][0]
    if kind in _TYPED:
        return {"type": kind, key: None if value in {None, ""} else str(value)}
    return {"type": kind, key: value}


def _initial_state(element: JsonObject) -> JsonObject:
    kind = element["type"]
    if kind in _ONE_OPTION:
        return {"type": kind, "selected_option": element.get("initial_option")}
    if kind in _MANY_OPTIONS:
        return {"type": kind, "selected_options": element.get("initial_options", [])}
    key, initial = _SIMPLE_KEYS[kind]
    return {"type": kind, key: element.get(initial)}


def _option(element: JsonObject, value: object) -> JsonObject | None:
    """Return the option with this value; a made-up one if it is not offered (a forged click)."""
    if value is None:
        return None
    groups = [group["options"] for group in element.get("option_groups", [])]
    for options in [element.get("options", []), *groups]:
        for option in options:
            if option["value"] == value:
                return dict(option)
    return {"text": {"type": "plain_text", "text": str(value)}, "value": str(value)}


def _email_problem(_element: JsonObject, value: str) -> str | None:
    return None if _EMAIL.fullmatch(value) else "Enter an email address."


def _number_problem(element: JsonObject, value: str) -> str | None:
    if not _NUMBER.fullmatch(value):
        return "Enter a number."
    if not element["is_decimal_allowed"] and "." in value:
        return "Enter a whole number."
    if "min_value" in element and float(value) < float(element["min_value"]):
        return f"Enter {element['min_value']} or more."
    if "max_value" in element and float(value) > float(element["max_value"]):
        return f"Enter {element['max_value']} or less."
    return None


def _length_problem(element: JsonObject, value: str) -> str | None:
    if len(value) < element.get("min_length", 0):
        return f"Enter at least {element['min_length']} characters."
    if len(value) > element.get("max_length", 3000):
        return f"Enter at most {element.get('max_length', 3000)} characters."
    return None


_VALUE_PROBLEMS: dict[str, Callable[[JsonObject, str], str | None]] = {
    "email_text_input": _email_problem,
    "number_input": _number_problem,
    "plain_text_input": _length_problem,
}


def input_problems(blocks: list[JsonObject], values: StateValues) -> dict[str, str]:
    """Return by block id what Slack's client refuses to submit: empty or malformed inputs."""
    problems: dict[str, str] = {}
    for block in blocks:
        if block["type"] != "input":
            continue
        element = block["element"]
        state = values[block["block_id"]][element["action_id"]]
        content = next((v for k, v in state.items() if k != "type"), None)
        if content in (None, "", []):
            if not block.get("optional"):
                problems[block["block_id"]] = "Please complete this required field."
            continue
        find_problem = _VALUE_PROBLEMS.get(element["type"])
        problem = find_problem(element, str(content)) if find_problem else None
        if problem:
            problems[block["block_id"]] = problem
    return problems
