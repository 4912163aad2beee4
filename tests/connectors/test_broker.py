import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import psycopg
import pytest

from connectors.breaker import BreakerTiming
from connectors.errors import ProviderDownError, ReconnectRequiredError, RetryLaterError
from connectors.tokens import Tokens
from storage.crypto import Vault
from storage.database import Database
from storage.errors import DecryptionError
from storage.tables.connections import Connection, ConnectionStatus
from tests.connectors.plumbing import DANA, DEALS, MO, Plumbing, settings_at
from tests.connectors.refresh_worker import CALLS, PROCESSES
from tests.connectors.standins import Running, connect
from tests.support.raw_server import RawRequest, answer, respond, serve_raw

TOKEN_PATH = "/oauth/2026-09/token"


@pytest.fixture
async def plumbing(database: Database, hubspot: Running) -> AsyncIterator[Plumbing]:
    """Everything on Dana's side of HubSpot's stand-in."""
    made = Plumbing(database, settings_at(hubspot.url))
    yield made
    await made.close()


async def connected(
    plumbing: Plumbing, hubspot: Running, *, lives_s: float = 3600, person_id: str = DANA
) -> Connection:
    """Store a real grant; as far as we know it lives so long."""
    account = f"{person_id.removeprefix('U-').lower()}@northwind.example"
    token = await connect(hubspot, "oauth", DEALS, account=account)
    return await plumbing.store(
        access=token["access_token"],
        refresh=token["refresh_token"],
        lives_s=lives_s,
        person_id=person_id,
    )


async def refreshes(hubspot: Running) -> int:
    """Return how often the token end point was asked by something else than a consent."""
    paths = [entry["path"] for entry in (await hubspot.look("log"))["requests"]]
    return paths.count(TOKEN_PATH) - paths.count("/oauth/authorize") // 2


async def test_forty_calls_in_four_processes_refresh_once(
    database: Database, hubspot: Running
) -> None:
    """However many need a new token, one asks for it and the others use what it saved."""  # S25
    key = Vault.generate_key()
    plumbing = Plumbing(database, settings_at(hubspot.url), key=key)
    expired_here = await connected(plumbing, hubspot, lives_s=-1)
    refused_there = await connected(plumbing, hubspot, person_id=MO)
    await hubspot.control("expire-tokens")
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.connectors.refresh_worker",
        *(database.url, hubspot.url, key, str(expired_here.id), str(refused_there.id)),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await worker.communicate()
    assert json.loads(output) == [["200"] * 2 * CALLS] * PROCESSES
    assert await refreshes(hubspot) == 2
    for connection in (expired_here, refused_there):
        stored = await plumbing.reread(connection)
        assert (stored.version, stored.status) == (2, ConnectionStatus.CONNECTED)
    await plumbing.close()


async def test_rotated_token_is_saved_and_used_next_time(
    plumbing: Plumbing, hubspot: Running
) -> None:
    """Each refresh goes on from the last one's refresh token, or the family would be revoked."""
    connection = await connected(plumbing, hubspot)
    settings = plumbing.providers["hubspot"]
    for version in (1, 2, 3):
        before = plumbing.broker.open(await plumbing.reread(connection))
        lent = await plumbing.broker.lend(connection, settings, rejected=version)
        after = plumbing.broker.open(await plumbing.reread(connection))
        assert (lent.version, lent.access) == (version + 1, after.access)
        assert after.refresh != before.refresh


async def test_revoked_grant_asks_the_person_to_connect_again(
    plumbing: Plumbing, hubspot: Running
) -> None:
    """A 400 of the token end point ends the connection, with an audit row."""  # S25
    connection = await connected(plumbing, hubspot, lives_s=-1)
    await hubspot.control("revoke-grants", {"email": "dana@northwind.example"})
    settings = plumbing.providers["hubspot"]
    for _ in range(2):
        with pytest.raises(ReconnectRequiredError) as caught:
            await plumbing.broker.lend(connection, settings)
        assert caught.value.provider == "hubspot"
    assert (await plumbing.reread(connection)).status is ConnectionStatus.RECONNECT
    assert [row.tag for row in await plumbing.audit_rows()] == ["broker:connection:reconnect"]
    assert await refreshes(hubspot) == 1


