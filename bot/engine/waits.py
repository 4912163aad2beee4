"""Waits begin here: when a task's dependencies are met, it waits before it runs.

Waiting costs a row and nothing polls an instant. Which tasks wait is decided here and nowhere
else, so that a ready task whose wait is not over never runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.engine.asks import ask_to_connect
from bot.engine.awaits import await_event
from bot.engine.needs import connection_needed_later
from bot.engine.references import Finished, look_up
from bot.goals.lifecycle import move_task
from bot.planning.moments import MAX_AHEAD, TOO_FAR, Duration, MomentError, read_until
from bot.planning.plan import Ref, Wait, WaitEvent, WaitFor, WaitUntil
from bot.planning.valid import read_wait
from connectors.registry import Registry
from storage.database import Transaction
from storage.tables.goals import Goal, Task, TaskStatus
from storage.tables.waits import WaitEnding

OVER = frozenset({WaitEnding.REACHED, WaitEnding.HELD, WaitEnding.PAST, WaitEnding.HAPPENED})
"""How a wait ended whose task may run."""


class NoMomentError(Exception):
    """What the wait refers to gives no moment; the message says so to the person."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the end of a wait is computed from."""

    now: datetime
    zone: ZoneInfo
    results: Mapping[str, Finished]
    since: datetime
    """When everything that the task depends on had ended."""


async def begin_all(
    tx: Transaction,
    goal: Goal,
    tasks: Sequence[Task],
    results: Mapping[str, Finished],
    registry: Registry,
) -> bool:
    """Let each ready task wait whose wait is not over; True when one moved."""
    ready = [
        (task, wait)
        for task in tasks
        if task.status is TaskStatus.READY and (wait := read_wait(task.spec)) is not None
    ]
    if not ready:
        return False
    rows = await tx.waits.list_(goal.team_id, goal.id)
    over = {row.task_id for row in rows if row.ending in OVER}
    moved = False
    for task, wait in ready:
        if task.id in over:
            continue
        needed = await connection_needed_later(tx, goal, task, tasks, registry)
        if needed is not None:
            await ask_to_connect(tx, goal, needed, registry)
            moved = True
        else:
            around = await _surroundings(tx, goal, task, tasks, results)
            moved |= await _begin(tx, goal, task, wait, around, registry)
    return moved


async def _surroundings(
    tx: Transaction,
    goal: Goal,
    task: Task,
    tasks: Sequence[Task],
    results: Mapping[str, Finished],
) -> Surroundings:
    requester = await tx.people.get(goal.team_id, goal.requester_id)
    now = await tx.waits.now()
    ended = [item.finished_at for item in tasks if item.key in task.depends_on and item.finished_at]
    return Surroundings(now, ZoneInfo(requester.zone), results, max(ended, default=now))


async def _begin(
    tx: Transaction,
    goal: Goal,
    task: Task,
    wait: Wait,
    around: Surroundings,
    registry: Registry,
) -> bool:
    try:
        values = _row(goal, task, wait, around)
        if isinstance(wait, WaitEvent):
            subject = value_of(wait.subject, around)
            return await await_event(
                tx, goal, task, wait, values, subject=subject, registry=registry
            )
    except NoMomentError as error:
        failure = {"code": "wait", "message": str(error)}
        return await move_task(tx, task, to=TaskStatus.FAILED, failure=failure)
    if values["due_at"] <= around.now:
        # It stays ready: what is late already runs at once, and its card says so.
        await tx.waits.add(ending=WaitEnding.PAST, **values)
        return False
    if not await move_task(
        tx, task, to=TaskStatus.WAITING, audit={"until": values["due_at"].isoformat()}
    ):
        return False
    await tx.waits.add(**values)
    return True


def _row(goal: Goal, task: Task, wait: Wait, around: Surroundings) -> dict[str, Any]:
    due_at = end_of(wait, around)
    if due_at > around.now + MAX_AHEAD:
        raise NoMomentError(f"It cannot wait so long: {TOO_FAR}. Ask again nearer the time.")
    return {
        "team_id": goal.team_id,
        "goal_id": goal.id,
        "task_id": task.id,
        "person_id": goal.requester_id,
        "due_at": due_at,
    }


def end_of(wait: Wait, around: Surroundings) -> datetime:
    """Return when a wait is over; of a wait for an event, when it ends at the latest.

    Raises:
        NoMomentError: what it refers to names no moment.
    """
    try:
        match wait:
            case WaitUntil(until=until, at=at):
                text = until if isinstance(until, str) else value_of(until, around)
                return read_until(text, at=at, zone=around.zone)
            case WaitFor(duration=duration):
                return Duration.parse(duration).after(around.since, around.zone)
            case WaitEvent(at_most=at_most):
                return Duration.parse(at_most).after(around.now, around.zone)
    except MomentError as error:
        raise NoMomentError(_NO_MOMENT) from error


_NO_MOMENT = (
    "What this step waits for is missing or cannot be read, so it was not run. "
    "Ask again and name it."
)


def value_of(ref: Ref, around: Surroundings) -> str:
    """Return the text that a wait refers to.

    Raises:
        NoMomentError: there is none.
    """
    source = around.results.get(ref.task)
    found, value = look_up(source.result, ref.path) if source else (False, None)
    if not found or not isinstance(value, str):
        raise NoMomentError(_NO_MOMENT)
    return value
