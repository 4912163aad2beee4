"""The arguments of tasks: references filled from what finished, and what is not known yet."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from bot.engine.references import Finished, Resolved, parts_of, resolve
from bot.planning.valid import ValidTask
from connectors.actions import Action, Arguments, Idempotency, Result
from connectors.fields import argument_at, result_at
from connectors.labels import labels_from_json, leaves
from connectors.registry import Registry
from storage.repositories.results import is_stored
from storage.tables.goals import Task, TaskStatus


def fill(task: Task, tasks: Sequence[Task], registry: Registry) -> Resolved:
    """Return a task's arguments with references filled from the tasks that succeeded."""
    spec = ValidTask.from_json(task.spec)
    return resolve(
        spec.arguments,
        literals=labels_from_json(task.spec.get("labels", {})),
        finished=finished(tasks, registry),
    )


def finished(tasks: Sequence[Task], registry: Registry) -> dict[str, Finished]:
    """Return the results that references may use; stored ones only where they were loaded."""
    return {
        task.key: Finished(
            registry.stored_action(task.action),
            task.result,
            is_for_each=task.spec.get("for_each") is not None,
        )
        for task in tasks
        if task.status is TaskStatus.SUCCEEDED
        and task.result is not None
        and not is_stored(task.result)
    }


def missing_required(resolved: Resolved, action: Action) -> str | None:
    """Return why the call cannot be frozen when a needed reference points at nothing."""
    for _, reference in resolved.pending:
        return (
            f"Nobody knows the result of step {reference.task}, which this step needs, "
            "so it was not run. Ask again with the value itself."
        )
    return not_found(resolved, action)


def not_found(resolved: Resolved, action: Action) -> str | None:
    """Return why a step can never run: what it names was looked for and is not there.

    A record that does not exist stops the step even where the argument may be left out: the
    person named it. An empty field of a record that does exist leaves such an argument null.
    """
    for pointer, _ in resolved.missing:
        name = pointer.split("/")[1]
        field = action.arguments.model_fields.get(name)
        is_optional = pointer.count("/") == 1 and field is not None and _accepts_null(action, name)
        if pointer in resolved.absent or not is_optional:
            return _nothing_found(name)
    return None


def _accepts_null(action: Action, name: str) -> bool:
    annotation = action.arguments.model_fields[name].annotation
    return type(None) in getattr(annotation, "__args__", ())


def _nothing_found(name: str) -> str:
    what = name.removesuffix("_id").replace("_", " ")
    return f"I did not find the {what}, so this step cannot run. Check the name and ask again."


def shown_arguments(task: Task, tasks: Sequence[Task], registry: Registry) -> dict[str, JsonValue]:
    """Return the arguments as a card shows them before the task runs; unknown ones are absent."""
    resolved = fill(task, tasks, registry)
    unknown = {pointer.split("/")[1] for pointer, _ in resolved.pending}
    return {name: value for name, value in resolved.arguments.items() if name not in unknown}


def arguments_of_task(
    action: Action, arguments: Mapping[str, JsonValue], result: Mapping[str, JsonValue]
) -> tuple[Arguments, Result]:
    """Return a finished task's typed arguments and result."""
    return action.arguments.model_validate(arguments), action.result.model_validate(result)


def made_here(
    action: Action,
    arguments: Mapping[str, JsonValue],
    tasks: Sequence[Task],
    registry: Registry,
) -> frozenset[str]:
    """Return the arguments whose ids name records that these tasks' own writes made (S5).

    An id counts only with its kind: deal 13 is not contact 13.
    """
    made = {
        (out.id_kind, value)
        for done in finished(tasks, registry).values()
        if done.action.idempotency is not Idempotency.READ
        for pointer, value in leaves(dict(done.result))
        if (out := result_at(done.model, parts_of(pointer))) and out.id_kind
        if isinstance(value, str)
    }
    return frozenset(
        name
        for name, value in arguments.items()
        if (declared := argument_at(action.arguments, [name])) and declared.id_kind
        if isinstance(value, str) and (declared.id_kind, value) in made
    )
