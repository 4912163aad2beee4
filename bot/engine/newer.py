"""Rolling deploys: what a newer version planned while this one still runs."""

from datetime import datetime

from connectors.registry import Registry
from storage.tables.goals import Task


class Newer:
    """Tells an action that an upgrade removed from one that this version does not have yet.

    A task that is older than this process may name what an upgrade took away: it ends with a
    sentence. One that was planned since names what a newer version brought; a worker of that one
    sees to it, however often this one is nudged. Does not see that an action which both have means
    something else by now: that is the version in the call's hash.
    """

    def __init__(self, *, registry: Registry, started_at: datetime) -> None:
        """Take when this process started, by the database's clock."""
        self._registry = registry
        self._started_at = started_at

    def plans(self, task: Task) -> bool:
        """Whether a newer version planned a task, which this one cannot do."""
        is_unknown = self._registry.stored_action(task.action).is_removed
        return is_unknown and task.created_at > self._started_at
