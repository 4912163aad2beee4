"""Readings: what a model may see of a goal's steps, and what it says as a wish with its labels."""

import re
from collections.abc import Mapping, Sequence

from bot.engine.cards import FormField
from bot.engine.plans import can_change, read_edit
from bot.engine.progress import is_read
from bot.engine.said import moment_of
from bot.engine.targets import Around, combined, form_fields, wait_at, wait_moment
from bot.engine.wishes import Refused, Wish
from bot.planning.parse.addresses import Colleague
from bot.planning.parse.instants import find_when
from bot.planning.provenance import label_literals
from bot.planning.reading import GOES_ON, FieldSeen, NewValue, Reading, StepSeen
from bot.planning.valid import references
from connectors.labels import Label, Labels, Provenance, complete, labels_from_json
from storage.tables.goals import Task

_QUOTED = 80
_SCANNED = 500
"""Characters of a message in which a time is looked for; who changes one says so soon."""

_WORD = re.compile(r"\w+")
_PAST = Refused("That time is in the past. When should it be?")
UNCLEAR = Refused("I could not make out what of this goal that changes.")


def steps_seen(around: Around) -> tuple[StepSeen, ...]:
    """Return the writes of a plan as a prompt may have them: handles for all that is not typed.

    A reference's value comes from a provider, and a planner that saw a stranger's names may have
    copied one: neither is shown (S3). Previews are made of both, so a step is told by its action.
    """
    found = []
    for task in around.tasks:
        if task.dropped_in is not None or task.parent_key or is_read(task, around.registry):
            continue
        is_open = can_change(task, around.tasks, is_proposed=around.is_proposed)
        fields = tuple(_field(one, task) for one in form_fields(task, around)) if is_open else ()
        moment = wait_moment(task, around.zone) if is_open else None
        if moment is not None:
            local = moment.astimezone(around.zone)
            fields += (
                FieldSeen(GOES_ON, "When it goes on", "datetime", f"{local:%Y-%m-%d %H:%M}"),
            )
        summary = around.registry.stored_action(task.action).summary
        found.append(StepSeen(task.key, summary, is_open, fields))
    return tuple(found)


def to_wish(
    reading: Reading, around: Around, *, text: str, people: Sequence[Colleague]
) -> Wish | Refused:
    """Return a model's reading as a wish, each value with where it came from.

    What the message says, or our own parse of it, is the person's word; everything else is the
    model's (S3). A name that is no open step or field of this goal refuses the whole reading.

    Args:
        reading: what a model answered.
        around: the goal as it is now.
        text: the message.
        people: colleagues whom it may name.
    """
    seen = {step.key: step for step in steps_seen(around) if step.is_open}
    by_key = {task.key: task for task in around.tasks}
    fields = {(step.key, one.name) for step in seen.values() for one in step.fields}
    if not seen.keys() >= {*reading.drop}:
        return UNCLEAR
    if not fields >= {(item.step, item.field) for item in reading.values}:
        return UNCLEAR
    values: dict[str, dict[str, str]] = {}
    labels: dict[str, Labels] = {}
    waits = {}
    for key in dict.fromkeys(item.step for item in reading.values):
        mine = [item for item in reading.values if item.step == key]
        found = _Step(by_key[key], around, text, people)
        for item in mine:
            if item.field == GOES_ON:
                moment = moment_of(item.value, around.zone)
                if moment is None:
                    return UNCLEAR
                if moment <= around.now:
                    return _PAST
                waits[key] = wait_at(moment, around.zone)
        texts = found.texts([item for item in mine if item.field != GOES_ON])
        if isinstance(texts, Refused):
            return texts
        if texts:
            values[key] = texts
            labels[key] = found.labels(texts)
    wish = Wish(frozenset(reading.drop), values, waits, labels)
    return wish if wish.dropped or wish.values or wish.waits else UNCLEAR


