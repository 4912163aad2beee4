"""What happens outside: every hint ends in a look through the waiting person's own connection.

A webhook, a poll and the end of a wait only cause a look. Whether a task goes on is decided by
what that look sees, so a forged or stale hint costs one read and moves nothing.
"""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from approvals import permits
from bot.engine.awaits import POLL_AT_LEAST_S, POLL_AT_MOST_S, defer_check, poll_again_in_s
from bot.engine.channels import Channels
from bot.engine.drive import defer_drive
from bot.engine.isolation import Broke, apart, together
from bot.engine.newer import Newer
from bot.engine.wakes import end_wait, give_up
from bot.goals.lifecycle import move_task
from bot.planning.moments import Duration
from bot.planning.plan import WaitEvent
from bot.planning.valid import read_wait
from connectors.errors import ConnectorError, ReconnectRequiredError, RetryLaterError
from connectors.events import Changes, Event, Seen, Sought, Stream
from connectors.execute import Executor, ReadPermit
from connectors.registry import Connector, Registry
from storage.database import Database, Transaction
from storage.queue import Priority
from storage.tables.goals import Goal, TaskStatus
from storage.tables.hooks import Poll
from storage.tables.waits import Wait, WaitEnding

POLLS_AT_ONCE = 20
POLL_CLAIM_S = 180.0
"""How long a replica may take for a poll; then another one does it."""

PATIENCE = timedelta(days=1)
"""How long after its end a wait still tries to take its last look at a provider that is down."""

_log = structlog.get_logger(__name__)


