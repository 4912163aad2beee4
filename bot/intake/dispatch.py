"""The job that hands stored events to their listeners, in the order of each thread."""

from slack_bolt.async_app import AsyncApp, AsyncBoltRequest

from bot.intake.app import HANDLE_EVENT
from bot.intake.errors import EventFailedError
from storage import outbox
from storage.database import Database, Transaction
from storage.queue import Priority
from storage.tables.slack import InboxEvent, InboxStatus

LEASE_S = 60.0
"""Longer than any listener takes: they write rows and read a profile at most."""

MAX_TRIES = 5

_ABANDONED_SHARE = 1 / 4
"""An event older than this part of a lease that nobody holds has lost its job."""

_OK = 200


class EventDispatcher:
    """Runs the listeners of stored events: each event until it succeeds, at most five times."""

    def __init__(
        self,
        *,
        database: Database,
        bolt: AsyncApp,
        lease_s: float = LEASE_S,
        abandoned_s: float | None = None,
    ) -> None:
        self._database = database
        self._bolt = bolt
        self._lease_s = lease_s
        self._abandoned_s = lease_s * _ABANDONED_SHARE if abandoned_s is None else abandoned_s

    async def handle_event(self, inbox_id: int) -> None:
        """Handle an event, then those that have come to wait behind it in its thread.

        Does nothing when the event is settled, held by another worker, or waits behind an
        earlier one.

        Raises:
            EventFailedError: the listener failed; the job is to be run again.
        """
        due: int | None = inbox_id
        while due is not None:
            async with self._database.transaction() as tx:
                event = await tx.inbox.claim(due, lease_s=self._lease_s)
            if event is None:
                return
            due = await self._handle(event)

    async def sweep(self) -> None:
        """Put events back into the queue whose job was lost."""
        async with self._database.transaction() as tx:
            for inbox_id in await tx.inbox.list_abandoned(older_than_s=self._abandoned_s):
                await tx.defer(HANDLE_EVENT, priority=Priority.INTERACTIVE, inbox_id=inbox_id)

    async def _handle(self, event: InboxEvent) -> int | None:
        """Return the next event of the thread."""
        reference = await self._run(event) if event.tries <= MAX_TRIES else f"inbox-{event.id}"
        async with self._database.transaction() as tx:
            if reference is None:
                return await tx.inbox.settle(event, to=InboxStatus.HANDLED)
            if event.tries >= MAX_TRIES:
                await _apologise(tx, event, reference)
                return await tx.inbox.settle(event, to=InboxStatus.FAILED)
            await tx.inbox.release(event)
        raise EventFailedError(event.id, reference)

    async def _run(self, event: InboxEvent) -> str | None:
        """Return None when the listener succeeded, otherwise the failure's reference."""
        request = AsyncBoltRequest(body=event.body, mode="socket_mode")
        answer = await self._bolt.async_dispatch(request)
        reference = request.context.get("failure_reference")
        if reference is not None:
            return str(reference)
        return None if answer.status == _OK else f"inbox-{event.id}"


async def _apologise(tx: Transaction, event: InboxEvent, reference: str) -> None:
    """Tell the person whose message could not be handled; other events have nobody to tell."""
    inner = event.body["event"]
    channel, ts = inner.get("channel"), inner.get("ts")
    if inner["type"] not in {"message", "app_mention"} or not channel or not ts:
        return
    await outbox.show(
        tx,
        team_id=event.team_id,
        noun="note",
        subject=f"failed:{event.id}",
        channel_id=channel,
        thread_ts=inner.get("thread_ts") or ts,
        data={
            "text": "Something went wrong on my side and I could not read your message. "
            f"Nothing was done. Please send it again; the reference is {reference}."
        },
    )
