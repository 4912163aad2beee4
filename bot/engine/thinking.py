"""Thinking: a goal whose planner is asked is nobody's to take over while its process lives."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import TypeVar

from storage.database import Database
from storage.errors import DatabaseAwayError

T = TypeVar("T")

BEATS = 3.0
"""How often a goal is touched before the sweeper would take it for lost."""


async def think(
    work: Awaitable[T], database: Database, *, team_id: str, goal_id: int, stale_s: float
) -> T:
    """Return what `work` returns; the sweeper asks no second planner about the goal meanwhile.

    A process that dies stops touching the goal, which is found lost after `stale_s` then.

    Args:
        work: a request to a model, which may take minutes.
        database: where the goal is.
        team_id: whose goal.
        goal_id: which one.
        stale_s: after how long without a touch the sweeper takes a goal for lost.
    """
    is_done = asyncio.Event()
    beats = asyncio.create_task(_beat(is_done, database, team_id, goal_id, stale_s / BEATS))
    try:
        return await work
    finally:
        is_done.set()
        await beats


async def _beat(
    is_done: asyncio.Event, database: Database, team_id: str, goal_id: int, every_s: float
) -> None:
    while not is_done.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(is_done.wait(), every_s)
            return
        # Without a database nobody sweeps either.
        with suppress(DatabaseAwayError):
            async with database.transaction() as tx:
                await tx.goals.touch(team_id, goal_id)
