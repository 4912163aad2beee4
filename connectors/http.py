"""The HTTP client of one connection: bearer, one renewal, rate limit, and what a failure means."""

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
from aiolimiter import AsyncLimiter

from connectors.broker import TokenBroker
from connectors.egress import Egress, Sent, send_capped
from connectors.errors import OutcomeUnknownError, ReconnectRequiredError, RetryLaterError
from connectors.settings import ProviderSettings
from storage.tables.connections import Connection

_UNAUTHORIZED = 401
_TOO_MANY = 429
_UNAVAILABLE = 503
_SERVER_ERRORS = range(500, 600)
_SAFE = frozenset({"GET", "HEAD"})
_JSON = "application/json"


class ConnectionHttp:
    """Sends one person's requests to one provider. Implements `connectors.actions.Http`."""

    def __init__(
        self,
        *,
        connection: Connection,
        settings: ProviderSettings,
        broker: TokenBroker,
        client: httpx2.AsyncClient,
        limiter: AsyncLimiter,
        send_before: datetime | None,
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._broker = broker
        self._client = client
        self._limiter = limiter
        self._send_before = send_before

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        json: Any = None,
        headers: dict[str, str] | None = None,
        reads: bool = False,
    ) -> httpx2.Response:
        """Send and return the response of any status but 401, 429 and 5xx.

        A 401 renews the token and tries once more: the provider refused, so nothing happened.
        Of a 5xx only 503 with Retry-After says that nothing was done; for a write any other one
        may have taken effect.

        Raises:
            RetryLaterError: nothing happened: not connected, out of time, 429, or a failed read.
            OutcomeUnknownError: a write was sent and no usable answer came.
            ReconnectRequiredError: the connection ended.
        """
        is_read = reads or method.upper() in _SAFE
        lent = await self._broker.lend(self._connection, self._settings)
        response = await self._send(method, path, params, json, headers, lent.access, is_read)
        if response.status_code == _UNAUTHORIZED:
            lent = await self._broker.lend(self._connection, self._settings, rejected=lent.version)
            response = await self._send(method, path, params, json, headers, lent.access, is_read)
        return self._judge(response, is_read=is_read)

    async def _send(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        json: Any,
        headers: Mapping[str, str] | None,
        token: str,
        is_read: bool,  # noqa: FBT001 -- private, one caller
    ) -> httpx2.Response:
        request = self._client.build_request(
            method,
            f"{self._settings.api_url}{path}",
            params=params,
            json=json,
            headers={"accept": _JSON, **(headers or {}), "authorization": f"Bearer {token}"},
        )
        watch = Sent(send_before=self._send_before)
        try:
            async with self._limiter:
                return await send_capped(self._client, request, watch=watch)
        except httpx2.TransportError as error:
            title = self._settings.manifest.title
            if watch.has_left and not is_read:
                raise OutcomeUnknownError(f"The answer of {title} was lost.") from error
            raise RetryLaterError(f"{title} cannot be reached right now.") from error

    def _judge(self, response: httpx2.Response, *, is_read: bool) -> httpx2.Response:
        title = self._settings.manifest.title
        status = response.status_code
        retry_after_s = read_retry_after(response.headers.get("retry-after"))
        if status == _UNAUTHORIZED:
            raise ReconnectRequiredError(
                f"{title} no longer accepts your connection; connect it again.",
                provider=self._settings.manifest.name,
            )
        if status == _TOO_MANY:
            raise RetryLaterError(f"{title} asks us to slow down.", retry_after_s=retry_after_s)
        if status in _SERVER_ERRORS:
            if is_read or (status == _UNAVAILABLE and retry_after_s is not None):
                raise RetryLaterError(
                    f"{title} has a problem right now.", retry_after_s=retry_after_s
                )
            raise OutcomeUnknownError(f"{title} failed while it worked on this.")
        return response


def read_retry_after(value: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110, section 10.2.3)."""
    if value is None:
        return None
    if value.strip().replace(".", "", 1).isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment - datetime.now(moment.tzinfo)).total_seconds())


class Limiters:
    """One rate limiter a person and provider, from the provider's manifest."""

    def __init__(self) -> None:
        self._limiters: dict[tuple[int, str], AsyncLimiter] = {}

    def of(self, connection: Connection, settings: ProviderSettings) -> AsyncLimiter:
        """Return the limiter of one connection."""
        key = (connection.id, settings.manifest.name)
        if key not in self._limiters:
            limit = settings.manifest.rate_limit
            self._limiters[key] = AsyncLimiter(limit.requests, limit.per_s)
        return self._limiters[key]


class HttpClients:
    """Makes clients of connections; they share the egress's sockets and one limiter each."""

    def __init__(self, *, egress: Egress, broker: TokenBroker) -> None:
        self._egress = egress
        self._broker = broker
        self._limiters = Limiters()
        self._clients: dict[str, httpx2.AsyncClient] = {}

    def of(
        self,
        connection: Connection,
        settings: ProviderSettings,
        *,
        send_before: datetime | None,
    ) -> ConnectionHttp:
        """Return the client of one connection."""
        name = settings.manifest.name
        if name not in self._clients:
            self._clients[name] = self._egress.client(settings)
        return ConnectionHttp(
            connection=connection,
            settings=settings,
            broker=self._broker,
            client=self._clients[name],
            limiter=self._limiters.of(connection, settings),
            send_before=send_before,
        )
