"""The one function that executes a call (S1), and the reads that prepare or settle one."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from pydantic import JsonValue, ValidationError

from connectors.actions import Action, Arguments, Idempotency, ReadContext, Result, RunContext
from connectors.calls import FrozenCall, key_of
from connectors.errors import (
    HaltedError,
    OutcomeUnknownError,
    PermitRefusedError,
    RejectedError,
    RetryLaterError,
)
from connectors.events import (
    Changes,
    Channel,
    ChannelWanted,
    Cursor,
    Event,
    Seen,
    Sought,
    Stream,
    Unwatch,
    Watch,
)
from connectors.registry import Registry
from storage.database import Database
from storage.instants import Deadline

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Permit:
    """The permission to execute one frozen call once. Only `approvals.permits` makes one."""

    permit_id: int
    call_hash: str
    attempt_id: int


@dataclass(frozen=True, slots=True)
class ReadPermit:
    """The permission to read for a preview, a precondition, a probe or a look-up."""

    team_id: str
    requester_id: str
    connection_id: int | None
    purpose: Literal["precondition", "verify", "probe", "event"]


class Clients(Protocol):
    """Opens a person's own connection; `connectors.clients` is the real one."""

    async def open(
        self,
        *,
        team_id: str,
        person_id: str,
        connection_id: int,
        scopes: frozenset[str],
        send_before: Deadline | None,
    ) -> ReadContext:
        """Return a client of exactly this connection, or refuse.

        Raises:
            ReconnectRequiredError: it is somebody else's, gone, or lacks scopes.
        """
        ...

    async def check(self, provider: str) -> None:
        """Refuse while nothing is sent to a provider because it does not answer.

        Raises:
            ProviderDownError: it is left alone for now.
        """
        ...


