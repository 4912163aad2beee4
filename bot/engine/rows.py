"""`for_each` at run time: a task becomes one task per element, and ends when all of them did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from bot.engine.arguments import finished
from bot.engine.references import Finished, look_up, names_of
from bot.engine.results import TOO_LARGE, kept
from bot.goals.lifecycle import ENDED_TASKS, move_task
from bot.planning.plan import Ref
from bot.planning.rows import MAX_ROWS, row_key, row_task
from bot.planning.valid import ValidTask
from connectors.registry import Registry
from storage.database import Transaction
from storage.tables.goals import Goal, Task, TaskStatus

NO_ROWS = "There was nothing to do it for."
ROWS = "rows"
"""The code beside a list's result that says how many of its rows were done."""

_DONE = frozenset({TaskStatus.SUCCEEDED, TaskStatus.UNDONE})
_REASONS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class RowList:
    """The list of a `for_each` as a finished task gave it.

    Attributes:
        elements: what there is one row for.
        total: how many the provider said there were; more than were read where it gave a page.
    """

    elements: Sequence[JsonValue]
    total: int

    def name(self, row: int) -> str:
        """Return what a row's element is called, or its number."""
        element = self.elements[row] if row < len(self.elements) else None
        said = element if isinstance(element, str) else next(iter(names_of(element)), "")
        return said or f"No. {row + 1}"


def read_list(ref: Ref, results: Mapping[str, Finished]) -> RowList | None:
    """Return the list that a reference names; None where there is none (yet)."""
    source = results.get(ref.task)
    found, value = look_up(source.result, ref.path) if source else (False, None)
    if source is None or not found or not isinstance(value, list):
        return None
    # Beside the rows of another task stands how many of them were tried, not found.
    _, total = look_up(source.result, [*ref.path[:-1], "total"])
    if source.is_for_each or isinstance(total, bool) or not isinstance(total, int):
        return RowList(value, len(value))
    return RowList(value, max(len(value), total))


def is_list(task: Task) -> bool:
    """Whether a task stands for one task per element of a list."""
    return task.spec.get("for_each") is not None


def children(parent: Task, tasks: Sequence[Task]) -> list[Task]:
    """Return the rows of a task, in the list's order; none before its list is known."""
    rows = (task for task in tasks if task.parent_key == parent.key)
    return sorted(rows, key=lambda task: task.row or 0)


def count_rows(task: Task, tasks: Sequence[Task]) -> int:
    """Return how many calls are made in one go with this one; what is not known is the most."""
    if task.parent_key is not None:
        return sum(other.parent_key == task.parent_key for other in tasks)
    if is_list(task):
        return len(children(task, tasks)) or MAX_ROWS
    return 1


def list_of(task: Task, tasks: Sequence[Task]) -> Ref | None:
    """Return the list that a row belongs to; None for any other task."""
    if task.parent_key is None:
        return None
    parent = next(item for item in tasks if item.key == task.parent_key)
    return ValidTask.from_json(parent.spec).for_each


def list_sentence(task: Task, tasks: Sequence[Task], registry: Registry) -> str:
    """Return what a list's step says: "Create a deal, for each of the 5 contacts found"."""
    ref = ValidTask.from_json(task.spec).for_each
    assert ref is not None
    last = ref.path[-1] if ref.path else "rows"
    noun = "results" if last == "rows" else str(last).replace("_", " ")
    count = len(children(task, tasks))
    rows = read_list(ref, finished(tasks, registry))
    number = f"{count} " if count else ""
    if rows is not None and rows.total > len(rows.elements):
        number = f"first {len(rows.elements)} of {rows.total:,} "
    summary = registry.stored_action(task.action).summary
    return f"{summary}, for each of the {number}{noun} found"


async def expand(tx: Transaction, goal: Goal, task: Task, results: Mapping[str, Finished]) -> bool:
    """Make a pending task's rows, now that its list is known; it waits for them from here on.

    No list, or one that is too long, ends it without doing anything; of an empty one there is
    nothing to do, which is no failure.
    """
    spec = ValidTask.from_json(task.spec)
    assert spec.for_each is not None
    rows = read_list(spec.for_each, results)
    if not await move_task(tx, task, to=TaskStatus.READY):
        return False
    if rows is None:
        return await _refuse(tx, task, "reference", _NO_LIST)
    if len(rows.elements) > MAX_ROWS:
        return await _refuse(tx, task, "too_many_rows", _too_many(len(rows.elements)))
    count = len(rows.elements)
    await move_task(tx, task, to=TaskStatus.WAITING, audit={"rows": count})
    if not count:
        return await _succeed(tx, task, _result([], 0, 0), {"code": ROWS, "message": NO_ROWS})
    await tx.tasks.add_many([_row(goal, task, spec, row) for row in range(count)])
    return True


