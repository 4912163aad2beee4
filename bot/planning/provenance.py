"""Labels the literals of a plan: what the requester wrote, our parse of it, what a model added.

Pure, and independent of who planned: an offline plan is labelled by the same rule as a model's.
References are not labelled here; the engine knows where their values come from.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from bot.planning.parse.addresses import Colleague
from bot.planning.shapes import Kind, find, members
from bot.planning.spoken import Spoken
from bot.planning.text import folded
from bot.planning.valid import read_ref
from connectors.actions import Action, Arg
from connectors.labels import Label, Provenance, escape_pointer

LEFT_OUT = Provenance(Label.MESSAGE, "left out")
"""An empty value or the argument's default: nothing was supplied."""

OWN_ZONE = Provenance(Label.PROFILE, "time zone of the requester")
MADE_BY_MODEL = Provenance(Label.MODEL, "planner")


def label_literals(
    arguments: dict[str, JsonValue],
    *,
    action: Action,
    text: str,
    now: datetime,
    zone: ZoneInfo,
    people: Sequence[Colleague] = (),
) -> dict[str, Provenance]:
    """Return JSON pointer → provenance for every literal leaf of a valid task's arguments.

    `message` is a span of the requester's text (NFKC and case folded, at word boundaries) or
    equals our own parse of one; an id is `message` only where the text calls it one (S5).

    Args:
        arguments: as in `ValidTask`, with references in the stored form.
        action: whose arguments they are.
        text: everything the requester wrote about the goal (`PlanRequest.said`).
        now: the aware instant that relative dates count from.
        zone: the requester's.
        people: colleagues whose address a name in the text stands for.
    """
    spoken = _spoken(text, now, zone, tuple(people))
    choices = {
        (folded(phrase), value)
        for example in action.examples
        for phrases in example.choices.values()
        for phrase, value in phrases.items()
    }
    labels: dict[str, Provenance] = {}
    for name, value in arguments.items():
        info = action.arguments.model_fields.get(name)
        is_default = info is not None and not info.is_required() and value == info.default
        for pointer, leaf in literal_leaves(value, f"/{escape_pointer(name)}"):
            if is_default or leaf in (None, [], {}):
                labels[pointer] = LEFT_OUT
            elif info is not None and _is_id(info.annotation, info.metadata):
                labels[pointer] = _label(spoken.named_id(leaf), leaf, spoken)
            else:
                labels[pointer] = _label(spoken.find(leaf, choices=choices), leaf, spoken)
    return labels


@lru_cache(maxsize=32)
def _spoken(text: str, now: datetime, zone: ZoneInfo, people: tuple[Colleague, ...]) -> Spoken:
    """Return what a text says, parsed once for all tasks of a plan."""
    return Spoken.of(text, now=now, zone=zone, people=people)


def literal_leaves(value: JsonValue, pointer: str) -> Iterator[tuple[str, JsonValue]]:
    """Yield (JSON pointer, value) of every leaf that is not a reference or inside one."""
    if read_ref(value) is not None:
        return
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from literal_leaves(item, f"{pointer}/{escape_pointer(key)}")
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from literal_leaves(item, f"{pointer}/{index}")
    else:
        yield pointer, value


def _label(source: str | None, leaf: JsonValue, spoken: Spoken) -> Provenance:
    if source is not None:
        return Provenance(Label.MESSAGE, source)
    if leaf == spoken.zone.key:
        return OWN_ZONE
    colleague = spoken.colleague(leaf)
    if colleague is not None:
        return Provenance(Label.RECORD, f"Slack profile, {colleague}")
    return MADE_BY_MODEL


def _is_id(annotation: object, metadata: Sequence[object]) -> bool:
    for member in members(annotation, metadata):
        arg = find(member.metadata, Arg)
        inner = find(members(member.element)[0].metadata, Arg) if member.kind is Kind.LIST else None
        if (arg and arg.id_kind) or (inner and inner.id_kind):
            return True
    return False