class Executor:
    """Runs frozen calls under permits; nothing else in the project calls a connector."""

    def __init__(
        self, *, registry: Registry, clients: Clients, database: Database, timeout_s: float
    ) -> None:
        self._registry = registry
        self._clients = clients
        self._database = database
        self._timeout_s = timeout_s

    async def execute(
        self,
        permit: Permit,
        call: FrozenCall,
        *,
        idempotency: Idempotency,
        send_before: Deadline,
    ) -> Result:
        """Execute exactly `call`, once, and return its typed result.

        Args:
            permit: spent here, on the running attempt that this execution is.
            call: recomputed to the permit's hash before anything else happens.
            idempotency: how this account settles a lost reply.
            send_before: the end of the attempt's lease; nothing is sent later.

        Raises:
            PermitRefusedError: the permit does not cover this call; nothing was sent.
            HaltedError: writes are halted (S39); nothing was sent and the permit is not spent.
            ConnectorError: as its kinds say what to do.
        """
        await self._check(permit, call)
        action = self._registry.stored_action(call.action)
        arguments = arguments_of(action, call)
        context = await self._context(
            action,
            ReadPermit(call.team_id, call.requester_id, call.connection_id, "verify"),
            scopes=action.scopes(arguments),
            send_before=send_before,
        )
        run = RunContext(
            http=context.http,
            account=context.account,
            web_url=context.web_url,
            key=key_of(permit.call_hash),
            idempotency=idempotency,
            precondition=call.precondition,
        )
        return await self._bounded(
            action.run(run, arguments), reads=action.idempotency is Idempotency.READ
        )

    async def check(self, action: Action) -> None:
        """Refuse before anything is frozen or attempted while the action's provider is down.

        Raises:
            ProviderDownError: it is left alone for now.
        """
        if self._registry.connector(action.connector).manifest is not None:
            await self._clients.check(action.connector)

    async def read_precondition(
        self, permit: ReadPermit, action: Action, arguments: Arguments
    ) -> dict[str, JsonValue] | None:
        """Return what must still hold when the call runs; None where nothing must."""
        if action.precondition is None:
            return None
        context = await self._context(action, permit, scopes=action.scopes(arguments))
        return await self._bounded(action.precondition(context, arguments), reads=True)

    async def probe(self, permit: ReadPermit, action: Action, arguments: Arguments) -> Idempotency:
        """Return how this account settles a lost reply of this action."""
        if action.probe is None:
            return action.idempotency
        context = await self._context(action, permit, scopes=action.scopes(arguments))
        return await self._bounded(action.probe(context), reads=True)

    async def verify(
        self, permit: ReadPermit, call: FrozenCall, *, idempotency: Idempotency
    ) -> Result | None:
        """Look up whether `call` took effect: its result, or None when it certainly did not."""
        action = self._registry.stored_action(call.action)
        arguments = arguments_of(action, call)
        if action.verify is None:
            message = "This action cannot be looked up."
            raise OutcomeUnknownError(message)
        context = await self._context(action, permit, scopes=action.scopes(arguments))
        run = RunContext(
            http=context.http,
            account=context.account,
            web_url=context.web_url,
            key=call.key,
            idempotency=idempotency,
            precondition=call.precondition,
        )
        return await self._bounded(action.verify(run, arguments), reads=True)

    async def check_event(self, permit: ReadPermit, event: Event, sought: Sought) -> Seen:
        """Return whether an event happened, seen through the person's own connection."""
        context = await self._open(event.connector, permit, scopes=event.scopes)
        return await self._bounded(event.check(context, sought), reads=True)

    async def poll(
        self, permit: ReadPermit, connector: str, stream: Stream, cursor: Cursor | None
    ) -> Changes:
        """Return what changed in a stream since a cursor: hints, never more."""
        context = await self._open(connector, permit, scopes=stream.scopes)
        return await self._bounded(stream.poll(context, cursor), reads=True)

    async def open_channel(
        self,
        permit: ReadPermit,
        connector: str,
        watch: Watch,
        wanted: ChannelWanted,
        *,
        scopes: frozenset[str],
    ) -> Channel:
        """Let a provider tell when something changes; nothing that a person sees is changed."""
        context = await self._open(connector, permit, scopes=scopes)
        return await self._bounded(watch(context, wanted), reads=True)

    async def close_channel(
        self,
        permit: ReadPermit,
        connector: str,
        unwatch: Unwatch,
        handle: Cursor,
        *,
        scopes: frozenset[str],
    ) -> None:
        """Let a provider tell nothing more on a channel."""
        context = await self._open(connector, permit, scopes=scopes)
        await self._bounded(unwatch(context, handle), reads=True)

    async def _check(self, permit: Permit, call: FrozenCall) -> None:
        """Spend the permit before anything is sent; a second execution finds it spent (S1)."""
        refusal = PermitRefusedError("Nothing ran: this call has no valid permit.")
        of_attempt, hash_ = permit.attempt_id, call.hash
        if permit.call_hash != hash_:
            raise refusal
        # Each statement is committed by itself.
        async with self._database.reading() as tx:
            if await tx.calls.use_permit(
                call.team_id, permit.permit_id, attempt_id=of_attempt, call_hash=hash_
            ):
                return
            if await tx.calls.is_held(
                call.team_id, permit.permit_id, attempt_id=of_attempt, call_hash=hash_
            ):
                raise HaltedError("Everything is halted, so nothing was sent.")
        raise refusal

    async def _context(
        self,
        action: Action,
        permit: ReadPermit,
        *,
        scopes: frozenset[str],
        send_before: Deadline | None = None,
    ) -> ReadContext:
        return await self._open(action.connector, permit, scopes=scopes, send_before=send_before)

    async def _open(
        self,
        connector: str,
        permit: ReadPermit,
        *,
        scopes: frozenset[str],
        send_before: Deadline | None = None,
    ) -> ReadContext:
        if self._registry.connector(connector).manifest is None:
            return ReadContext(http=NoHttp(), account="", web_url="")
        if permit.connection_id is None:
            raise PermitRefusedError("Nothing ran: this call names no connection.")
        return await self._clients.open(
            team_id=permit.team_id,
            person_id=permit.requester_id,
            connection_id=permit.connection_id,
            scopes=scopes,
            send_before=send_before,
        )

    async def _bounded(self, work: Awaitable[T], *, reads: bool) -> T:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await work
        except TimeoutError as error:
            raise _unfinished("It took too long to answer.", reads=reads) from error
        except _UNREADABLE as error:
            raise _unfinished("Its answer could not be read.", reads=reads) from error


_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError)
"""What a connector raises for an answer of a shape that nobody foresaw (pydantic's included)."""


def _unfinished(message: str, *, reads: bool) -> RetryLaterError | OutcomeUnknownError:
    """Return what a call without a usable answer means: a read did nothing, a write may have."""
    return RetryLaterError(message) if reads else OutcomeUnknownError(message)


class NoHttp:
    """The client of built-in actions: there is nothing for them to call."""

    async def request(self, method: str, path: str, **_: object) -> "NoResponse":
        """Refuse.

        Raises:
            PermitRefusedError: always.
        """
        message = f"A built-in action tried to send {method} {path}."
        raise PermitRefusedError(message)


class NoResponse:
    """Never made; it gives `NoHttp.request` the shape of a client."""

    status_code = 0
    headers: dict[str, str] = {}  # noqa: RUF012 -- never written; there is no instance

    def json(self) -> None:
        return None


def arguments_of(action: Action, call: FrozenCall) -> Arguments:
    """Return the typed arguments of a frozen call.

    Raises:
        RejectedError: an upgrade changed the action, so the call means nothing any more.
    """
    if action.version != call.action_version:
        raise RejectedError("This action changed since it was planned; please ask again.")
    try:
        return action.arguments.model_validate(call.arguments)
    except ValidationError as error:
        raise RejectedError(
            "This action's values do not fit it any more; please ask again.", kind="invalid"
        ) from error
