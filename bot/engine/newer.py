"""Rolling deploys: what a newer version planned while this one still runs."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from connectors.registry import Registry
from storage.tables.goals import Task

AT_MOST = timedelta(hours=1)
"""How long a step is left to a newer version; after a rollback nobody is there to take it."""


class Newer:
    """Tells an action that an upgrade removed from one that this version does not have yet.

    A task that is older than this process may name what an upgrade took away: it ends with a
    sentence. One that was planned since names what a newer version brought; a worker of that one
    sees to it, however often this one is nudged, for at most `AT_MOST`. Does not see that an
    action which both have means something else by now: that is the version in the call's hash.
    """

    def __init__(self, *, registry: Registry, now: Callable[[], datetime]) -> None:
        """Take the database's clock; this process starts now."""
        self._registry = registry
        self._now = now
        self._started_at = now()

    def plans(self, task: Task, tasks: Sequence[Task]) -> bool:
        """Whether a newer version planned a task, which this one cannot do.

        Args:
            task: a row of a list was planned when its list was.
            tasks: all of the goal's.
        """
        if not self._registry.stored_action(task.action).is_removed:
            return False
        planned = next((other for other in tasks if other.key == task.parent_key), task)
        return self.may_know(planned.created_at)

    def may_know(self, since: datetime) -> bool:
        """Whether what is unknown here may be what a newer version stored, and still sees to."""
        return self._started_at < since and self._now() < since + AT_MOST