class _Step:
    """One step whose values a model read out of a message."""

    def __init__(self, task: Task, around: Around, text: str, people: Sequence[Colleague]) -> None:
        self._task = task
        self._around = around
        self._text = text
        self._people = people
        self._fields = {one.name: one for one in form_fields(task, around)}
        self._moments = [one for one in self._fields.values() if one.kind == "datetime"]
        self._follows: frozenset[str] = frozenset()

    def texts(self, values: Sequence[NewValue]) -> dict[str, str] | Refused:
        """Return the inputs with their new texts; what moves keeps its length."""
        texts = {item.field: item.value for item in values}
        moved = [one for one in self._moments if one.name in texts]
        for one in moved:
            start = moment_of(texts[one.name], self._around.zone)
            if start is not None and start <= self._around.now:
                return _PAST
        if [one.name for one in moved] == [one.name for one in self._moments[:1]]:
            texts |= self._shifted(texts[moved[0].name]) if moved else {}
        return texts

    def _shifted(self, written: str) -> dict[str, str]:
        """Return the other instants of the step, as far behind the first as they were."""
        first, *rest = self._moments
        old, new = (moment_of(text, self._around.zone) for text in (first.value, written))
        if old is None or new is None:
            return {}
        found = {}
        for one in rest:
            moment = moment_of(one.value, self._around.zone)
            if moment is not None:
                found[one.name] = (moment + (new - old)).astimezone(self._around.zone).isoformat()
        self._follows = frozenset(found)
        return found

    def labels(self, texts: Mapping[str, str]) -> Labels:
        """Return where each leaf of the changed arguments came from."""
        task, around = self._task, self._around
        changed, _ = read_edit(task, around.tasks, texts, around.registry, around.zone)
        action = around.registry.stored_action(task.action)
        by_model = Provenance(Label.MODEL, f"how I read “{self._text[:_QUOTED]}”")
        said = label_literals(
            changed,
            action=action,
            text=self._text,
            now=around.now,
            zone=around.zone,
            people=self._people,
        )
        found = {
            pointer: item if item.label is not Label.MODEL else by_model
            for pointer, item in said.items()
        }
        first = self._moments[0] if self._moments else None
        if first is not None and first.name in changed:
            source = self._spoken(first, texts[first.name])
            if source is not None:
                found[f"/{first.name}"] = Provenance(Label.MESSAGE, source)
            for name in self._follows & changed.keys():
                found[f"/{name}"] = found[f"/{first.name}"]
        return found

    def _spoken(self, first: FormField, written: str) -> str | None:
        """Return which words of the message our own parse reads as this instant, if any do."""
        new = moment_of(written, self._around.zone)
        today = self._around.now.astimezone(self._around.zone).date()
        old = moment_of(first.value, self._around.zone)
        text = self._text[:_SCANNED]
        for word in _WORD.finditer(text):
            for when in find_when(text, word.start(), today=today):
                at = combined(when.value, old, zone=self._around.zone, now=self._around.now)
                if new is not None and at == new:
                    return f"“{text[word.start() : when.end]}”"
        return None


def is_all_said(wish: Wish) -> bool:
    """Whether every new value is the person's own word."""
    return all(
        item.label is Label.MESSAGE for labels in wish.labels.values() for item in labels.values()
    )


def _field(one: FormField, task: Task) -> FieldSeen:
    return FieldSeen(one.name, one.title, one.kind, _value(one, task), one.options)


def _value(one: FormField, task: Task) -> str:
    """Return what a prompt has of a value: itself where the person or a planner wrote it."""
    value = task.spec["arguments"].get(one.name)
    if any(True for _ in references(value)):
        return f"«{one.title.lower()}, from an earlier step»"
    stored = labels_from_json(task.spec.get("labels", {}))
    labels = complete({one.name: value}, stored)
    if any(item.label is Label.OUTSIDE for item in labels.values()):
        return f"«{one.title.lower()}, {len(one.value)} characters»"
    return one.value
