"""Absent records and empty fields: which words or values would have to be others."""

from collections.abc import Sequence

from bot.engine.forms import is_editable, value_title
from bot.engine.references import Resolved
from bot.engine.refusals import Refusal
from connectors.actions import Action, Idempotency
from connectors.registry import Registry
from storage.tables.goals import Task, TaskStatus


def nothing_there(
    resolved: Resolved, action: Action, tasks: Sequence[Task], registry: Registry
) -> Refusal | None:
    """Return what to ask where a reference points at nothing; None where nobody could say more.

    For a record that is not there, other words to look for; for an empty field of one that is, the
    value itself, where a person can type it. A step that only reads is not asked about.
    """
    if resolved.pending or not resolved.missing or action.idempotency is Idempotency.READ:
        return None
    pointer, reference = resolved.missing[0]
    name = pointer.split("/")[1]
    if pointer in resolved.absent:
        found = next((task for task in tasks if task.key == reference.task), None)
        if found is not None and (again := _look_again(found, name, registry)):
            return again
    if not is_editable(action, name):
        return None
    title = value_title(action, name)
    return Refusal(f"I found nothing for “{title}”. What is to stand there?", (name,), {})


def _look_again(found: Task, name: str, registry: Registry) -> Refusal | None:
    """Return the question for other words; None where the step before was no search by words."""
    source = registry.stored_action(found.action)
    given = {
        name: value
        for name, value in found.spec["arguments"].items()
        if isinstance(value, str) and is_editable(source, name)
    }
    is_search = source.idempotency is Idempotency.READ and found.status is TaskStatus.SUCCEEDED
    if not is_search or not given or found.parent_key is not None:
        return None
    what = name.removesuffix("_id").replace("_", " ")
    words = " and ".join(f"“{value}”" for value in given.values())
    said = f"I did not find the {what}: I looked for {words}. What shall I look for instead?"
    return Refusal(said, tuple(given), {}, found.key)
