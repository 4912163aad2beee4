"""The token broker: a valid access token of one connection, refreshed by one process at a time."""

import asyncio
import secrets
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2

from connectors.breaker import Breakers
from connectors.egress import TOTAL_TIMEOUT_S, Egress
from connectors.errors import ReconnectRequiredError, RetryLaterError
from connectors.settings import ProviderSettings
from connectors.tokens import Grant, TokenEndpoints, Tokens, read_grant
from storage.crypto import Vault
from storage.database import Database
from storage.errors import DecryptionError
from storage.tables.connections import Connection, ConnectionStatus

EARLY_S = 30.0
"""A token is renewed this long before it ends, so that it lives through the call."""

LEASE_S = TOTAL_TIMEOUT_S + 5.0
"""Longer than a token request can take: whoever takes a lease over meets nobody."""

PATIENCE_S = LEASE_S + TOTAL_TIMEOUT_S
_POLL_S = 0.05
_REFUSED = frozenset({400, 401})


@dataclass(frozen=True, slots=True)
class Lent:
    """An access token and the version of the connection that it is from."""

    access: str = field(repr=False)
    version: int


class TokenBroker:
    """Lends access tokens. A rotated refresh token is saved before the new token is used (S25)."""

    def __init__(
        self, *, database: Database, vault: Vault, egress: Egress, breakers: Breakers
    ) -> None:
        self._database = database
        self._vault = vault
        self._endpoints = TokenEndpoints(egress)
        self._breakers = breakers
        self._refreshes: set[asyncio.Task[Lent]] = set()

    async def lend(
        self, connection: Connection, settings: ProviderSettings, *, rejected: int | None = None
    ) -> Lent:
        """Return a token that is valid as far as we know.

        Args:
            connection: whose token, as it was read for this call; read anew where that one is
                refused or about to end.
            settings: where its provider is.
            rejected: the version whose token the provider has just refused, if any.

        Raises:
            ReconnectRequiredError: the provider ended the connection; the person must connect.
            RetryLaterError: the provider cannot be asked now; the stored token is untouched.
            ProviderDownError: its token host has not answered for a while; nothing was sent.
        """
        if rejected is None and _is_live(connection) and not _expiring(connection):
            return Lent(self._open(connection).access, connection.version)
        give_up = asyncio.get_running_loop().time() + PATIENCE_S
        while asyncio.get_running_loop().time() < give_up:
            current = await self._read(connection)
            if current.version != rejected and not _expiring(current):
                return Lent(self._open(current).access, current.version)
            owner = secrets.token_hex(8)
            async with self._database.transaction() as tx:
                won = await tx.connections.claim_refresh(current, owner=owner, lease_s=LEASE_S)
            if won:
                return await self._see_through(self._refresh(current, settings, owner))
            await asyncio.sleep(_POLL_S)
        raise RetryLaterError(f"{settings.manifest.title} did not renew your connection in time.")

    def seal(self, tokens: Tokens, *, team_id: str, person_id: str, provider: str) -> bytes:
        """Return tokens encrypted, to be opened on this person's connection only (S28)."""
        bound_to = f"{team_id}|{person_id}|{provider}"
        return self._vault.seal(tokens.to_bytes(), bound_to=bound_to)

    def open(self, connection: Connection) -> Tokens:
        """Return a connection's tokens.

        Raises:
            DecryptionError: they were sealed for another row, or with another key.
        """
        bound_to = f"{connection.team_id}|{connection.person_id}|{connection.provider}"
        return Tokens.from_bytes(self._vault.open(connection.secret or b"", bound_to=bound_to))

    async def end(self, connection: Connection, *, version: int) -> None:
        """Mark a connection whose fresh token was refused, unless it was renewed meanwhile."""
        async with self._database.reading() as tx:
            current = await tx.connections.get(connection.team_id, connection.id)
        if current.version == version:
            await self._end(current)

    async def rest(self, connection: Connection, *, for_s: float) -> None:
        """Let nothing be sent through a connection for so long, in any process."""
        async with self._database.transaction() as tx:
            await tx.connections.rest(connection, for_s=for_s)

    async def close(self) -> None:
        """Wait for the refreshes that are under way; call it before the database closes."""
        await asyncio.gather(*self._refreshes, return_exceptions=True)

    async def _read(self, connection: Connection) -> Connection:
        async with self._database.reading() as tx:
            current = await tx.connections.get(connection.team_id, connection.id)
        if not _is_live(current):
            raise _reconnect(current)
        return current

    def _open(self, connection: Connection) -> Tokens:
        try:
            return self.open(connection)
        except DecryptionError as error:
            raise _reconnect(connection) from error

    async def _see_through(self, refresh: Coroutine[Any, Any, Lent]) -> Lent:
        """Refresh to the end even if the caller is cancelled.

        A call may run out of time between a rotation at the provider and our commit; stopping
        there would lose the only refresh token that still works.
        """
        task = asyncio.create_task(refresh)
        self._refreshes.add(task)
        task.add_done_callback(self._forget)
        return await asyncio.shield(task)

    def _forget(self, task: asyncio.Task[Lent]) -> None:
        self._refreshes.discard(task)
        if not task.cancelled():
            task.exception()  # Its caller may be gone; asyncio would complain that nobody asked.

    async def _refresh(
        self, connection: Connection, settings: ProviderSettings, owner: str
    ) -> Lent:
        refresh = self._open(connection).refresh
        if refresh is None:
            await self._end(connection)
            raise _reconnect(connection)
        try:
            answer = await self._ask(settings, refresh)
        except RetryLaterError:
            await self._release(connection, owner)
            raise
        if answer.status_code in _REFUSED:
            await self._end(connection)
            raise _reconnect(connection)
        grant = read_grant(answer, refresh=refresh)
        if grant is None:
            await self._release(connection, owner)
            raise RetryLaterError(f"{settings.manifest.title} cannot renew your connection now.")
        await self._save(connection, owner, grant)
        return Lent(grant.tokens.access, connection.version + 1)

    async def _ask(self, settings: ProviderSettings, refresh: str) -> httpx2.Response:
        """Return the answer to a refresh; a token host that does not answer is left alone."""
        manifest = settings.manifest
        host = urlsplit(settings.token_url).netloc
        used = await self._breakers.enter(host, provider=manifest.name, title=manifest.title)
        try:
            answer = await self._endpoints.refresh(settings, refresh)
        except RetryLaterError:
            await self._breakers.leave(used, failed=True)
            raise
        await self._breakers.leave(used, failed=answer.is_server_error)
        return answer

    async def _save(self, connection: Connection, owner: str, grant: Grant) -> None:
        sealed = self.seal(
            grant.tokens,
            team_id=connection.team_id,
            person_id=connection.person_id,
            provider=connection.provider,
        )
        async with self._database.transaction() as tx:
            saved = await tx.connections.save_refresh(
                connection, owner=owner, secret=sealed, expires_at=grant.expires_at
            )
        if not saved:
            raise RetryLaterError("Your connection changed while it was being renewed.")

    async def _release(self, connection: Connection, owner: str) -> None:
        async with self._database.transaction() as tx:
            await tx.connections.release(connection, owner=owner)

    async def _end(self, connection: Connection) -> None:
        async with self._database.transaction() as tx:
            if await tx.connections.mark_reconnect(connection):
                await tx.audit.record(
                    team_id=connection.team_id,
                    tag="broker:connection:reconnect",
                    actor="system",
                    data={"connection": connection.id, "provider": connection.provider},
                )


def _is_live(connection: Connection) -> bool:
    return connection.status is ConnectionStatus.CONNECTED and connection.secret is not None


def _expiring(connection: Connection) -> bool:
    """Whether a token ends so soon that it may not live through a call.

    Of a token that lives shorter than twice the margin, half its life must be over. Judged by this
    machine's own clock: where that is wrong, a token is renewed early, or the provider refuses it
    (401), nothing happens, and it is renewed then.
    """
    if connection.expires_at is None:
        return False
    left_s = (connection.expires_at - datetime.now(UTC)).total_seconds()
    life_s = (connection.expires_at - connection.updated_at).total_seconds()
    return left_s < min(EARLY_S, life_s / 2)


def _reconnect(connection: Connection) -> ReconnectRequiredError:
    return ReconnectRequiredError(
        "Your connection has ended there; connect it again.", provider=connection.provider
    )
