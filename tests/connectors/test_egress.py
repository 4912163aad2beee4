import asyncio
import datetime as dt
import gzip
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.egress import (
    MAX_BODY_BYTES,
    TOTAL_TIMEOUT_S,
    Egress,
    Sent,
    UnreadableAnswerError,
    send,
)
from connectors.errors import RejectedError, RetryLaterError
from connectors.settings import ProviderSettings
from storage.instants import Deadline, elapsed_s
from tests.connectors.plumbing import HUBSPOT, settings_at
from tests.support.raw_server import Handler, RawRequest, RawServer, answer, respond, serve_raw


@asynccontextmanager
async def reach(
    handle: Handler, *, timeout_s: float = TOTAL_TIMEOUT_S
) -> AsyncIterator[tuple[RawServer, httpx2.AsyncClient]]:
    """Serve, and give a client that may reach exactly this server."""
    async with serve_raw(handle) as server:
        settings = settings_at(server.url)
        egress = Egress([settings], timeout_s=timeout_s)
        try:
            async with egress.client(settings) as client:
                yield server, client
        finally:
            await egress.close()


async def get(client: httpx2.AsyncClient, url: str) -> httpx2.Response:
    headers = {"authorization": "Bearer canary-token", "cookie": "a=b"}
    return await send(client, client.build_request("GET", url, headers=headers), watch=Sent())


async def test_host_that_is_not_on_the_list_is_refused_before_connecting() -> None:
    """A provider is reached at its own hosts only."""  # S30
    async with reach(answer()) as (_server, client):
        with pytest.raises(RejectedError, match="not its own"):
            await get(client, "https://evil.example/")


async def test_plain_http_is_refused_unless_configured_on_this_machine() -> None:
    """Without TLS only what the configuration names on this machine is reached."""  # S30
    async with reach(answer()) as (_server, client):
        with pytest.raises(RejectedError, match="not its own"):
            await get(client, "http://api.hubapi.com/")


async def test_other_port_of_this_machine_is_refused() -> None:
    """Naming one local port opens no other one."""  # S30
    async with serve_raw(answer()) as other, reach(answer()) as (_server, client):
        with pytest.raises(RejectedError, match="not its own"):
            await get(client, other.url)
        assert other.connections == 0


async def test_listed_host_at_a_private_address_is_not_connected() -> None:
    """A vendor's name that suddenly leads inside is not followed there (DNS rebinding)."""  # S30

    async def resolve(_host: str, _port: int) -> list[str]:
        return ["169.254.169.254"]

    settings = ProviderSettings.of(HUBSPOT)
    egress = Egress([settings], resolve=resolve)
    async with egress.client(settings) as client:
        with pytest.raises(httpx2.ConnectError, match="not at a public address"):
            await get(client, "https://api.hubapi.com/")
    await egress.close()


