import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from connectors.errors import (
    ConnectorError,
    OutcomeUnknownError,
    ReconnectRequiredError,
    RejectedError,
    RetryLaterError,
)
from connectors.http import ConnectionHttp, read_retry_after
from connectors.manifest import RateLimit
from storage.database import Database
from storage.instants import Deadline, elapsed_s
from storage.tables.connections import Connection, ConnectionStatus
from tests.connectors.plumbing import HUBSPOT, Plumbing, settings_at
from tests.support.raw_server import (
    Handler,
    RawRequest,
    RawServer,
    answer,
    close_unanswered,
    respond,
    serve_raw,
)


class World:
    """A provider that answers as told, and Dana's connection to it."""

    def __init__(self, server: RawServer, plumbing: Plumbing, connection: Connection) -> None:
        self.server = server
        self.plumbing = plumbing
        self.connection = connection

    def http(self, *, send_before: Deadline | None = None) -> ConnectionHttp:
        return self.plumbing.http(self.connection, send_before=send_before)

    async def status(self) -> ConnectionStatus:
        return (await self.plumbing.reread(self.connection)).status


@asynccontextmanager
async def world(
    database: Database, handle: Handler, *, limit: RateLimit | None = None
) -> AsyncIterator[World]:
    manifest = HUBSPOT if limit is None else HUBSPOT.model_copy(update={"rate_limit": limit})
    async with serve_raw(handle) as server:
        plumbing = Plumbing(database, settings_at(server.url, manifest))
        yield World(server, plumbing, await plumbing.store())
        await plumbing.close()


async def test_request_carries_the_persons_token(database: Database) -> None:
    """A call is made with the person's own token, whatever headers the connector wants."""  # S7
    async with world(database, answer({"ok": True})) as here:
        response = await here.http().request(
            "POST", "/crm?x=1", json={"a": 1}, headers={"authorization": "other", "x-key": "k"}
        )
        assert (response.status_code, response.json()) == (200, {"ok": True})
        request = here.server.requests[0]
        assert request.headers["authorization"] == "Bearer access-1"
        assert (request.method, request.path, request.body) == ("POST", "/crm?x=1", b'{"a":1}')
        assert request.headers["x-key"] == "k"


@pytest.mark.parametrize("status", [200, 204, 400, 403, 404, 409, 412, 422])
async def test_other_statuses_are_the_connectors_to_read(database: Database, status: int) -> None:
    """What a provider says about the call itself is passed on as it is."""
    async with world(database, answer({}, status=status)) as here:
        assert (await here.http().request("POST", "/x", json={})).status_code == status


async def half(_request: RawRequest, writer: asyncio.StreamWriter) -> None:
    """Answer half of what is promised, and close."""
    respond(writer, b"x", headers={"Content-Length": "100"})
    writer.close()


FAILURES: dict[str, tuple[Handler, type[ConnectorError], type[ConnectorError]]] = {
    # handler, what a write becomes, what a read becomes
    "500": (answer(status=500), OutcomeUnknownError, RetryLaterError),
    "502": (answer(status=502), OutcomeUnknownError, RetryLaterError),
    "503": (
        answer(status=503, headers={"Retry-After": "2"}),
        OutcomeUnknownError,
        RetryLaterError,
    ),
    "504": (answer(status=504), OutcomeUnknownError, RetryLaterError),
    "408": (answer(status=408), OutcomeUnknownError, RetryLaterError),
    "425": (answer(status=425), RetryLaterError, RetryLaterError),
    "429": (answer(status=429), RetryLaterError, RetryLaterError),
    "no answer": (close_unanswered, OutcomeUnknownError, RetryLaterError),
    "half an answer": (half, OutcomeUnknownError, RetryLaterError),
    "packed answer": (
        answer(b"xx", headers={"Content-Encoding": "br"}),
        OutcomeUnknownError,
        RetryLaterError,
    ),
}


@pytest.mark.parametrize(("handle", "write", "read"), FAILURES.values(), ids=FAILURES.keys())
async def test_failure_after_sending_is_unknown_for_writes_only(
    database: Database,
    handle: Handler,
    write: type[ConnectorError],
    read: type[ConnectorError],
) -> None:
    """A write that left and was not refused may have taken effect; a read is just repeated."""
    for method, reads, expected in (
        ("POST", False, write),
        ("PATCH", False, write),
        ("DELETE", False, write),
        ("GET", False, read),
        ("POST", True, read),
    ):
        async with world(database, handle) as here:
            with pytest.raises(expected):
                await here.http().request(method, "/x", reads=reads)
            assert len(here.server.requests) == 1


