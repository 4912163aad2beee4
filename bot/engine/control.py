"""Control labels: where came from what decides whether, when and how often a task runs."""

from collections.abc import Iterator, Sequence

from bot.planning.plan import EACH, Ref, WaitUntil
from bot.planning.rows import result_model
from bot.planning.valid import ValidTask
from connectors.fields import result_at
from connectors.labels import Label, Provenance
from connectors.registry import Registry
from storage.tables.goals import Task


def control_labels(task: Task, tasks: Sequence[Task], registry: Registry) -> dict[str, Provenance]:
    """Return the labels of a task's condition, list and wait, by pointers that no argument has.

    A row has those of the task that it is a row of, too. What is not declared is `outside`.
    """
    by_key = {item.key: item for item in tasks}
    parent = by_key.get(task.parent_key or "")
    labels: dict[str, Provenance] = {}
    for item in (task, parent):
        if item is not None:
            for name, ref in _decisive(ValidTask.from_json(item.spec)):
                labels[f"/:{name}:{item.key}"] = _label(ref, by_key.get(ref.task), registry)
    return labels


def _decisive(spec: ValidTask) -> Iterator[tuple[str, Ref]]:
    if spec.for_each is not None:
        yield "for_each", spec.for_each
    if spec.when is not None:
        yield "when", _element(spec, spec.when.left)
    if isinstance(spec.wait, WaitUntil) and isinstance(spec.wait.until, Ref):
        yield "wait", _element(spec, spec.wait.until)


def _element(spec: ValidTask, ref: Ref) -> Ref:
    """Return where a reference to the element points, as of the first one of the list."""
    if ref.task != EACH or spec.for_each is None:
        return ref
    return Ref(task=spec.for_each.task, path=[*spec.for_each.path, 0, *ref.path])


def _label(ref: Ref, source: Task | None, registry: Registry) -> Provenance:
    if source is None:
        return Provenance(Label.OUTSIDE, str(ref))
    result = registry.stored_action(source.action).result
    is_for_each = source.spec.get("for_each") is not None
    declared = result_at(result_model(result, is_for_each=is_for_each), ref.path)
    return Provenance(declared.label if declared is not None else Label.OUTSIDE, str(ref))
