"""The plan format as JSON schema for strict structured outputs, and as compact text.

Closed objects, every field required, null instead of optional, `anyOf` without `oneOf` and never
at the root, no defaults; calls are tagged by key. Sorted and stable, so that a prompt's prefix
stays cached.
Source: https://platform.openai.com/docs/guides/structured-outputs
"""

from collections.abc import Iterable
from functools import cache
from itertools import zip_longest
from typing import Any, TypeAlias

from pydantic import BaseModel

from bot.planning.plan import GuardOp
from bot.planning.shapes import Kind, Member, is_nullable, legal_values, members
from connectors.actions import Action, Arguments, Idempotency
from connectors.events import Event
from connectors.registry import Registry

Schema: TypeAlias = dict[str, Any]

_REF: Schema = {"$ref": "#/$defs/Ref"}
_NULL: Schema = {"type": "null"}
_TEXT: Schema = {"type": "string"}
_SCALARS: dict[Kind, Schema] = {
    Kind.INSTANT: {"type": "string", "format": "date-time"},
    Kind.INTEGER: {"type": "integer"},
    Kind.NUMBER: {"type": "number"},
    Kind.BOOLEAN: {"type": "boolean"},
}


_SHARED: dict[str, Schema] = {
    "Text": {"anyOf": [_TEXT, _REF]},
    "TextOrNull": {"anyOf": [_TEXT, _REF, _NULL]},
    "Instant": {"anyOf": [_SCALARS[Kind.INSTANT], _REF]},
    "InstantOrNull": {"anyOf": [_SCALARS[Kind.INSTANT], _REF, _NULL]},
}
"""The commonest arguments, named once: it saves a quarter of the schema."""


def plan_schema(actions: Iterable[Action], events: Iterable[Event] = ()) -> Schema:
    """Return the strict schema of a plan over these actions, in an order of its own.

    Sorted and stable: what is offered is all that it holds.
    """
    task = _closed(
        id=_TEXT,
        call={"anyOf": [_closed(**{a.name: _arguments(a.arguments)}) for a in _sorted(actions)]},
        after=_list(_TEXT),
        for_each={"anyOf": [_REF, _NULL]},
        when={"anyOf": [{"$ref": "#/$defs/Guard"}, _NULL]},
        wait={"anyOf": [{"$ref": "#/$defs/Wait"}, _NULL]},
        why=_TEXT,
    )
    scalar = [_TEXT, {"type": "number"}, {"type": "boolean"}, _NULL]
    return {
        **_closed(
            say=_TEXT,
            tasks=_list({"$ref": "#/$defs/Task"}),
            writes=_list(_TEXT),
            question={"anyOf": [{"$ref": "#/$defs/Question"}, _NULL]},
            final={"type": "boolean"},
        ),
        "$defs": {
            "Guard": _closed(
                left=_REF,
                op={"type": "string", "enum": [op.value for op in GuardOp]},
                right={"anyOf": scalar},
            ),
            "Question": _closed(text=_TEXT, choices=_list(_TEXT)),
            "Ref": _closed(task=_TEXT, path=_list({"anyOf": [_TEXT, {"type": "integer"}]})),
            "Task": task,
            "Wait": _wait(events),
            **_SHARED,
        },
    }


def event_lines(events: Iterable[Event]) -> str:
    """Return one line an event that a task may wait for."""
    return "\n".join(
        f"{event.name}(subject: {event.subject} id"
        + (f", value: {event.value}" if event.value else "")
        + f"): {event.summary}."
        for event in sorted(events, key=lambda event: event.name)
    )


def _wait(events: Iterable[Event]) -> Schema:
    """Return what a task may wait for; the first key tells which of the three it is."""
    text_or_null = {"type": ["string", "null"]}
    options = [
        _closed(until={"$ref": "#/$defs/Text"}, at=text_or_null),
        _closed(**{"for": _TEXT}),
    ]
    names = sorted(event.name for event in events)
    if names:
        event = {"type": "string", "enum": names}
        options.append(_closed(event=event, subject=_REF, value=text_or_null, at_most=_TEXT))
    return {"anyOf": options}


def choice_schema(names: Iterable[str], *, kinds: Iterable[str]) -> Schema:
    """Return the strict schema of an interpretation: what a message is, and what it needs."""
    return _closed(
        kind={"type": "string", "enum": list(kinds)},
        actions=_list({"type": "string", "enum": sorted(names)}),
    )


def reading_schema(keys: Iterable[str], *, kinds: Iterable[str]) -> Schema:
    """Return the strict schema of what a message about a goal means; only open steps have names."""
    names = sorted(keys)
    key: Schema = {"type": "string", "enum": names} if names else _TEXT
    return _closed(
        kind={"type": "string", "enum": list(kinds)},
        drop=_list(key),
        set=_list(_closed(step=key, field=_TEXT, value=_TEXT)),
        add={"type": "boolean"},
    )


