"""One person's connection to a running stand-in, through the real HTTP client."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from pydantic import JsonValue

from connectors.actions import Action, Arguments, ReadContext, RunContext
from connectors.breaker import Breakers, Pass
from connectors.broker import Lent, TokenBroker
from connectors.egress import Egress
from connectors.http import HttpClients
from connectors.manifest import Manifest
from connectors.settings import ProviderSettings
from storage.tables.connections import Connection, ConnectionStatus
from tests.connectors.standins import CLIENT_ID, CLIENT_SECRET, Running, connect

DANA = "dana@northwind.example"


class AllWell:
    """Lets every request through: what breakers remember is in a database, which is not here."""

    async def enter(self, host: str, *, provider: str, title: str) -> Pass:
        del title
        return Pass(host, provider, is_probe=False)

    async def leave(self, used: Pass, *, failed: bool) -> None:
        del used, failed


class HeldToken:
    """Lends the token that it was given; leases and renewals are the broker's own tests."""

    def __init__(self, access: str) -> None:
        self._access = access

    async def lend(
        self,
        _connection: Connection,
        _settings: ProviderSettings,
        *,
        rejected: int | None = None,
    ) -> Lent:
        return Lent(self._access, (rejected or 0) + 1)

    async def rest(self, _connection: Connection, *, for_s: float) -> None:
        del for_s


@dataclass(frozen=True, slots=True)
class Frozen:
    """A call as the engine would run it: typed arguments, what was read before, and its key."""

    action: Action
    arguments: Arguments
    run: RunContext

    async def execute(self) -> Any:
        return await self.action.run(self.run, self.arguments)

    async def verify(self) -> Any:
        assert self.action.verify is not None
        return await self.action.verify(self.run, self.arguments)


class Stage:
    """Freezes and runs actions as one person, without engine, gate or storage."""

    def __init__(self, standin: Running, context: ReadContext) -> None:
        self.standin = standin
        self.context = context

    async def freeze(self, action: Action, arguments: dict[str, Any]) -> Frozen:
        """Read what must still hold, ask how a lost reply is settled, and return the call."""
        typed = action.arguments.model_validate(arguments)
        precondition: dict[str, JsonValue] | None = None
        if action.precondition is not None:
            precondition = await action.precondition(self.context, typed)
        idempotency = action.idempotency
        if action.probe is not None:
            idempotency = await action.probe(self.context)
        run = RunContext(
            http=self.context.http,
            account=self.context.account,
            web_url=self.context.web_url,
            key=secrets.token_hex(16),
            idempotency=idempotency,
            precondition=precondition,
        )
        return Frozen(action, typed, run)

    async def run(self, action: Action, arguments: dict[str, Any]) -> Any:
        """Read anew and run once."""
        return await (await self.freeze(action, arguments)).execute()

    async def break_(self, kind: str, *, times: int = 1, method: str | None = None) -> None:
        """Make the next requests fail; without a method, a reply is lost of the next write.

        A write may read first, and a lost reply to that read proves nothing.
        """
        methods = [method]
        if kind == "reset_after_commit" and method is None:
            methods = ["POST", "PATCH", "DELETE"]
        for one in methods:
            match = {} if one is None else {"method": one}
            await self.standin.control("faults", {"kind": kind, "times": times, "match": match})


@asynccontextmanager
async def open_stage(
    standin: Running, manifest: Manifest, *scopes: str, account: str = DANA
) -> AsyncIterator[Stage]:
    """Connect a person through the consent page, with exactly these scopes."""
    token = await connect(standin, *scopes, account=account)
    settings = ProviderSettings.of(
        manifest,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        api_url=standin.url,
        auth_url=standin.url,
        web_url=standin.url,
    )
    connection = Connection(
        id=1,
        team_id="T1",
        person_id="U1",
        provider=manifest.name,
        status=ConnectionStatus.CONNECTED,
        account=account,
        scopes=list(scopes),
        version=1,
    )
    egress = Egress([settings])
    broker = cast("TokenBroker", HeldToken(token["access_token"]))
    try:
        clients = HttpClients(egress=egress, broker=broker, breakers=cast("Breakers", AllWell()))
        http = clients.of(connection, settings, send_before=None)
        yield Stage(standin, ReadContext(http, account, settings.web_url))
    finally:
        await egress.close()
