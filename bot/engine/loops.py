"""Loops: a call that a goal made already, planned again, is refused and not tried a third time."""

import json
from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from bot.engine.arguments import finished
from bot.engine.references import Finished, resolve
from bot.planning.valid import ValidPlan, ValidTask
from connectors.registry import Registry
from storage.tables.goals import Task, TaskStatus

_ANSWER = "builtin.answer"
_TRIED = frozenset(
    {
        TaskStatus.RUNNING,
        TaskStatus.UNKNOWN,
        TaskStatus.SUCCEEDED,
        TaskStatus.UNDONE,
        TaskStatus.FAILED,
        TaskStatus.DECLINED,
    }
)


def is_loop(plan: ValidPlan, tasks: Sequence[Task], registry: Registry) -> bool:
    """Whether an answer plans a call that was tried or refused already, or one call twice.

    Calls are compared by action and canonical arguments, references filled. Tasks that were left
    to do and keep their id are the same task, not a second one; equal rows of a first plan,
    which a person saw, are therefore never judged here.

    Args:
        plan: the answer of a later round or a re-plan, without what is fixed.
        tasks: the goal's, with stored results loaded.
        registry: what the actions are.
    """
    results = finished(tasks, registry)
    seen = {
        _signature(ValidTask.from_json(task.spec), results, registry)
        for task in tasks
        if task.status in _TRIED and task.action != _ANSWER
    }
    left = {task.key for task in tasks}
    for task in plan.tasks:
        if task.key in left or task.action == _ANSWER:
            continue
        signature = _signature(task, results, registry)
        if signature in seen:
            return True
        seen.add(signature)
    return False


def _signature(task: ValidTask, results: Mapping[str, Finished], registry: Registry) -> str:
    """Return a call as text: its action and arguments, with what is not known as a reference."""
    resolved = resolve(task.arguments, literals={}, finished=results)
    action = registry.stored_action(task.action)
    try:
        arguments = action.arguments.model_validate(resolved.arguments).model_dump(mode="json")
    except ValidationError:
        arguments = resolved.arguments
    unknown = sorted(f"{pointer} {ref}" for pointer, ref in resolved.pending)
    each = str(task.for_each) if task.for_each else ""
    return json.dumps([task.action, arguments, unknown, each], sort_keys=True)