@pytest.mark.parametrize("kind", ["429", "500", "reset_before"])
async def test_passing_failure_leaves_the_stored_token_alone(
    plumbing: Plumbing, hubspot: Running, kind: str
) -> None:
    """A provider's bad minute never costs a token, and the next try may refresh at once."""  # S25
    connection = await connected(plumbing, hubspot, lives_s=-1)
    before = await plumbing.reread(connection)
    settings = plumbing.providers["hubspot"]
    await hubspot.control("faults", {"match": {"path_prefix": TOKEN_PATH}, "kind": kind})
    with pytest.raises(RetryLaterError):
        await plumbing.broker.lend(connection, settings)
    after = await plumbing.reread(connection)
    assert (after.secret, after.version, after.status) == (
        before.secret,
        before.version,
        ConnectionStatus.CONNECTED,
    )
    assert (await plumbing.broker.lend(connection, settings)).version == 2


NO_TOKENS = {
    "HubSpot's error": ({"status": "BAD_REFRESH_TOKEN", "message": "x"}, 403),
    "no token": ({"ok": True}, 200),
    "empty token": ({"access_token": ""}, 200),
    "no object": (["access_token"], 200),
    "no JSON": (b"<html>busy</html>", 200),
    "created": ({"access_token": "a"}, 201),
    "wrong type": ({"access_token": 7}, 200),
}


@pytest.mark.parametrize(("body", "status"), NO_TOKENS.values(), ids=NO_TOKENS.keys())
async def test_answer_without_a_token_is_never_stored(
    database: Database, body: object, status: int
) -> None:
    """Only 200 with an access token is a token, whatever else an answer looks like."""  # S25
    async with serve_raw(answer(body, status=status)) as server:
        plumbing = Plumbing(database, settings_at(server.url))
        connection = await plumbing.store(lives_s=-1)
        with pytest.raises(RetryLaterError):
            await plumbing.broker.lend(connection, plumbing.providers["hubspot"])
        stored = await plumbing.reread(connection)
        assert plumbing.broker.open(stored) == Tokens(access="access-1", refresh="refresh-1")
        assert stored.lease_owner is None
        await plumbing.close()


async def test_refresh_token_stays_where_none_is_given(database: Database) -> None:
    """A provider that does not rotate (Google) keeps its refresh token."""
    async with serve_raw(answer({"access_token": "access-2", "expires_in": 3599})) as server:
        plumbing = Plumbing(database, settings_at(server.url))
        connection = await plumbing.store(lives_s=-1)
        await plumbing.broker.lend(connection, plumbing.providers["hubspot"])
        stored = await plumbing.reread(connection)
        assert plumbing.broker.open(stored) == Tokens(access="access-2", refresh="refresh-1")
        assert stored.expires_at is not None
        assert 3590 < (stored.expires_at - datetime.now(UTC)).total_seconds() < 3600
        await plumbing.close()


async def test_connection_without_refresh_token_ends_with_its_access_token(
    database: Database,
) -> None:
    """Nothing can be renewed without a refresh token: the person is asked, nobody else."""
    async with serve_raw(answer()) as server:
        plumbing = Plumbing(database, settings_at(server.url))
        connection = await plumbing.store(lives_s=-1, refresh=None)
        with pytest.raises(ReconnectRequiredError):
            await plumbing.broker.lend(connection, plumbing.providers["hubspot"])
        assert (await plumbing.reread(connection)).status is ConnectionStatus.RECONNECT
        assert server.requests == []
        await plumbing.close()