async def test_refused_connection_is_retried_later_even_for_a_write(database: Database) -> None:
    """Where nothing could be sent, nothing happened."""
    async with world(database, answer()) as here:
        pass
    plumbing = Plumbing(database, *here.plumbing.providers.values())
    connection = await plumbing.store()
    with pytest.raises(RetryLaterError, match="cannot be reached"):
        await plumbing.http(connection).request("POST", "/x", json={})
    await plumbing.close()


async def test_write_after_the_lease_is_not_sent(database: Database) -> None:
    """Take-over waits for the lease's end; nothing may leave after it."""
    async with world(database, answer()) as here:
        over = Deadline(elapsed_s() - 1)
        with pytest.raises(RetryLaterError, match="time left"):
            await here.http(send_before=over).request("POST", "/x", json={})
        soon = Deadline(elapsed_s() + 30)
        await here.http(send_before=soon).request("POST", "/y", json={})
        assert [request.path for request in here.server.requests] == ["/y"]


async def test_429_pauses_the_connection_as_long_as_asked(database: Database) -> None:
    """Whoever was asked to slow down does not even try until then."""
    handler = answer(status=429, headers={"Retry-After": "7"})
    async with world(database, handler) as here:
        with pytest.raises(RetryLaterError) as first:
            await here.http().request("GET", "/x")
        assert first.value.retry_after_s == 7
        with pytest.raises(RetryLaterError) as second:
            await here.http().request("GET", "/x")
        assert 6 < (second.value.retry_after_s or 0) <= 7
        assert len(here.server.requests) == 1


async def test_requests_of_one_person_are_spread_over_time(database: Database) -> None:
    """The manifest's rate holds without a single 429."""
    limit = RateLimit(requests=2, per_s=0.2)
    async with world(database, answer({}), limit=limit) as here:
        started = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(here.http().request("GET", "/x"))
        assert asyncio.get_running_loop().time() - started >= 0.25


def accepts(*tokens: str) -> Handler:
    """Return a handler that knows these access tokens, and renews to `access-2`."""

    async def handle(request: RawRequest, writer: asyncio.StreamWriter) -> None:
        if request.path.endswith("/token"):
            body = b'{"access_token": "access-2", "refresh_token": "refresh-2", "expires_in": 60}'
            respond(writer, body)
        elif request.headers["authorization"].removeprefix("Bearer ") in tokens:
            respond(writer, b"{}")
        else:
            respond(writer, b"{}", status=401)

    return handle


async def test_401_renews_the_token_and_tries_once_more(database: Database) -> None:
    """A refused token is renewed once, and the write is sent again: it was not done."""
    async with world(database, accepts("access-2")) as here:
        response = await here.http().request("POST", "/x", json={})
        assert response.status_code == 200
        paths = [request.path for request in here.server.requests]
        assert paths == ["/x", "/oauth/2026-09/token", "/x"]
        assert await here.status() is ConnectionStatus.CONNECTED


async def test_second_401_asks_the_person_to_connect_again(database: Database) -> None:
    """A fresh token that is refused too ends the connection, visibly and without a loop."""
    async with world(database, accepts()) as here:
        with pytest.raises(ReconnectRequiredError) as caught:
            await here.http().request("GET", "/x")
        assert caught.value.provider == "hubspot"
        assert await here.status() is ConnectionStatus.RECONNECT
        assert len(here.server.requests) == 3
        here.connection = await here.plumbing.reread(here.connection)
        with pytest.raises(ReconnectRequiredError):
            await here.http().request("GET", "/x")
        assert len(here.server.requests) == 3


async def test_path_cannot_lead_to_another_host(database: Database) -> None:
    """Whatever a connector makes of an argument, the token stays with its provider."""  # S30
    async with world(database, answer({})) as here:
        with pytest.raises(RejectedError):
            await here.http().request("GET", "@evil.example/x")
        assert here.server.requests == []


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(None, None), ("7", 7.0), (" 2.5 ", 2.5), ("soon", None), ("-3", None), ("", None)],
)
def test_retry_after_is_read_leniently(value: str | None, seconds: float | None) -> None:
    """Seconds are taken, nonsense is no instruction."""
    assert read_retry_after(value) == seconds


def test_retry_after_may_be_a_date() -> None:
    """A date is turned into the seconds until then; one in the past into none."""
    now = datetime.now(UTC)
    assert (read_retry_after(format_datetime(now + timedelta(seconds=60), usegmt=True)) or 0) > 55
    assert read_retry_after(format_datetime(now - timedelta(days=1), usegmt=True)) == 0
