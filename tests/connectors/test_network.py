import httpcore2
import pytest

from connectors.network import PinnedBackend, is_public
from tests.support.raw_server import answer, serve_raw

PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 -- an address to refuse
    "255.255.255.255",
    "240.0.0.1",
    "224.0.0.1",
    "224.0.1.1",
    "198.18.0.1",
    "::1",
    "::",
    "fe80::1%eth0",
    "fc00::1",
    "fec0::1",
    "ff0e::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2001:db8::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_address_inside_a_network_is_not_public(address: str) -> None:
    """Nothing but global unicast is reached, in whatever notation it hides."""  # S30
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_address_on_the_internet_is_public(address: str) -> None:
    """Global unicast is reached."""
    assert is_public(address)


async def test_name_with_one_private_address_is_refused_whole() -> None:
    """A name that leads inside even once is not trusted at all."""  # S30

    async def resolve(_host: str, _port: int) -> list[str]:
        return ["8.8.8.8", "127.0.0.1"]

    backend = PinnedBackend(local=frozenset(), resolve=resolve)
    with pytest.raises(httpcore2.ConnectError, match="not at a public address"):
        await backend.connect_tcp("api.vendor.example", 443)


async def test_name_is_resolved_once_and_the_checked_address_is_used() -> None:
    """Between the check and the connection nobody can change where the name leads."""  # S30
    asked: list[str] = []

    async with serve_raw(answer()) as server:

        async def resolve(host: str, _port: int) -> list[str]:
            asked.append(host)
            return ["127.0.0.1"]

        local = frozenset({f"api.vendor.example:{server.port}"})
        backend = PinnedBackend(local=local, resolve=resolve)
        stream = await backend.connect_tcp("api.vendor.example", server.port)
        assert stream.get_extra_info("server_addr") == ("127.0.0.1", server.port)
        await stream.aclose()
    assert asked == ["api.vendor.example"]


async def test_dead_address_is_passed_over_for_the_next() -> None:
    """A name with several addresses is reached at the first that answers."""
    async with serve_raw(answer()) as server:

        async def resolve(_host: str, _port: int) -> list[str]:
            return ["127.0.0.9", "127.0.0.1"]

        local = frozenset({f"localhost:{server.port}"})
        backend = PinnedBackend(local=local, resolve=resolve)
        stream = await backend.connect_tcp("localhost", server.port, timeout=2)
        assert stream.get_extra_info("server_addr")[0] == "127.0.0.1"
        await stream.aclose()


async def test_unresolvable_name_and_socket_file_are_not_connected() -> None:
    """What has no address is a failed connection, and files are never one."""

    async def resolve(_host: str, _port: int) -> list[str]:
        raise OSError

    backend = PinnedBackend(local=frozenset(), resolve=resolve)
    with pytest.raises(httpcore2.ConnectError, match="no address"):
        await backend.connect_tcp("nowhere.example", 443)
    with pytest.raises(httpcore2.ConnectError, match="unix sockets"):
        await backend.connect_unix_socket("/run/some.sock")
