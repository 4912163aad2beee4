"""What a step that waits will need when its wait is over: asked for before, not weeks later."""

from collections.abc import Sequence

from pydantic import ValidationError

from bot.engine.arguments import fill, missing_required
from bot.engine.prepare import NeedsConnection
from connectors.registry import Registry
from storage.database import Transaction
from storage.tables.connections import ConnectionStatus
from storage.tables.goals import Goal, Task


async def connection_needed_later(
    tx: Transaction, goal: Goal, task: Task, tasks: Sequence[Task], registry: Registry
) -> NeedsConnection | None:
    """Return what its requester must connect so that a task can run after its wait.

    None too where its values are not good: that is said when it runs.
    """
    action = registry.stored_action(task.action)
    manifest = registry.stored_connector(action.connector).manifest
    if manifest is None:
        return None
    resolved = fill(task, tasks, registry)
    if missing_required(resolved, action) is not None:
        return None
    try:
        scopes = action.scopes(action.arguments.model_validate(resolved.arguments))
    except ValidationError:
        return None
    connection = await tx.connections.find(goal.team_id, goal.requester_id, action.connector)
    if connection is not None and connection.status is ConnectionStatus.CONNECTED:
        scopes = manifest.missing(asked=scopes, granted=connection.scopes)
    return NeedsConnection(task, action.connector, scopes) if scopes else None
