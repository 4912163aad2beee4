"""What each step of a card says about its wait."""

from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from bot.engine.arguments import finished
from bot.engine.cards import Step
from bot.engine.wait_words import wait_words
from bot.planning.valid import read_wait
from connectors.registry import Registry
from storage.database import Transaction
from storage.tables.goals import Goal, Task


async def with_waits(
    tx: Transaction,
    goal: Goal,
    tasks: Sequence[Task],
    steps: Sequence[Step],
    *,
    registry: Registry,
) -> tuple[Step, ...]:
    """Return the steps with what they say about their waits; most goals have none to read."""
    waiting = {task.id: task for task in tasks if read_wait(task.spec) is not None}
    if not waiting:
        return tuple(steps)
    requester = await tx.people.get(goal.team_id, goal.requester_id)
    zone = ZoneInfo(requester.zone)
    rows = {row.task_id: row for row in await tx.waits.list_(goal.team_id, goal.id)}
    results = finished(tasks, registry)
    shown = []
    for step in steps:
        task = waiting.get(step.task_id)
        if task is not None:
            said = wait_words(
                task, rows.get(task.id), goal=goal, zone=zone, results=results, registry=registry
            )
            step = replace(step, waits=said.waits, note=said.note)  # noqa: PLW2901 -- its own copy
        shown.append(step)
    return tuple(shown)
