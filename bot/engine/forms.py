"""Forms: the inputs of an edit modal, made from an action's argument model, and back."""

import re
import types
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from zoneinfo import ZoneInfo

from pydantic import JsonValue, ValidationError

from bot.engine.cards import FormField, StepForm
from bot.goals.clicks import FieldErrors
from connectors.actions import Action, Arg
from connectors.fields import argument_at


def step_form(
    action: Action,
    *,
    key: str,
    title: str,
    arguments: Mapping[str, JsonValue],
    fixed: frozenset[str],
    can_drop: bool,
    zone: ZoneInfo,
) -> StepForm:
    """Return the inputs for an action's arguments; ids and `fixed` ones are shown, not asked."""
    fields = []
    for name, info in action.arguments.model_fields.items():
        declared = argument_at(action.arguments, [name])
        kind, options = _kind(info.annotation, declared)
        if name in fixed or (declared is not None and declared.id_kind is not None):
            continue
        fields.append(
            FormField(
                name=name,
                title=declared.title if declared else name.replace("_", " ").capitalize(),
                kind=kind,
                value=_to_text(arguments.get(name), kind, zone),
                options=options,
                required=not _nullable(info.annotation) and kind != "checkbox",
                hint=_hint(kind, zone),
            )
        )
    return StepForm(key, title, can_drop, tuple(fields))


def read_values(
    action: Action,
    *,
    key: str,
    before: Mapping[str, JsonValue],
    values: Mapping[str, str],
    zone: ZoneInfo,
) -> tuple[dict[str, JsonValue], FieldErrors]:
    """Return the changed arguments as JSON, or what is wrong with which input.

    Only what differs from the form as it was shown counts as changed, so that a value keeps
    its provenance when nobody touched it.
    """
    changed: dict[str, JsonValue] = {}
    errors: list[tuple[str, str, str]] = []
    for name, text in values.items():
        info = action.arguments.model_fields.get(name)
        declared = argument_at(action.arguments, [name])
        if info is None or (declared is not None and declared.id_kind is not None):
            errors.append((key, name, "This value cannot be changed here."))
            continue
        kind, _ = _kind(info.annotation, declared)
        if text.strip() == _to_text(before.get(name), kind, zone):
            continue
        try:
            changed[name] = _from_text(text.strip(), kind, info.annotation, zone)
        except ValueError as error:
            errors.append((key, name, str(error)))
    return changed, tuple(errors)


def check_arguments(action: Action, *, key: str, arguments: Mapping[str, JsonValue]) -> FieldErrors:
    """Return what the argument model refuses, per input."""
    try:
        action.arguments.model_validate(arguments)
    except ValidationError as error:
        return tuple(
            (key, str(item["loc"][0]) if item["loc"] else "", _plain(item["msg"]))
            for item in error.errors(include_url=False, include_input=False)
        )
    return ()


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ")


def _kind(annotation: Any, declared: Arg | None) -> tuple[str, tuple[str, ...]]:
    base = _base(annotation)
    origin = get_origin(base)
    if origin is Literal:
        return "select", tuple(str(item) for item in get_args(base))
    if isinstance(base, type) and issubclass(base, Enum):
        return "select", tuple(str(item.value) for item in base)
    if origin in (list, tuple):
        return "emails", ()
    simple = {bool: "checkbox", int: "number", Decimal: "number", datetime: "datetime"}
    if base in simple:
        return simple[base], ()
    if base is date:
        return "date", ()
    return ("multiline" if declared is not None and declared.multiline else "text"), ()


def _base(annotation: Any) -> Any:
    """Return a type without `Annotated` and without None."""
    if get_origin(annotation) is Annotated:
        return _base(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        members = [item for item in get_args(annotation) if item is not type(None)]
        return _base(members[0])
    return annotation


def _nullable(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated:
        return _nullable(get_args(annotation)[0])
    return get_origin(annotation) in (Union, types.UnionType) and type(None) in get_args(annotation)


def _to_text(value: JsonValue, kind: str, zone: ZoneInfo) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if kind == "datetime":
        local = datetime.fromisoformat(str(value)).astimezone(zone)
        return local.strftime("%Y-%m-%d %H:%M")
    return str(value)


def _from_text(text: str, kind: str, annotation: Any, zone: ZoneInfo) -> JsonValue:
    """Return the JSON value that a person wrote.

    Raises:
        ValueError: with a sentence for the person.
    """
    if kind == "emails":
        return [item for item in re.split(r"[,;\s]+", text) if item]
    if kind == "checkbox":
        return text.casefold() == "true"
    if not text:
        if _nullable(annotation):
            return None
        raise ValueError("This is needed.")
    if kind == "datetime":
        return _instant(text, zone)
    if kind == "number" and not re.fullmatch(r"-?\d+(\.\d+)?", text.replace(",", "")):
        raise ValueError("Write a number such as 48000 or 48000.00.")
    return text.replace(",", "") if kind == "number" else text


def _instant(text: str, zone: ZoneInfo) -> str:
    if text.isdigit():
        return datetime.fromtimestamp(int(text), UTC).astimezone(zone).isoformat()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        message = "Write a date and time such as 2026-11-24 10:00."
        raise ValueError(message) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()


def _hint(kind: str, zone: ZoneInfo) -> str:
    if kind == "datetime":
        return f"Year-month-day hour:minute, in {zone.key}"
    if kind == "emails":
        return "Addresses, separated by commas"
    return ""