class Happenings:
    """Looks whether awaited events happened, and polls for hints. Every replica runs it."""

    def __init__(
        self,
        *,
        database: Database,
        registry: Registry,
        executor: Executor,
        channels: Channels,
        newer: Newer,
    ) -> None:
        self._database = database
        self._registry = registry
        self._executor = executor
        self._channels = channels
        self._newer = newer

    async def check_wait(self, team_id: str, wait_id: int) -> None:
        """Look whether what a wait waits for happened; let its task go on, or not."""
        async with self._database.reading() as tx:
            wait = await tx.waits.find(team_id, wait_id)
            if wait is None or wait.ended_at is not None or wait.event is None:
                return
            event = self._registry.find_event(wait.event)
            connection = await tx.connections.find(team_id, wait.person_id, wait.connector or "")
        if event is None:
            if not self._newer.may_know(wait.started_at):
                await self._give_up(wait, "removed", _REMOVED)
            return
        if connection is None:
            await self._ask_again(wait)
            return
        try:
            seen = await self._executor.check_event(
                _permit(team_id, wait.person_id, connection.id),
                event,
                Sought(wait.subject or "", wait.value, wait.cursor),
            )
        except ReconnectRequiredError:
            await self._ask_again(wait)
        except RetryLaterError as error:
            await self._not_seen(wait, error)
        except ConnectorError as error:
            await self._give_up(wait, error.code, error.message)
        else:
            await self._saw(wait, event, seen)

    async def poll_due(self) -> int:
        """Poll the streams whose turn it is; return how many this replica took.

        One that breaks, or that an upgrade removed, keeps no other from its turn.
        """
        async with self._database.transaction() as tx:
            polls = await tx.hooks.claim_polls(lease_s=POLL_CLAIM_S, limit=POLLS_AT_ONCE)
        await together(*[self._take(poll) for poll in polls])
        return len(polls)

    async def _take(self, poll: Poll) -> None:
        connector = self._registry.stored_connector(poll.connector)
        stream = connector.find_stream(poll.stream)
        work = self._lose(poll) if stream is None else self._poll(poll, connector, stream)
        about = {"connector": poll.connector, "stream": poll.stream}
        if isinstance(await apart(work, **about), Broke):
            async with self._database.transaction() as tx:
                cursor = poll.cursor or None
                await tx.hooks.finish_poll(poll, cursor=cursor, again_in_s=POLL_AT_MOST_S)

    async def _lose(self, poll: Poll) -> None:
        """Give up what waits for events of a stream that is gone; poll it no more.

        An event that comes in another stream by now is waited for there. What only a newer
        version knows is left to it.
        """
        async with self._database.transaction() as tx:
            waits = await tx.waits.list_awaiting(
                poll.team_id, poll.connector, subjects=None, person_id=poll.person_id
            )
            for wait in waits:
                await self._move_stream(tx, poll, wait)
            unknown = [wait for wait in waits if not self._registry.find_event(wait.event or "")]
            theirs = [wait for wait in unknown if self._newer.may_know(wait.started_at)]
            if theirs:
                cursor = poll.cursor or None
                await tx.hooks.finish_poll(poll, cursor=cursor, again_in_s=POLL_AT_LEAST_S)
            else:
                await tx.hooks.drop_poll(poll)
        for wait in unknown:
            if wait not in theirs:
                await self._give_up(wait, "removed", _REMOVED)

    async def _move_stream(self, tx: Transaction, poll: Poll, wait: Wait) -> None:
        event = self._registry.find_event(wait.event or "")
        if event is not None:
            await tx.hooks.want_poll(
                connection_id=poll.connection_id,
                stream=event.stream,
                team_id=poll.team_id,
                person_id=poll.person_id,
                connector=poll.connector,
                within_s=POLL_AT_LEAST_S,
            )

    async def _poll(self, poll: Poll, connector: Connector, stream: Stream) -> None:
        permit = _permit(poll.team_id, poll.person_id, poll.connection_id)
        events = [event.name for event in connector.events if event.stream == poll.stream]
        async with self._database.transaction() as tx:
            waits = await tx.waits.list_awaiting(
                poll.team_id, poll.connector, subjects=None, person_id=poll.person_id, events=events
            )
            is_dropped = not waits and await tx.hooks.drop_poll(poll)
            now = await tx.waits.now()
        if not waits:
            if is_dropped:
                await self._channels.close(poll, stream, permit)
            return
        again_in_s = poll_again_in_s(min((now - wait.started_at).total_seconds() for wait in waits))
        if await self._channels.keep(poll, stream, permit):
            again_in_s = POLL_AT_MOST_S
        try:
            changes = await self._executor.poll(permit, poll.connector, stream, poll.cursor)
        except ReconnectRequiredError:
            # The look finds out what is missing, and its requester is asked for it.
            changes, again_in_s = Changes(None, poll.cursor or {}), POLL_AT_MOST_S
        except ConnectorError as error:
            _log.info("poll_failed", connector=poll.connector, code=error.code)
            changes = Changes(frozenset(), poll.cursor or {})
        await self._polled(poll, waits, changes, again_in_s=again_in_s)

    async def _polled(
        self, poll: Poll, waits: Sequence[Wait], changes: Changes, *, again_in_s: float
    ) -> None:
        """Have looked at what may have changed, and what was owed; say when to poll again."""
        # What happened between a wait's own first look and the first cursor, no poll can tell.
        is_first = not poll.cursor
        async with self._database.transaction() as tx:
            for wait in waits:
                is_owed = wait.hinted_at is not None
                if (
                    is_owed
                    or is_first
                    or changes.subjects is None
                    or wait.subject in changes.subjects
                ):
                    await defer_check(tx, wait)
            await tx.hooks.finish_poll(poll, cursor=changes.cursor or None, again_in_s=again_in_s)

    async def _saw(self, wait: Wait, event: Event, seen: Seen) -> None:
        async with self._database.transaction() as tx:
            goal = await tx.goals.lock(wait.team_id, wait.goal_id)
            if seen.happened:
                await end_wait(tx, goal, wait, ending=WaitEnding.HAPPENED)
                return
            if seen.cursor != wait.cursor or wait.hinted_at is not None:
                await tx.waits.remember(wait, cursor=seen.cursor)
            if wait.due_at <= await tx.waits.now():
                what = event.words(wait.value)
                message = f"I waited {await _length(tx, wait)} until {what}; it did not happen."
                await give_up(tx, goal, wait, code="in_vain", message=message)

    async def _not_seen(self, wait: Wait, error: RetryLaterError) -> None:
        """Leave a wait as it is: the look stays owed, and the next poll asks for it again."""
        async with self._database.transaction() as tx:
            goal = await tx.goals.lock(wait.team_id, wait.goal_id)
            if wait.due_at + PATIENCE <= await tx.waits.now():
                await give_up(tx, goal, wait, code=error.code, message=error.message)

    async def _give_up(self, wait: Wait, code: str, message: str) -> None:
        async with self._database.transaction() as tx:
            goal = await tx.goals.lock(wait.team_id, wait.goal_id)
            await give_up(tx, goal, wait, code=code, message=message)

    async def _ask_again(self, wait: Wait) -> None:
        """Break a wait off: its task is ready again, so that its requester is asked to connect."""
        async with self._database.transaction() as tx:
            goal: Goal = await tx.goals.lock(wait.team_id, wait.goal_id)
            task = await tx.tasks.find(wait.team_id, wait.task_id)
            if task is not None and task.status is TaskStatus.WAITING:
                await move_task(tx, task, to=TaskStatus.READY)
                await defer_drive(tx, goal.team_id, goal.id, priority=Priority.BACKGROUND)


_REMOVED = "I cannot wait for this any more since I was upgraded. Please ask again."


def _permit(team_id: str, person_id: str, connection_id: int) -> ReadPermit:
    return permits.read_permit(
        team_id=team_id, requester_id=person_id, connection_id=connection_id, purpose="event"
    )


async def _length(tx: Transaction, wait: Wait) -> str:
    """Return how long it was to wait at most, as it was planned."""
    task = await tx.tasks.get(wait.team_id, wait.task_id)
    planned = read_wait(task.spec)
    if isinstance(planned, WaitEvent):
        return Duration.parse(planned.at_most).words()
    return "as long as planned"
