"""Waiting for an event: whose connection is looked through, and what hints at it."""

from typing import Any

from bot.engine.asks import ask_to_connect
from bot.engine.prepare import NeedsConnection
from bot.goals.lifecycle import move_task
from bot.planning.plan import WaitEvent
from connectors.events import Event
from connectors.registry import Registry
from storage.database import Transaction
from storage.queue import Priority
from storage.tables.connections import Connection, ConnectionStatus
from storage.tables.goals import Goal, Task, TaskStatus
from storage.tables.waits import Wait, WaitEnding

CHECK_WAIT = "check_wait"
"""The job that looks whether what one wait waits for has happened."""

POLL_AT_LEAST_S = 60.0
"""How soon a stream is polled for a wait that has just begun; its first look comes at once."""

POLL_AT_MOST_S = 900.0
"""How rarely a stream is polled for waits that have lasted for hours."""

_AGES_A_POLL = 10.0
"""A tenth of how long somebody has waited is late enough to notice."""


def poll_again_in_s(youngest_s: float) -> float:
    """Return the pause before a stream's next poll, from the age of its youngest wait."""
    return min(max(youngest_s / _AGES_A_POLL, POLL_AT_LEAST_S), POLL_AT_MOST_S)


async def await_event(
    tx: Transaction,
    goal: Goal,
    task: Task,
    wait: WaitEvent,
    values: dict[str, Any],
    *,
    subject: str,
    registry: Registry,
) -> bool:
    """Let a task wait for an event, or first for the connection through which it is seen.

    A wait that was broken off by a lost connection goes on with its old deadline and memory.
    """
    event = registry.find_event(wait.event)
    if event is None:
        failure = {"code": "wait", "message": _UNKNOWN}
        return await move_task(tx, task, to=TaskStatus.FAILED, failure=failure)
    connection = await tx.connections.find(goal.team_id, goal.requester_id, event.connector)
    missing = _missing(connection, event, registry)
    if connection is None or missing:
        needs = NeedsConnection(task, event.connector, missing)
        await ask_to_connect(tx, goal, needs, registry)
        return True
    if not await move_task(tx, task, to=TaskStatus.WAITING, audit={"event": event.name}):
        return False
    before = await _broken_off(tx, task)
    if before is not None:
        values = {**values, "due_at": before.due_at, "started_at": before.started_at}
    row = await tx.waits.add(
        **values,
        connector=event.connector,
        event=event.name,
        subject=subject,
        value=wait.value,
        cursor=before.cursor if before else None,
    )
    await tx.hooks.want_poll(
        connection_id=connection.id,
        stream=event.stream,
        team_id=goal.team_id,
        person_id=goal.requester_id,
        connector=event.connector,
        within_s=POLL_AT_LEAST_S,
    )
    await defer_check(tx, row)
    return True


async def defer_check(tx: Transaction, wait: Wait) -> None:
    """Have somebody look whether a wait is over; it stays owed until a look gets an answer."""
    await tx.waits.owe_look(wait)
    await tx.defer(
        CHECK_WAIT,
        once=str(wait.id),
        priority=Priority.BACKGROUND,
        team_id=wait.team_id,
        wait_id=wait.id,
    )


def _missing(connection: Connection | None, event: Event, registry: Registry) -> frozenset[str]:
    """Return the scopes to ask for: all of them where nothing is connected."""
    connector = registry.connector(event.connector)
    scopes = event.scopes | connector.stream(event.stream).scopes
    if connection is None or connection.status is not ConnectionStatus.CONNECTED:
        return scopes
    assert connector.manifest is not None  # registration made sure
    return connector.manifest.missing(asked=scopes, granted=connection.scopes)


async def _broken_off(tx: Transaction, task: Task) -> Wait | None:
    rows = await tx.waits.list_(task.team_id, task.goal_id)
    own = [row for row in rows if row.task_id == task.id and row.event is not None]
    return own[-1] if own and own[-1].ending is WaitEnding.CANCELLED else None


_UNKNOWN = "I cannot wait for this any more since I was upgraded. Please ask again."
