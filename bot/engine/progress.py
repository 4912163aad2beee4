"""Progress of a goal inside one transaction: what becomes ready, and how the goal stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from bot.engine import guards, rows, waits
from bot.engine.arguments import finished
from bot.engine.references import Finished
from bot.engine.undone import is_behind, kept_back, touch_undone
from bot.goals.lifecycle import ENDED_TASKS, Move, move_goal, move_task, move_tasks
from bot.planning.rows import guards_each
from bot.planning.valid import ValidTask
from connectors.actions import Idempotency
from connectors.registry import Registry
from storage import outbox
from storage.database import Transaction
from storage.tables.goals import Goal, GoalStatus, Task, TaskStatus

GUARD = "guard"
"""The failure's code of a task that is skipped because a condition does not hold."""

_BROKEN = frozenset(
    {
        TaskStatus.FAILED,
        TaskStatus.SKIPPED,
        TaskStatus.DECLINED,
        TaskStatus.CANCELLED,
        TaskStatus.UNDONE,
    }
)
_WAITING = frozenset(
    {
        TaskStatus.NEEDS_CONNECTION,
        TaskStatus.ASKING,
        TaskStatus.NEEDS_APPROVAL,
        TaskStatus.WAITING,
        TaskStatus.UNKNOWN,
    }
)