def signatures(actions: Iterable[Action]) -> str:
    """Return one line an action, with its arguments, what its result has, and one example."""
    return "\n".join(_signature(action) for action in _sorted(actions))


COMPACT_FORM = """\
{"say": text, "tasks": [{"id": "t1", "call": {ACTION: {ARGUMENT: VALUE}}, "after": [ids],
"for_each": null or REF, "when": null or {"left": REF,
"op": "exists|empty|eq|ne|lt|le|gt|ge|contains", "right": value},
"wait": null or WAIT, "why": text}], "writes": [ACTIONs],
"question": null or {"text": text, "choices": [texts]}, "final": true or false}
WAIT is {"until": date, instant or REF, "at": "09:00" or null}, {"for": "P3D"} or
{"event": name, "subject": REF, "value": text or null, "at_most": "P14D"}.
REF is {"task": "t1", "path": ["deals", 0, "id"]}. Every key is required; use null where nothing
is meant."""
"""The same format in words, for endpoints that do not enforce schemas."""

CHOICE_FORM = '{"kind": "goal|question|small_talk|cancel", "actions": [names]}'


def shown_examples(registry: Registry) -> tuple[str, ...]:
    """Return the sentences that actions declare to be shown, the most different ones first.

    Connectors take turns, each between what it reads (questions first) and what it writes; so the
    first three are a fair picture of what can be asked.
    """
    groups: dict[str, tuple[list[str], list[str]]] = {}
    for action in registry:
        reads_and_writes = groups.setdefault(action.connector, ([], []))
        is_write = action.idempotency is not Idempotency.READ
        shown = [example.shown for example in action.examples if example.shown]
        reads_and_writes[is_write].extend(shown if action.planned else [])
    for reads, _ in groups.values():
        reads.sort(key=lambda sentence: not sentence.endswith("?"))
    turns = [
        [
            item
            for pair in zip_longest(*(kinds if number % 2 == 0 else kinds[::-1]))
            for item in pair
        ]
        for number, kinds in enumerate(groups.values())
    ]
    return tuple(item for turn in zip_longest(*turns) for item in turn if item is not None)


def _sorted(actions: Iterable[Action]) -> list[Action]:
    return sorted(actions, key=lambda action: action.name)


def _arguments(model: type[Arguments]) -> Schema:
    return _closed(**{name: _value(info.annotation) for name, info in model.model_fields.items()})


def _value(annotation: Any) -> Schema:
    options = [option for member in members(annotation) if (option := _literal(member))]
    options.append(_REF)
    if is_nullable(annotation):
        options.append(_NULL)
    schema: Schema = options[0] if len(options) == 1 else {"anyOf": options}
    shared = next((name for name, found in _SHARED.items() if found == schema), None)
    return schema if shared is None else {"$ref": f"#/$defs/{shared}"}


def _literal(member: Member) -> Schema | None:
    """Return the schema of a literal; None where only a reference can stand (open objects)."""
    legal = legal_values(member.annotation)
    if legal:
        return {"type": "string", "enum": list(legal)}
    match member.kind:
        case Kind.LIST:
            items = _value(member.element)
            return None if items == _REF else _list(items)
        case Kind.OBJECT if member.model is not None:
            fields = member.model.model_fields.items()
            return _closed(**{name: _value(info.annotation) for name, info in fields})
        case Kind.OBJECT | Kind.ANY:
            return None
        case kind:
            return dict(_SCALARS.get(kind, _TEXT))


def _closed(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _signature(action: Action) -> str:
    example = next((item.shown for item in action.examples if item.shown), "")
    head = _described(action.name, action.arguments, action.result)
    return f"{head}: {action.summary}." + (f' e.g. "{example}"' if example else "")


@cache
def _described(name: str, arguments: type[BaseModel], result: type[BaseModel]) -> str:
    """Return an action as a typed function; the models of an action never change."""
    taken, given = (
        ", ".join(
            f"{field}: {_type_text(info.annotation)}" for field, info in model.model_fields.items()
        )
        for model in (arguments, result)
    )
    return f"{name}({taken}) -> {{{given}}}"


def _type_text(annotation: Any, depth: int = 0) -> str:
    legal = legal_values(annotation)
    if legal:
        text = "|".join(legal)
    else:
        text = "|".join(_member_text(member, depth) for member in members(annotation))
    return f"{text}?" if is_nullable(annotation) else text


def _member_text(member: Member, depth: int) -> str:
    if member.kind is Kind.LIST:
        return f"[{_type_text(member.element, depth)}]"
    if member.model is not None and depth < 2:  # noqa: PLR2004 -- deeper fields stay unnamed
        fields = member.model.model_fields.items()
        inner = (f"{name}: {_type_text(info.annotation, depth + 1)}" for name, info in fields)
        return "{" + ", ".join(inner) + "}"
    return member.kind.value