async def conclude(
    tx: Transaction,
    task: Task,
    tasks: Sequence[Task],
    results: Mapping[str, Finished],
    *,
    is_read: bool,
) -> bool:
    """End a task whose rows have all ended: it succeeded if any of them did, or none had to.

    What a row's own condition left out counts as neither done nor failed.
    """
    rows = children(task, tasks)
    if not rows or any(row.status not in ENDED_TASKS for row in rows):
        return False
    await tx.results.load(rows)
    wanted = [row for row in rows if row.status is not TaskStatus.SKIPPED]
    done = [row for row in wanted if row.status in _DONE]
    bad = [row for row in wanted if row.status not in _DONE]
    said = _said(task, rows, done, bad, results)
    if bad and not done:
        return await move_task(tx, task, to=TaskStatus.FAILED, failure=said)
    given = [row.result for row in done if row.result is not None]
    whole = await kept(tx, task, _result(given, len(rows), len(bad)), is_read=is_read)
    if whole is None:
        failure = {"code": "too_large", "message": TOO_LARGE}
        return await move_task(tx, task, to=TaskStatus.FAILED, failure=failure)
    return await _succeed(tx, task, whole, said)


def _row(goal: Goal, parent: Task, spec: ValidTask, row: int) -> dict[str, Any]:
    own = row_task(spec, row)
    return {
        "team_id": goal.team_id,
        "goal_id": goal.id,
        "key": row_key(parent.key, row),
        "parent_key": parent.key,
        "row": row,
        "position": parent.position,
        "plan_version": parent.plan_version,
        "action": parent.action,
        "spec": {**own.to_json(), "labels": parent.spec.get("labels", {})},
        "depends_on": parent.depends_on,
        "status": TaskStatus.PENDING,
        "tries": 0,
    }


def _result(rows: Sequence[Any], total: int, failed: int) -> dict[str, Any]:
    return {"rows": list(rows), "total": total, "failed": failed}


def _said(
    task: Task,
    rows: Sequence[Task],
    done: Sequence[Task],
    bad: Sequence[Task],
    results: Mapping[str, Finished],
) -> dict[str, JsonValue] | None:
    """Return how many rows were done and why others were not; None where all were."""
    if len(done) == len(rows):
        return None
    spec = ValidTask.from_json(task.spec)
    elements = read_list(spec.for_each, results) if spec.for_each else None
    names = {row.key: elements.name(row.row or 0) if elements else row.key for row in rows}
    lines = [f"{len(done)} of {len(rows)} done"]
    left_out = len(rows) - len(done) - len(bad)
    if left_out:
        lines.append(f"for {left_out} its condition does not hold")
    for row in bad[:_REASONS_SHOWN]:
        reason = (row.failure or {}).get("message") or "It was not done."
        lines.append(f"{names[row.key]}: {reason}".rstrip("."))
    if len(bad) > _REASONS_SHOWN:
        lines.append(f"and {len(bad) - _REASONS_SHOWN} more")
    return {"code": ROWS, "message": f"{'; '.join(lines)}."}


def _too_many(count: int) -> str:
    return (
        f"There are {count}, and I do this for at most {MAX_ROWS} at once, so nothing was done. "
        "Ask for a part of them, for example by name or by date."
    )


_NO_LIST = "I did not find the list that this step goes through, so it cannot run. Ask again."


async def _refuse(tx: Transaction, task: Task, code: str, message: str) -> bool:
    failure = {"code": code, "message": message}
    return await move_task(tx, task, to=TaskStatus.FAILED, failure=failure)


async def _succeed(
    tx: Transaction, task: Task, result: dict[str, Any], said: dict[str, Any] | None
) -> bool:
    return await move_task(tx, task, to=TaskStatus.SUCCEEDED, result=result, failure=said)
