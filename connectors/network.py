"""Reaching an address: a name is resolved once, checked, and exactly that address is used (S30)."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeAlias

import httpcore2

RESOLVE_TIMEOUT_S = 5.0

Resolve: TypeAlias = Callable[[str, int], Awaitable[list[str]]]
"""(host, port) → its addresses, the preferred one first."""

_TRANSLATED = tuple(
    ipaddress.ip_network(network)
    # They carry an IPv4 address inside that a gateway would unpack. Source: RFC 6052, RFC 8215,
    # RFC 3056; and RFC 3879, which retired site-local addresses.
    for network in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "fec0::/10")
)


def is_public(address: str) -> bool:
    """Whether an address is global unicast: nothing inside a network, no multicast."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    judged = getattr(parsed, "ipv4_mapped", None) or parsed
    if any(judged in network for network in _TRANSLATED):
        return False
    return judged.is_global and not judged.is_multicast


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host, as the system knows them.

    Raises:
        OSError: it has none.
        TimeoutError: nobody answered within `RESOLVE_TIMEOUT_S`.
    """
    async with asyncio.timeout(RESOLVE_TIMEOUT_S):
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


class PinnedBackend(httpcore2.AsyncNetworkBackend):
    """Connects to checked addresses only; TLS still proves the name.

    Args:
        local: `host:port` that may lead anywhere, because the configuration names them.
        resolve: how names become addresses.
    """

    def __init__(self, *, local: frozenset[str], resolve: Resolve = resolve) -> None:
        self._local = local
        self._resolve = resolve
        self._backend = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address of `host` that answers.

        Raises:
            httpcore2.ConnectError: it has no address, one of them is not public, or none answers.
            httpcore2.ConnectTimeout: none answers in time.
        """
        *others, last = await self._addresses(host, port)
        for address in others:
            try:
                return await self._backend.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return await self._backend.connect_tcp(last, port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's signature
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Refuse: no provider lives in a file.

        Raises:
            httpcore2.ConnectError: always.
        """
        del timeout, socket_options
        message = f"unix sockets are not reached: {path}"
        raise httpcore2.ConnectError(message)

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)

    async def _addresses(self, host: str, port: int) -> list[str]:
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:  # a TimeoutError is an OSError
            message = f"{host} has no address"
            raise httpcore2.ConnectError(message) from error
        if f"{host}:{port}" not in self._local and not all(map(is_public, addresses)):
            message = f"{host} is not at a public address"
            raise httpcore2.ConnectError(message)
        if not addresses:
            message = f"{host} has no address"
            raise httpcore2.ConnectError(message)
        return addresses
