"""Checks a task's arguments against its action's model: literals by type, references by fit."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from bot.planning.errors import Flaw, PlanFlaw
from bot.planning.fitting import Declared, misfit
from bot.planning.plan import Ref, as_ref
from bot.planning.shapes import Kind, is_model, is_nullable, legal_values, members
from bot.planning.valid import references, stored_ref
from connectors.actions import Arguments

DeclaredOf = Callable[[Ref], Declared | str]
"""What is declared where a reference points, or why it points at nothing."""

_MAX_QUOTE = 60
_LITERALS = ConfigDict(str_strip_whitespace=True)


class ArgumentFlawError(Exception):
    """One argument is wrong; the checker collects these, nobody else sees them."""

    def __init__(self, message: str, *, kind: PlanFlaw = PlanFlaw.ARGUMENT) -> None:
        super().__init__(message)
        self.kind = kind


def check_arguments(
    arguments: dict[str, JsonValue], *, model: type[Arguments], declared: DeclaredOf, task: str
) -> tuple[dict[str, JsonValue], list[Flaw]]:
    """Return every field of the model, normalised, with references in the stored form; and flaws.

    Where all arguments are literals the whole model has accepted them, its own validators
    included. Otherwise its field validators have accepted the literals, and the whole is checked
    again when the references are resolved.
    """
    flaws = [
        Flaw(
            PlanFlaw.ARGUMENT,
            f"there is no such argument; it has {', '.join(model.model_fields) or 'none'}",
            task,
            name,
        )
        for name in arguments
        if name not in model.model_fields
    ]
    checked: dict[str, JsonValue] = {}
    for name, info in model.model_fields.items():
        try:
            checked[name] = _field(info, arguments, name, declared)
        except ArgumentFlawError as error:
            flaws.append(Flaw(error.kind, str(error), task, name))
    if flaws:
        return checked, flaws
    return _whole(checked, model, task)


def _field(
    info: FieldInfo, arguments: dict[str, JsonValue], name: str, declared: DeclaredOf
) -> JsonValue:
    nullable = is_nullable(info.annotation)
    if arguments.get(name) is None and not nullable:
        if info.is_required():
            raise ArgumentFlawError("it is missing; give a value, a reference, or ask a question")
        return _dump(info.annotation, info.get_default(call_default_factory=True))
    return _value(info.annotation, info.metadata, arguments.get(name), declared)


def _value(
    annotation: Any, metadata: Sequence[Any], value: JsonValue, declared: DeclaredOf
) -> JsonValue:
    """Return one value, normalised. Walks into lists and models only to find references."""
    try:
        ref = as_ref(value)
    except ValidationError as error:
        raise ArgumentFlawError(
            "a reference is {task: id, path: list of keys and indices}", kind=PlanFlaw.REFERENCE
        ) from error
    if ref is not None:
        _check_ref(annotation, metadata, ref, declared)
        return stored_ref(ref)
    if any(True for _ in _refs(value)):
        return _container(annotation, value, declared)
    return _literal(annotation, metadata, value)


def _container(annotation: Any, value: JsonValue, declared: DeclaredOf) -> JsonValue:
    for member in members(annotation):
        if isinstance(value, list) and member.kind is Kind.LIST:
            return [_value(member.element, (), item, declared) for item in value]
        if isinstance(value, dict) and member.model is not None:
            return _nested(member.model, value, declared)
    raise ArgumentFlawError(
        "references may stand here only as the whole value", kind=PlanFlaw.REFERENCE
    )


def _nested(
    model: type[BaseModel], value: dict[str, JsonValue], declared: DeclaredOf
) -> dict[str, JsonValue]:
    unknown = sorted(value.keys() - model.model_fields.keys())
    if unknown:
        raise ArgumentFlawError(f"it has no field {unknown[0]!r}")
    return {name: _field(info, value, name, declared) for name, info in model.model_fields.items()}


def _check_ref(annotation: Any, metadata: Sequence[Any], ref: Ref, declared: DeclaredOf) -> None:
    found = declared(ref)
    if isinstance(found, str):
        raise ArgumentFlawError(found, kind=PlanFlaw.REFERENCE)
    problem = misfit(annotation, metadata, found)
    if problem is not None:
        raise ArgumentFlawError(f"{ref} does not fit: {problem}", kind=PlanFlaw.REFERENCE)


def _literal(annotation: Any, metadata: Sequence[Any], value: JsonValue) -> JsonValue:
    prepared = _prepare(annotation, value)
    legal = legal_values(annotation)
    if legal and isinstance(prepared, str) and prepared not in legal and not _is_free(annotation):
        raise ArgumentFlawError(f"{_quote(value)} is not one of {', '.join(legal)}")
    adapter = _adapter(annotation, metadata)
    try:
        parsed = adapter.validate_python(prepared)
    except ValidationError as error:
        raise ArgumentFlawError(f"{_quote(value)}: {_reason(error)}") from error
    dumped: JsonValue = adapter.dump_python(parsed, mode="json")
    return dumped


def _prepare(annotation: Any, value: JsonValue) -> JsonValue:
    """Return `value` with enumeration texts in their legal spelling and integers for text as text.

    Floats are left alone: they are no text, and money is never a float.
    """
    if isinstance(value, list):
        lists = [m for m in members(annotation) if m.kind is Kind.LIST]
        return [_prepare(lists[0].element, item) for item in value] if lists else value
    legal = legal_values(annotation)
    if isinstance(value, str) and legal:
        return next((item for item in legal if _folded(item) == _folded(value)), value)
    kinds = {member.kind for member in members(annotation)}
    if isinstance(value, int) and not isinstance(value, bool) and kinds == {Kind.TEXT}:
        return str(value)
    return value


def _is_free(annotation: Any) -> bool:
    """Return whether a type takes other texts besides its enumerated ones."""
    return any(member.annotation is str for member in members(annotation))


def _folded(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _whole(
    checked: dict[str, JsonValue], model: type[Arguments], task: str
) -> tuple[dict[str, JsonValue], list[Flaw]]:
    waiting = {name for name, value in checked.items() if any(True for _ in references(value))}
    literals = {name: value for name, value in checked.items() if name not in waiting}
    try:
        parsed = model.model_validate(literals)
    except ValidationError as error:
        return checked, [
            Flaw(PlanFlaw.ARGUMENT, item["msg"], task, ".".join(map(str, item["loc"])) or None)
            for item in error.errors(include_url=False, include_context=False)
            if not waiting or (item["loc"] and item["loc"][0] not in waiting)
        ]
    return {**parsed.model_dump(mode="json"), **{name: checked[name] for name in waiting}}, []


def _adapter(annotation: Any, metadata: Sequence[Any]) -> TypeAdapter[Any]:
    return _made(annotation, tuple(metadata))


@lru_cache(maxsize=1024)
def _made(annotation: Any, metadata: tuple[Any, ...]) -> TypeAdapter[Any]:
    """Return a type's adapter, made once: that costs more than all that it is asked."""
    # A model brings its own configuration, and pydantic refuses a second one.
    config = None if is_model(annotation) else _LITERALS
    constrained: Any = Annotated[annotation, *metadata] if metadata else annotation
    return TypeAdapter(constrained, config=config)


def _dump(annotation: Any, value: Any) -> JsonValue:
    dumped: JsonValue = TypeAdapter(annotation).dump_python(value, mode="json")
    return dumped


def _refs(value: JsonValue) -> Iterator[None]:
    if isinstance(value, dict):
        if value.keys() == {"task", "path"}:
            yield None
            return
        for item in value.values():
            yield from _refs(item)
    elif isinstance(value, list):
        for item in value:
            yield from _refs(item)


def _reason(error: ValidationError) -> str:
    return error.errors(include_url=False, include_context=False)[0]["msg"]


def _quote(value: JsonValue) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_QUOTE else f"{text[: _MAX_QUOTE - 1]}…"
