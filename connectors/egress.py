"""The one way out (S30): every request to a provider passes these checks."""

import asyncio
import functools
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore2
import httpx2

from connectors.errors import RejectedError, RetryLaterError
from connectors.network import PinnedBackend, Resolve, resolve
from connectors.settings import ProviderSettings
from storage.instants import Deadline

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 10.0
TOTAL_TIMEOUT_S = 15.0
"""From resolving the name to the last byte of the answer, whatever drips in meanwhile."""

MAX_BODY_BYTES = 5 * 1024 * 1024
MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_STAYS_BEHIND = frozenset({"authorization", "cookie"})
_DROPPED = frozenset({"set-cookie", "content-encoding", "transfer-encoding", "content-length"})
"""Of an answer: what is no longer true of it, and cookies, which would tie people together."""

_USER_AGENT = "Countersign"


@functools.cache
def _default_context() -> ssl.SSLContext:
    """Return what trusts the system's authorities: reading them takes 20 ms, so it is done once."""
    return ssl.create_default_context()


class UnreadableAnswerError(httpx2.TransportError):
    """An answer came, but it is too large or packed in a way we did not ask for."""


class _PinnedTransport(httpx2.AsyncHTTPTransport):
    """httpx's transport on our network backend; it offers no public way to hand one in."""

    def __init__(self, *, backend: PinnedBackend, context: ssl.SSLContext) -> None:
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=context,
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=30.0,
            network_backend=backend,
        )


class GuardedTransport(httpx2.AsyncBaseTransport):
    """The shared connections, for the hosts of one provider only; answers arrive whole."""

    def __init__(
        self, inner: httpx2.AsyncBaseTransport, settings: ProviderSettings, *, timeout_s: float
    ) -> None:
        self._inner = inner
        self._settings = settings
        self._timeout_s = timeout_s

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send to an allowed host, over TLS unless the configuration names it on this machine.

        Raises:
            RejectedError: another host, or no TLS; nothing was sent.
            httpx2.TransportError: no whole answer came, or it is over the caps.
        """
        check_url(request.url, self._settings)
        # A packed answer could be a thousand times its size once unpacked.
        request.headers["accept-encoding"] = "identity"
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._inner.handle_async_request(request)
                try:
                    body = await _read(response)
                finally:
                    await response.aclose()
        except TimeoutError as error:
            raise httpx2.ReadTimeout("the answer took too long") from error
        headers = [pair for pair in response.headers.multi_items() if pair[0] not in _DROPPED]
        return httpx2.Response(response.status_code, headers=headers, content=body)

    async def aclose(self) -> None:
        """Leave the shared connections open: they are the egress's."""


async def _read(response: httpx2.Response) -> bytes:
    packed = response.headers.get("content-encoding", "identity") != "identity"
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if packed or len(body) > MAX_BODY_BYTES:
            message = "the answer is packed" if packed else "the answer is too large"
            raise UnreadableAnswerError(message)
    return bytes(body)


def check_url(url: httpx2.URL, settings: ProviderSettings) -> None:
    """Refuse a URL that this provider may not be reached at.

    Raises:
        RejectedError: its host is not on the list, or it is not https.
    """
    port = url.port or {"https": 443, "http": 80}.get(url.scheme)
    is_local = f"{url.host}:{port}" in settings.local
    if url.host not in settings.hosts or not (url.scheme == "https" or is_local):
        raise RejectedError(
            f"{settings.manifest.title} sent us to an address that is not its own; "
            "nothing was sent there.",
            kind="forbidden",
        )


class Sent:
    """Watches one request: whether anything of it left, and whether it still may."""

    def __init__(self, *, send_before: Deadline | None = None) -> None:
        self.has_left = False
        self._send_before = send_before

    async def trace(self, event: str, _info: dict[str, Any]) -> None:
        """Take httpcore's events; the check comes after connecting, just before sending.

        Raises:
            RetryLaterError: the lease of the attempt is over; nothing was sent.
        """
        if not event.endswith("send_request_headers.started"):
            return
        if self._send_before is not None and self._send_before.is_over:
            raise RetryLaterError("There was not enough time left to send it safely.")
        self.has_left = True


class Egress:
    """Owns the connections to all providers."""

    def __init__(
        self,
        providers: Iterable[ProviderSettings],
        *,
        resolve: Resolve = resolve,
        context: ssl.SSLContext | None = None,
        timeout_s: float = TOTAL_TIMEOUT_S,
    ) -> None:
        local = frozenset(name for settings in providers for name in settings.local)
        self._timeout_s = timeout_s
        self._transport = _PinnedTransport(
            backend=PinnedBackend(local=local, resolve=resolve),
            context=context or _default_context(),
        )

    def transport(self, settings: ProviderSettings) -> GuardedTransport:
        """Return the connections for one provider's hosts."""
        return GuardedTransport(self._transport, settings, timeout_s=self._timeout_s)

    def client(self, settings: ProviderSettings) -> httpx2.AsyncClient:
        """Return a client that reaches only one provider's hosts and follows no redirect."""
        return httpx2.AsyncClient(transport=self.transport(settings), **client_options())

    async def close(self) -> None:
        await self._transport.aclose()


def client_options() -> dict[str, Any]:
    """Return what every client of ours has in common."""
    return {
        "trust_env": False,
        "follow_redirects": False,
        "headers": {"user-agent": _USER_AGENT},
        "timeout": httpx2.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
    }


async def send(
    client: httpx2.AsyncClient, request: httpx2.Request, *, watch: Sent
) -> httpx2.Response:
    """Send and return the whole answer.

    Redirects of GET and HEAD are followed at most `MAX_REDIRECTS` times, each checked like the
    first request; credentials stay behind when the origin changes. Of other methods a redirect
    is an answer like any other: nothing is sent twice.

    Raises:
        RejectedError: a redirect leads elsewhere, or there are too many.
        httpx2.TransportError: as the connection has it; `watch` tells whether anything left.
    """
    for _ in range(MAX_REDIRECTS + 1):
        request.extensions["trace"] = watch.trace
        response = await client.send(request)
        target = response.headers.get("location")
        if (
            request.method not in ("GET", "HEAD")
            or response.status_code not in _REDIRECTS
            or target is None
        ):
            return response
        request = _redirected(client, request, target)
    raise RejectedError("The provider redirected too often; nothing was done.")


def _redirected(
    client: httpx2.AsyncClient, request: httpx2.Request, location: str
) -> httpx2.Request:
    try:
        target = request.url.join(location)
    except httpx2.InvalidURL as error:
        raise RejectedError("The provider redirected to nowhere; nothing was done.") from error
    stays = _STAYS_BEHIND if _origin(target) != _origin(request.url) else frozenset()
    headers = {
        name: value for name, value in request.headers.items() if name not in {"host", *stays}
    }
    return client.build_request(request.method, target, headers=headers)


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
