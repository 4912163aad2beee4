"""Estimates: how long a plan takes, from what its actions usually take; people's time aside."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import ceil

from bot.engine.progress import is_read
from bot.engine.rows import children, is_list
from bot.goals.lifecycle import ENDED_TASKS
from connectors.registry import Registry
from storage.database import Database
from storage.tables.goals import Task

AT_ONCE = 10
"""So many calls of one goal are made by one drive at the same time."""

READ_S = 0.5
"""How long a read takes of which nothing is known yet."""

WRITE_S = 1.0
"""The same for a write, which usually reads its precondition first."""

MEASURED_EVERY_S = 3_600.0


class Durations:
    """The chore that measures how long actions take."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def keep_up(self) -> int:
        """Measure anew where that was not done within the hour; return how many actions."""
        async with self._database.transaction() as tx:
            return await tx.durations.measure(every_s=MEASURED_EVERY_S)


def remaining(
    tasks: Sequence[Task], medians: Mapping[str, float], registry: Registry
) -> dict[str, float]:
    """Return task key → seconds from its start to the end of the longest chain that follows it.

    A list takes as long as its rows, `AT_ONCE` of them at a time; what has ended takes nothing.
    """
    followers: dict[str, list[Task]] = defaultdict(list)
    for task in tasks:
        for key in task.depends_on if task.parent_key is None else ():
            followers[key].append(task)
    paths: dict[str, float] = {}

    def path(task: Task) -> float:
        if task.key not in paths:
            after = (path(item) for item in followers[task.parent_key or task.key])
            paths[task.key] = own(task) + max(after, default=0.0)
        return paths[task.key]

    def own(task: Task) -> float:
        if task.status in ENDED_TASKS:
            return 0.0
        usual = medians.get(task.action, READ_S if is_read(task, registry) else WRITE_S)
        if not is_list(task):
            return usual
        rows = [row for row in children(task, tasks) if row.status not in ENDED_TASKS]
        return usual * max(ceil(len(rows) / AT_ONCE), 1)

    for task in tasks:
        path(task)
    return paths


def estimate(
    tasks: Sequence[Task], medians: Mapping[str, float], registry: Registry
) -> float | None:
    """Return how many seconds what is left of a plan takes; None where nothing is."""
    if all(task.status in ENDED_TASKS for task in tasks):
        return None
    return max(remaining(tasks, medians, registry).values())


def longest_first(
    ready: Sequence[Task], tasks: Sequence[Task], medians: Mapping[str, float], registry: Registry
) -> list[Task]:
    """Return ready tasks in the order that ends the goal soonest: the longest chain first."""
    paths = remaining(tasks, medians, registry)
    return sorted(ready, key=lambda task: (-paths[task.key], task.position, task.row or 0))
