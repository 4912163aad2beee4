"""The HTTP client of one connection: bearer, one renewal, rate limit, and what a failure means."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2

from connectors.breaker import Breakers
from connectors.broker import Lent, TokenBroker
from connectors.egress import Egress, Sent, UnreadableAnswerError, send
from connectors.errors import OutcomeUnknownError, ReconnectRequiredError, RetryLaterError
from connectors.pace import PAUSE_S, Pace
from connectors.settings import ProviderSettings
from storage.instants import Deadline
from storage.tables.connections import Connection

_UNAUTHORIZED = 401
_FORBIDDEN = 403
_REQUEST_TIMEOUT = 408
_TOO_EARLY = 425
_TOO_MANY = 429
_SERVER_ERRORS = range(500, 600)
_SAFE = frozenset({"GET", "HEAD"})


class ConnectionHttp:
    """Sends one person's requests to one provider. Implements `connectors.actions.Http`."""

    def __init__(
        self,
        *,
        connection: Connection,
        settings: ProviderSettings,
        broker: TokenBroker,
        client: httpx2.AsyncClient,
        pace: Pace,
        breakers: Breakers,
        send_before: Deadline | None,
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._broker = broker
        self._client = client
        self._pace = pace
        self._breakers = breakers
        self._send_before = send_before
        self._refused: int | None = None
        """The version of the connection whose token was refused: it was renewed since."""

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
        """Send and return the response of any status but 401, 408, 425, 429 and 5xx.

        A 401 renews the token and tries once more: the provider refused, so nothing happened.
        After any 5xx a write may have taken effect, even after 503 with Retry-After: a gateway
        may say so although the service behind it went on.

        Raises:
            RetryLaterError: nothing happened: not connected, out of time, 429, or a failed read.
            ProviderDownError: nothing was sent: the host has not answered for a while.
            OutcomeUnknownError: a write was sent and no usable answer came.
            ReconnectRequiredError: the connection ended.
        """
        is_read = reads or method.upper() in _SAFE
        content: dict[str, Any] = {"params": params, "json": json, "headers": headers or {}}
        lent = await self._broker.lend(self._connection, self._settings, rejected=self._refused)
        response = await self._send(method, path, content, lent, is_read=is_read)
        if response.status_code == _UNAUTHORIZED:
            self._refused = lent.version
            lent = await self._broker.lend(self._connection, self._settings, rejected=lent.version)
            response = await self._send(method, path, content, lent, is_read=is_read)
        if response.status_code == _UNAUTHORIZED:
            await self._broker.end(self._connection, version=lent.version)
            raise ReconnectRequiredError(
                f"{self._title} no longer accepts your connection; connect it again.",
                provider=self._settings.manifest.name,
            )
        self._pace.heed(response.headers)
        if response.status_code == _TOO_MANY or self._is_limited(response):
            await self._rest(response)
        return self._judge(response, is_read=is_read)

    @property
    def _title(self) -> str:
        return self._settings.manifest.title

    async def _send(
        self, method: str, path: str, content: dict[str, Any], lent: Lent, *, is_read: bool
    ) -> httpx2.Response:
        ours = {"accept": "application/json", "authorization": f"Bearer {lent.access}"}
        request = self._client.build_request(
            method,
            f"{self._settings.api_url}{path}",
            params=content["params"],
            json=content["json"],
            headers={**content["headers"], **ours},
        )
        await self._pace.wait(self._title)
        watch = Sent(send_before=self._send_before)
        manifest = self._settings.manifest
        used = await self._breakers.enter(
            host_of(self._settings), provider=manifest.name, title=manifest.title
        )
        try:
            response = await send(self._client, request, watch=watch)
        except httpx2.TransportError as error:
            await self._breakers.leave(used, failed=not isinstance(error, UnreadableAnswerError))
            if watch.has_left and not is_read:
                raise OutcomeUnknownError(f"The answer of {self._title} was lost.") from error
            raise RetryLaterError(f"{self._title} cannot be reached right now.") from error
        await self._breakers.leave(used, failed=response.status_code in _SERVER_ERRORS)
        return response

    def _is_limited(self, response: httpx2.Response) -> bool:
        """Whether a 403 means too many requests; what it means to the call, its connector says."""
        codes = self._settings.manifest.rate_limit.refusals
        return response.status_code == _FORBIDDEN and any(
            f'"{code}"' in response.text for code in codes
        )

    async def _rest(self, response: httpx2.Response) -> None:
        """Let this connection rest, here and in every other process."""
        wait_s = read_retry_after(response.headers.get("retry-after"))
        pause_s = PAUSE_S if wait_s is None else wait_s
        self._pace.rest(pause_s)
        await self._broker.rest(self._connection, for_s=pause_s)

    def _judge(self, response: httpx2.Response, *, is_read: bool) -> httpx2.Response:
        status = response.status_code
        wait_s = read_retry_after(response.headers.get("retry-after"))
        if status == _TOO_MANY:
            raise RetryLaterError(f"{self._title} asks us to slow down.", retry_after_s=wait_s)
        if status == _TOO_EARLY:
            raise RetryLaterError(f"{self._title} asks us to try again.", retry_after_s=wait_s)
        if status in _SERVER_ERRORS or status == _REQUEST_TIMEOUT:
            if is_read:
                raise RetryLaterError(
                    f"{self._title} has a problem right now.", retry_after_s=wait_s
                )
            raise OutcomeUnknownError(f"{self._title} failed while it worked on this.")
        return response


def read_retry_after(value: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110, section 10.2.3)."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


def host_of(settings: ProviderSettings) -> str:
    """Return the host, with its port, that a provider's breaker is about."""
    return urlsplit(settings.api_url).netloc


class HttpClients:
    """Makes clients of connections; they share the egress's sockets and one pace each."""

    def __init__(self, *, egress: Egress, broker: TokenBroker, breakers: Breakers) -> None:
        self._egress = egress
        self._broker = broker
        self._breakers = breakers
        self._paces: dict[int, Pace] = {}
        self._clients: dict[str, httpx2.AsyncClient] = {}

    async def check(self, settings: ProviderSettings) -> None:
        """Refuse early while a provider does not answer.

        Raises:
            ProviderDownError: nothing is sent to it for now.
        """
        await self._breakers.check(host_of(settings), title=settings.manifest.title)

    def of(
        self,
        connection: Connection,
        settings: ProviderSettings,
        *,
        send_before: Deadline | None,
    ) -> ConnectionHttp:
        """Return the client of one connection."""
        name = settings.manifest.name
        if name not in self._clients:
            self._clients[name] = self._egress.client(settings)
        if connection.id not in self._paces:
            self._paces[connection.id] = Pace(settings.manifest.rate_limit)
        return ConnectionHttp(
            connection=connection,
            settings=settings,
            broker=self._broker,
            client=self._clients[name],
            pace=self._paces[connection.id],
            breakers=self._breakers,
            send_before=send_before,
        )
