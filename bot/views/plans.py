"""The edit modal, made from a plan's or a call's form, and what comes back from it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.engine.cards import FormField, PlanForm, StepForm
from bot.views import blocks, ids, limits
from bot.views.blocks import Block
from bot.views.metadata import Place, decode_place, encode_place
from bot.views.text import units

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DROPPED = "drop"
_TRUE = "true"
_LEAVE_OUT = "Leave this step out"


@dataclass(frozen=True, slots=True)
class SubmittedForm:
    """What a person left in an edit modal. Fields that the modal did not ask are not in it."""

    goal_id: int
    version: int
    item_id: int | None
    dropped: frozenset[str]
    values: Mapping[str, Mapping[str, str]]
    """Step key → field name → what was typed; a checkbox is "true" or "false"."""
    inputs: frozenset[str]
    """The blocks that can show an error."""
    place: Place


def build_plan_modal(form: PlanForm, *, place: Place) -> Block:
    """Return the modal for a whole plan, or for the one call of an approval."""
    shown: list[Block] = []
    number = 0
    for step in form.steps:
        number += not step.is_row
        is_numbered = len(form.steps) > 1 and not step.is_row
        shown += _step(step, number=number if is_numbered else None)
    is_call = form.item_id is not None
    note = (
        "A change is a new request: policy decides again who must approve it."
        if is_call
        else "Nothing runs yet: the card shows the changed plan first."
    )
    return {
        "type": "modal",
        "callback_id": ids.MODAL_CALL if is_call else ids.MODAL_PLAN,
        "title": blocks.plain("Edit the request" if is_call else "Edit the plan", 24),
        "submit": blocks.plain("Save", limits.MODAL_BUTTON),
        "close": blocks.plain("Back", limits.MODAL_BUTTON),
        "private_metadata": encode_place(
            place, goal_id=form.goal_id, version=form.version, item_id=form.item_id
        ),
        "blocks": blocks.fit(shown, most=limits.BLOCKS_PER_VIEW, tail=[blocks.context(note)]),
    }


def parse_plan_modal(view: Mapping[str, Any]) -> SubmittedForm:
    """Return what was submitted.

    Raises:
        ValueError: the view is not one of ours.
    """
    try:
        place, about = decode_place(view["private_metadata"])
        states = view["state"]["values"]
        dropped: set[str] = set()
        values: dict[str, dict[str, str]] = {}
        for block_id, inputs in states.items():
            step_key = ids.read_drop_block(block_id)
            field = ids.read_field_block(block_id)
            if step_key is not None and inputs[ids.INPUT].get("selected_options"):
                dropped.add(step_key)
            elif field is not None:
                values.setdefault(field[0], {})[field[1]] = _typed(inputs[ids.INPUT])
        return SubmittedForm(
            goal_id=int(about["goal_id"]),
            version=int(about["version"]),
            item_id=None if about["item_id"] is None else int(about["item_id"]),
            dropped=frozenset(dropped),
            values=values,
            inputs=frozenset(b["block_id"] for b in view["blocks"] if b["type"] == "input"),
            place=place,
        )
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as err:
        raise ValueError("This is not our modal.") from err


def _step(step: StepForm, *, number: int | None) -> list[Block]:
    title = step.title if number is None else f"{number}. {step.title}"
    if step.is_row and step.can_drop and not step.fields:
        # One block a row, or fifty of them would not fit.
        return [_drop(step.key, f"Leave out: {step.title}")]
    shown = [blocks.section(title)]
    shown += [_field(step.key, field) for field in step.fields]
    if step.can_drop:
        shown.append(_drop(step.key, "Leave this one out" if step.is_row else _LEAVE_OUT))
    shown.append(blocks.divider())
    return shown


def _drop(step_key: str, text: str) -> Block:
    option = {"text": blocks.plain(text, limits.OPTION_TEXT), "value": _DROPPED}
    return {
        "type": "actions",
        "block_id": ids.drop_block(step_key),
        "elements": [{"type": "checkboxes", "action_id": ids.INPUT, "options": [option]}],
    }


def _field(step_key: str, field: FormField) -> Block:
    """Return a field's input, or its value to read where no input could hold it whole."""
    block_id = ids.field_block(step_key, field.name)
    too_long = units(field.value) > limits.INPUT_TEXT or len(block_id) > limits.BLOCK_ID
    if field.kind == "readonly" or too_long:
        note = " (too long to change here)" if too_long else ""
        return blocks.context(f"{field.title}{note}: {field.value}")
    asked: Block = {
        "type": "input",
        "block_id": block_id,
        "label": blocks.plain(field.title, limits.LABEL),
        "element": {"action_id": ids.INPUT, **_element(field)},
        "optional": not field.required,
    }
    if field.hint:
        asked["hint"] = blocks.plain(field.hint, limits.HINT)
    return asked


def _element(field: FormField) -> Block:
    if field.kind == "select" and _fits_a_menu(field):
        return _menu(field)
    if field.kind == "checkbox":
        return _checkbox(field)
    if field.kind == "number" and (not field.value or _NUMBER.fullmatch(field.value)):
        element: Block = {"type": "number_input", "is_decimal_allowed": True}
    elif field.kind == "date" and (not field.value or _DATE.fullmatch(field.value)):
        picker: Block = {"type": "datepicker"}
        return {**picker, "initial_date": field.value} if field.value else picker
    else:
        element = {"type": "plain_text_input", "multiline": field.kind == "multiline"}
    return {**element, "initial_value": field.value} if field.value else element


def _fits_a_menu(field: FormField) -> bool:
    return 0 < len(field.options) <= limits.OPTIONS and all(
        0 < units(option) <= limits.OPTION_TEXT for option in field.options
    )


def _menu(field: FormField) -> Block:
    options = [
        {"text": blocks.plain(option, limits.OPTION_TEXT), "value": option}
        for option in field.options
    ]
    menu: Block = {"type": "static_select", "options": options}
    chosen = [option for option in options if option["value"] == field.value]
    return {**menu, "initial_option": chosen[0]} if chosen else menu


def _checkbox(field: FormField) -> Block:
    option = {"text": blocks.plain("Yes", limits.OPTION_TEXT), "value": _TRUE}
    box: Block = {"type": "checkboxes", "options": [option]}
    return {**box, "initial_options": [option]} if field.value == _TRUE else box


def _typed(state: Mapping[str, Any]) -> str:
    match state["type"]:
        case "checkboxes":
            return _TRUE if state.get("selected_options") else "false"
        case "static_select":
            return str((state.get("selected_option") or {}).get("value", ""))
        case "datepicker":
            return str(state.get("selected_date") or "")
        case _:
            return str(state.get("value") or "")