async def test_token_of_unknown_life_is_used_until_it_is_refused(database: Database) -> None:
    """Without `expires_in` only the provider can say that a token ended."""
    async with serve_raw(answer()) as server:
        plumbing = Plumbing(database, settings_at(server.url))
        connection = await plumbing.store(lives_s=None)
        lent = await plumbing.broker.lend(connection, plumbing.providers["hubspot"])
        assert (lent.access, server.requests) == ("access-1", [])
        await plumbing.close()


async def test_cancelled_call_does_not_lose_a_rotated_token(database: Database) -> None:
    """Whoever started a refresh may give up; the new token is saved all the same."""  # S25

    async def slow(_request: RawRequest, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        respond(writer, b'{"access_token": "access-2", "refresh_token": "refresh-2"}')

    async with serve_raw(slow) as server:
        plumbing = Plumbing(database, settings_at(server.url))
        connection = await plumbing.store(lives_s=-1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await plumbing.broker.lend(connection, plumbing.providers["hubspot"])
        await plumbing.close()
        stored = await plumbing.reread(connection)
        assert plumbing.broker.open(stored) == Tokens(access="access-2", refresh="refresh-2")


async def test_secret_copied_to_another_person_lends_nothing(
    plumbing: Plumbing, hubspot: Running
) -> None:
    """Rows swapped in the database cannot make Mo act as Dana."""  # S28, S37
    danas = await connected(plumbing, hubspot)
    mos = await plumbing.store(person_id=MO)
    async with plumbing.database.transaction() as tx:
        mos = await tx.connections.connect(
            team_id=mos.team_id,
            person_id=MO,
            provider="hubspot",
            account=mos.account,
            scopes=mos.scopes,
            secret=danas.secret or b"",
            expires_at=mos.expires_at,
        )
    with pytest.raises(DecryptionError):
        plumbing.broker.open(mos)
    with pytest.raises(ReconnectRequiredError):
        await plumbing.broker.lend(mos, plumbing.providers["hubspot"])


async def test_tokens_appear_in_no_log_error_or_audit_row(
    plumbing: Plumbing, hubspot: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """Canaries in a connection are found nowhere but at the provider."""  # S35
    caplog.set_level(logging.DEBUG)
    connection = await plumbing.store(access="canary-access", refresh="canary-refresh", lives_s=-1)
    with pytest.raises(ReconnectRequiredError) as caught:
        await plumbing.http(connection).request("GET", "/crm/objects/2026-09/deals/1")
    audit = await plumbing.audit_rows()
    tokens = plumbing.broker.open(connection)
    seen = f"{caught.value!r} {[row.data for row in audit]} {tokens!r} {tokens} {caplog.text}"
    assert "canary" not in seen


async def test_token_host_that_fails_again_and_again_is_left_alone(
    plumbing: Plumbing, hubspot: Running
) -> None:
    """Renewing obeys the breaker as calls do, and one answer closes it for everybody."""
    stored = await connected(plumbing, hubspot, lives_s=-1)
    failures = BreakerTiming().failures
    fault = {"match": {"path_prefix": TOKEN_PATH}, "kind": "500", "times": failures}
    await hubspot.control("faults", fault)
    settings = plumbing.providers["hubspot"]
    for _ in range(failures):
        with pytest.raises(RetryLaterError) as caught:
            await plumbing.broker.lend(stored, settings)
        assert caught.value.uses_a_try
    before = await refreshes(hubspot)
    with pytest.raises(ProviderDownError, match="does not answer"):
        await plumbing.broker.lend(stored, settings)
    assert await refreshes(hubspot) == before
    with psycopg.connect(plumbing.database.url) as connection:
        connection.execute("UPDATE breakers SET retry_at = now() - interval '1 second'")
    assert (await plumbing.broker.lend(stored, settings)).version == stored.version + 1
    async with plumbing.database.reading() as tx:
        assert await tx.breakers.list_() == []