async def test_proxy_of_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the environment can lead requests through somebody else."""  # S30
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with reach(answer({"ok": True})) as (server, client):
        assert (await get(client, server.url)).json() == {"ok": True}


async def test_redirects_are_followed_three_times_only() -> None:
    """A chain of redirects ends."""  # S30

    async def redirect(_request: RawRequest, writer: asyncio.StreamWriter) -> None:
        respond(writer, b"", status=302, headers={"Location": "/next"})

    async with reach(redirect) as (server, client):
        with pytest.raises(RejectedError, match="too often"):
            await get(client, server.url)
        assert len(server.requests) == 4


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "http://169.254.169.254/", "file:///etc/passwd"]
)
async def test_redirect_to_another_host_is_refused(target: str) -> None:
    """Every redirect is checked like the first request."""  # S30
    async with reach(answer(status=302, headers={"Location": target})) as (server, client):
        with pytest.raises(RejectedError):
            await get(client, server.url)
        assert len(server.requests) == 1


async def test_redirect_across_origins_leaves_credentials_behind() -> None:
    """A token goes to the origin that it was sent to, not where that one points."""  # S30
    async with serve_raw(answer({"ok": True})) as other:

        async def redirect(_request: RawRequest, writer: asyncio.StreamWriter) -> None:
            respond(writer, b"", status=307, headers={"Location": f"{other.url}/there"})

        async with serve_raw(redirect) as first:
            settings = ProviderSettings.of(HUBSPOT, api_url=first.url, auth_url=other.url)
            egress = Egress([settings])
            async with egress.client(settings) as client:
                assert (await get(client, first.url)).json() == {"ok": True}
            await egress.close()
            assert "authorization" in first.requests[0].headers
        assert other.requests[0].path == "/there"
        assert not {"authorization", "cookie"} & set(other.requests[0].headers)


async def test_redirect_of_a_write_is_an_answer() -> None:
    """A write is never sent a second time because somebody pointed elsewhere."""
    handler = answer(status=307, headers={"Location": "/again"})
    async with reach(handler) as (server, client):
        request = client.build_request("POST", server.url, json={})
        response = await send(client, request, watch=Sent())
        assert (response.status_code, len(server.requests)) == (307, 1)


async def test_answer_over_the_cap_is_not_read_on() -> None:
    """An endless answer costs no more than the cap."""  # S30
    async with reach(answer(b"x" * (MAX_BODY_BYTES + 1))) as (server, client):
        with pytest.raises(UnreadableAnswerError, match="too large"):
            await get(client, server.url)


async def test_packed_answer_is_refused() -> None:
    """We ask for plain answers; a packed one could be a bomb."""  # S30
    bomb = gzip.compress(b"0" * 100_000)
    async with reach(answer(bomb, headers={"Content-Encoding": "gzip"})) as (server, client):
        with pytest.raises(UnreadableAnswerError, match="packed"):
            await get(client, server.url)
        assert server.requests[0].headers["accept-encoding"] == "identity"


async def test_answer_that_drips_is_given_up() -> None:
    """The whole exchange has an end, however often a byte arrives."""  # S30

    async def drip(_request: RawRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with reach(drip, timeout_s=0.2) as (server, client):
        with pytest.raises(httpx2.ReadTimeout):
            await get(client, server.url)


async def test_cookie_of_one_answer_is_not_sent_with_the_next() -> None:
    """People share sockets, never a session."""  # S37
    async with reach(answer({}, headers={"Set-Cookie": "session=dana"})) as (server, client):
        for _ in range(2):
            await send(client, client.build_request("GET", server.url), watch=Sent())
        assert [request.headers.get("cookie") for request in server.requests] == [None, None]


async def test_lease_that_ended_while_connecting_sends_nothing() -> None:
    """The lease is checked after connecting: the server sees a connection, but no request."""
    async with reach(answer()) as (server, client):
        watch = Sent(send_before=Deadline(elapsed_s()))
        with pytest.raises(RetryLaterError, match="time left"):
            await send(client, client.build_request("POST", server.url, json={}), watch=watch)
        await asyncio.sleep(0.05)
        assert (server.connections, server.requests, watch.has_left) == (1, [], False)


async def test_pinned_address_must_prove_the_name(tmp_path: Path) -> None:
    """We connect to an address, but TLS is checked against the name."""  # S30
    certificate = _certificate(tmp_path, "api.hubapi.com")

    async def resolve(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(certificate)
    trusted = ssl.create_default_context(cafile=certificate)
    async with serve_raw(answer({"ok": True}), ssl_context=served) as server:
        for name, is_right in (("api.hubapi.com", True), ("app.hubspot.com", False)):
            settings = ProviderSettings.of(HUBSPOT)
            opened = frozenset({f"{name}:{server.port}"})
            egress = Egress([_local(settings, opened)], resolve=resolve, context=trusted)
            async with egress.client(settings) as client:
                url = f"https://{name}:{server.port}/"
                if is_right:
                    assert (await get(client, url)).json() == {"ok": True}
                else:
                    with pytest.raises(httpx2.ConnectError, match="certificate"):
                        await get(client, url)
            await egress.close()


def _local(settings: ProviderSettings, local: frozenset[str]) -> ProviderSettings:
    fields = {name: getattr(settings, name) for name in settings.__slots__}
    return ProviderSettings(**fields | {"local": local})


def _certificate(folder: Path, name: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    alternatives = x509.SubjectAlternativeName(
        [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(alternatives, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
