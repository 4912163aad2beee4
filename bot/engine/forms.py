"""Forms: the inputs of an edit modal, made from an action's argument model, and back."""

import re
import types
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, JsonValue, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from bot.engine.cards import FormField, StepForm
from bot.engine.said import moment_text
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
        if name in fixed or (declared is not None and declared.id_kind is not None):
            continue
        kind, options = _kind(info.annotation, declared, arguments.get(name))
        fields.append(
            FormField(
                name=name,
                title=value_title(action, name),
                kind=kind,
                value=_shown(arguments.get(name), kind, declared, zone),
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
        kind, _ = _kind(info.annotation, declared, before.get(name))
        if text.strip() == _shown(before.get(name), kind, declared, zone):
            continue
        try:
            typed = _from_text(text.strip(), kind, info.annotation, zone)
            value = _canonical(info, _chosen(typed, declared))
        except ValueError as error:
            errors.append((key, name, _reason(error)))
            continue
        if value != before.get(name):
            changed[name] = value
    return changed, tuple(errors)


def is_editable(action: Action, name: str) -> bool:
    """Whether an action has an argument that a person may type; ids are chosen, never typed."""
    declared = argument_at(action.arguments, [name])
    is_id = declared is not None and declared.id_kind is not None
    return name in action.arguments.model_fields and not is_id


def value_title(action: Action, name: str) -> str:
    """Return what people call an argument."""
    declared = argument_at(action.arguments, [name])
    return declared.title if declared else name.replace("_", " ").capitalize()


def input_kind(action: Action, name: str, value: JsonValue) -> str:
    """Return the kind of input that an argument's form has, as `FormField.kind` says it."""
    declared = argument_at(action.arguments, [name])
    return _kind(action.arguments.model_fields[name].annotation, declared, value)[0]


def offered(
    action: Action, name: str, allowed: Sequence[str], *, but: JsonValue
) -> tuple[str, ...]:
    """Return the values to choose from for an argument, as its form shows them, without one.

    Args:
        action: declares the argument.
        name: the argument's.
        allowed: what its provider accepts; empty where nobody said.
        but: the value that is not offered.
    """
    declared = argument_at(action.arguments, [name])
    choices = declared.choices if declared is not None else {}
    if not allowed and not choices:
        _, options = _kind_of(_base(action.arguments.model_fields[name].annotation), is_long=False)
        allowed = options
    return tuple(choices.get(value, value) for value in allowed or choices if value != but)


def value_text(action: Action, name: str, value: JsonValue, zone: ZoneInfo) -> str:
    """Return an argument's value as people say it: "Thu 26 Nov 10:00 CET"."""
    declared = argument_at(action.arguments, [name])
    kind, _ = _kind(action.arguments.model_fields[name].annotation, declared, value)
    if kind == "datetime" and value is not None:
        return moment_text(datetime.fromisoformat(str(value)), zone)
    return _shown(value, kind, declared, zone)


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


def _canonical(info: FieldInfo, value: JsonValue) -> JsonValue:
    """Return a value as it would be frozen: what a card shows and what runs are then equal.

    Raises:
        ValueError: the field does not take it.
    """
    declared: Any = info.annotation
    adapter: TypeAdapter[Any] = TypeAdapter(
        Annotated[declared, *info.metadata] if info.metadata else declared
    )
    dumped: JsonValue = adapter.dump_python(adapter.validate_python(value), mode="json")
    return dumped


def _reason(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        return _plain(error.errors(include_url=False, include_input=False)[0]["msg"])
    return str(error)


def _plain(message: str) -> str:
    said = message.removeprefix("Value error, ")
    return f"{said[:1].upper()}{said[1:]}".rstrip(".") + "."


def _shown(value: JsonValue, kind: str, declared: Arg | None, zone: ZoneInfo) -> str:
    text = _to_text(value, kind, zone)
    return declared.choices.get(text, text) if declared is not None else text


def _chosen(typed: JsonValue, declared: Arg | None) -> JsonValue:
    """Return the value behind a name that the form offered."""
    choices = declared.choices if declared is not None else {}
    return next((value for value, name in choices.items() if name == typed), typed)


def _kind(annotation: Any, declared: Arg | None, value: JsonValue) -> tuple[str, tuple[str, ...]]:
    """Return the kind of input, and what a menu offers."""
    choices = declared.choices if declared is not None else {}
    if choices and (value is None or value in choices):
        return "select", tuple(choices.values())
    return _kind_of(_base(annotation), is_long=declared is not None and declared.multiline)


def _kind_of(base: Any, *, is_long: bool) -> tuple[str, tuple[str, ...]]:
    origin = get_origin(base)
    if origin is Literal:
        return "select", tuple(str(item) for item in get_args(base))
    if isinstance(base, type) and issubclass(base, Enum):
        return "select", tuple(str(item.value) for item in base)
    if origin in (list, tuple):
        return "emails", ()
    simple = {bool: "checkbox", int: "number", Decimal: "number"}
    simple |= {datetime: "datetime", AwareDatetime: "datetime"}
    if base in simple:
        return simple[base], ()
    if base is date:
        return "date", ()
    return ("multiline" if is_long else "text"), ()


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
    try:
        if text.isascii() and text.isdigit():
            return datetime.fromtimestamp(int(text), UTC).astimezone(zone).isoformat()
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError) as error:
        message = "Write a date and time such as 2026-11-24 10:00."
        raise ValueError(message) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()


def _hint(kind: str, zone: ZoneInfo) -> str:
    if kind == "datetime":
        return f"Year-month-day hour:minute, in {zone.key}"
    if kind == "emails":
        return "Addresses, separated by commas"
    return ""
