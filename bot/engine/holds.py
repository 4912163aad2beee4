"""Holding a task until its next try: backoff, a pause that was asked for, a provider down.

Waiting for a provider that is not even asked uses up no tries; it is bounded by time alone.
"""

import random
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from bot.engine.progress import Timing
from connectors.errors import ProviderDownError, RetryLaterError
from connectors.registry import Registry
from storage import outbox
from storage.database import Transaction
from storage.instants import from_now
from storage.tables.goals import Goal, Task

HELD_UP = "held_up"
"""The failure of a task that is tried again: it says why nothing happens, and is over then."""


class Holds:
    """Says what a task holds while it waits."""

    def __init__(self, *, timing: Timing, registry: Registry) -> None:
        self._timing = timing
        self._registry = registry

    async def waiting(
        self, tx: Transaction, goal: Goal, task: Task, error: RetryLaterError
    ) -> dict[str, Any] | None:
        """Return what a task is to hold until its next try; None when it was the last one."""
        if not error.uses_a_try:
            return await self.hold(tx, goal, task, error)
        if task.tries + 1 >= self._timing.max_tries:
            return None
        return {
            "tries": task.tries + 1,
            "held_since": None,
            "not_before": from_now(self.pause_s(task, error.retry_after_s)),
            "failure": held_up(error.message),
        }

    async def hold(
        self, tx: Transaction, goal: Goal, task: Task, error: RetryLaterError
    ) -> dict[str, Any] | None:
        """Return what a task holds while its provider is left alone; None after too long."""
        if not await tx.tasks.hold(task.team_id, task.id, at_most_s=self._timing.down_s):
            return None
        failure = held_up(error.message)
        if isinstance(error, ProviderDownError):
            person = await tx.people.get(goal.team_id, goal.requester_id)
            since = error.since.astimezone(ZoneInfo(person.zone))
            title = self._registry.connector(error.provider).title
            message = f"{title} has not answered since {since:%H:%M %Z}."
            failure = {**held_up(message), "provider": error.provider}
            await outbox.touch(tx, team_id=goal.team_id, noun="home", subject=goal.requester_id)
        return {
            "not_before": from_now(self.pause_s(task, error.retry_after_s)),
            "failure": failure,
        }

    def pause_s(self, task: Task, after_s: float | None) -> float:
        """Return how long to wait: what the provider asked for, or full-jitter backoff."""
        ceiling = self._timing.retry_base_s * 2 ** min(task.tries, 10)
        return after_s if after_s is not None else random.uniform(0, ceiling)  # noqa: S311 -- jitter


def held_up(message: str) -> dict[str, JsonValue]:
    """Return what the card says while a task waits for its next try."""
    return {"code": HELD_UP, "message": f"{message} I try again by myself."}