_ANSWER = "builtin.answer"


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things may take; short in tests.

    Attributes:
        lease_s: how long a claim holds before another drive may take the task over.
        call_timeout_s: the most that one call may take; take-over waits this long after a
            lease, since until then the old attempt could still send.
        retry_base_s: the first pause after a failure that may pass; it doubles, with jitter.
        max_tries: how often a task is tried.
        down_s: how long a task waits for a provider that does not answer at all.
        stale_s: how long a goal that ought to move may rest before the sweeper nudges it.
    """

    lease_s: float = 25.0
    call_timeout_s: float = 20.0
    retry_base_s: float = 2.0
    max_tries: int = 5
    down_s: float = 86_400.0
    stale_s: float = 45.0


async def advance(tx: Transaction, goal: Goal, registry: Registry) -> Sequence[Task]:
    """Make pending tasks ready or skipped as far as it goes; return the goal's tasks.

    While a goal is being planned only its reads start, so that its card shows real values; none
    that waits.
    """
    while True:
        tasks = await tx.tasks.list_(goal.team_id, goal.id)
        if any(task.status in (TaskStatus.PENDING, TaskStatus.READY) for task in tasks):
            await tx.results.load(tasks)
        results = finished(tasks, registry)
        by_key = {task.key: task for task in tasks}
        moved = await waits.begin_all(tx, goal, tasks, results, registry)
        starting: list[Move] = []
        for task in tasks:
            if task.status is TaskStatus.PENDING and not is_behind(task, by_key):
                moved |= await _advance_one(tx, goal, task, by_key, results, registry, starting)
            elif task.status is TaskStatus.WAITING and rows.is_list(task):
                moved |= await rows.conclude(
                    tx, task, tasks, results, is_read=is_read(task, registry)
                )
        moved |= await move_tasks(tx, starting, to=TaskStatus.READY)
        if not moved:
            return tasks


async def _advance_one(
    tx: Transaction,
    goal: Goal,
    task: Task,
    by_key: Mapping[str, Task],
    results: Mapping[str, Finished],
    registry: Registry,
    starting: list[Move],
) -> bool:
    """Skip or expand a task, True when it moved; or add it to what starts."""
    needed = [by_key[key] for key in task.depends_on if key in by_key]
    broken = [item for item in needed if item.status in _BROKEN]
    if broken:
        failure = kept_back() if task.undoes_task_id is not None else _skipped(broken)
        return await move_task(tx, task, to=TaskStatus.SKIPPED, failure=failure)
    if any(item.status is not TaskStatus.SUCCEEDED for item in needed):
        return False
    spec = ValidTask.from_json(task.spec)
    guard = spec.when
    if (
        guard is not None
        and not guards_each(guard)
        and not guards.holds(guard.model_dump(mode="json"), results)
    ):
        failure = {"code": GUARD, "message": "Its condition does not hold."}
        return await move_task(tx, task, to=TaskStatus.SKIPPED, failure=failure)
    if rows.is_list(task):
        return await rows.expand(tx, goal, task, results)
    if goal.status is GoalStatus.PLANNING and (spec.wait or not is_read(task, registry)):
        return False
    starting.append(Move(task))
    return False


def _skipped(broken: Sequence[Task]) -> dict[str, JsonValue]:
    """Return why a task is skipped; what a guard skipped skips its followers without failure."""
    by_guard = [item for item in broken if (item.failure or {}).get("code") == GUARD]
    first = next((item for item in broken if item not in by_guard), broken[0])
    message = f"It needs step {first.position + 1}, which did not happen."
    return {"code": GUARD if len(by_guard) == len(broken) else "skipped", "message": message}


def is_read(task: Task, registry: Registry) -> bool:
    """Whether a task only reads."""
    return registry.stored_action(task.action).idempotency is Idempotency.READ


async def settle(tx: Transaction, goal: Goal, tasks: Sequence[Task], registry: Registry) -> None:
    """Move a goal to where its tasks say it stands; do nothing while a task can still run."""
    if goal.status not in (GoalStatus.RUNNING, GoalStatus.WAITING):
        return
    statuses = {task.status for task in tasks}
    if statuses <= ENDED_TASKS:
        await finish(tx, goal, tasks, registry)
    elif statuses & _WAITING and not statuses & {TaskStatus.READY, TaskStatus.RUNNING}:
        if goal.status is GoalStatus.RUNNING:
            await move_goal(tx, goal, to=GoalStatus.WAITING)
    elif goal.status is GoalStatus.WAITING and statuses & {TaskStatus.READY, TaskStatus.RUNNING}:
        await move_goal(tx, goal, to=GoalStatus.RUNNING)


async def finish(
    tx: Transaction,
    goal: Goal,
    tasks: Sequence[Task],
    registry: Registry,
    *,
    said: str | None = None,
    is_whole: bool = True,
) -> None:
    """End a running or waiting goal whose tasks have all ended, with its summary.

    Args:
        tx: holds the goal's row.
        goal: running or waiting.
        tasks: all of the goal's.
        registry: what the actions are.
        said: what the requester is told where no step says more.
        is_whole: False where something was still to be planned: then it is not done.
    """
    if goal.status is GoalStatus.WAITING:
        await move_goal(tx, goal, to=GoalStatus.RUNNING)
    after, reason = ending(tasks, registry)
    if after is GoalStatus.DONE and not (is_whole and goal.stopped_because is None):
        did_something = any(
            task.status is TaskStatus.SUCCEEDED and not is_read(task, registry) for task in tasks
        )
        after = GoalStatus.PARTLY_DONE if did_something else GoalStatus.FAILED
    await move_goal(tx, goal, to=after, reason=goal.stopped_because or reason or said)
    await touch_undone(tx, goal, tasks)
    await outbox.show(
        tx,
        team_id=goal.team_id,
        noun="summary",
        subject=goal.id,
        channel_id=goal.channel_id,
        thread_ts=goal.thread_ts,
        priority=6,
    )


def ending(tasks: Sequence[Task], registry: Registry) -> tuple[GoalStatus, str | None]:
    """Return how a goal whose tasks have all ended ended, and why in a sentence.

    Looking something up for a step that then fails is no part of the goal done. What failed and
    was planned anew does not count: the plan went on without it.
    """
    tasks = [task for task in tasks if task.dropped_in is None]
    good = [
        task
        for task in tasks
        if task.status in (TaskStatus.SUCCEEDED, TaskStatus.UNDONE)
        and (task.action == _ANSWER or not is_read(task, registry))
    ]
    bad = [task for task in tasks if task.status in (TaskStatus.FAILED, TaskStatus.DECLINED)]
    held = [
        task
        for task in tasks
        if task.status is TaskStatus.SKIPPED and (task.failure or {}).get("code") != GUARD
    ]
    if not bad and not held:
        return GoalStatus.DONE, None
    # Of a row that was not done, its list says more than the row itself.
    said = {*(task.key for task in bad), *(task.parent_key for task in bad)}
    first = next((task.failure for task in tasks if task.key in said and task.failure), None)
    reason = str(first["message"]) if first else None
    return (GoalStatus.PARTLY_DONE if good else GoalStatus.FAILED), reason
