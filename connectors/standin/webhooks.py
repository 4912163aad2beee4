"""Webhooks out: what changed is posted to an address, proven and retried as the vendor does."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import TypeAlias

import httpx2

from connectors.standin.store import Store

TRIES = 4
FIRST_PAUSE_S = 0.2
"""A vendor waits for minutes and tries for a day; nobody watches a demo for that long."""

TIMEOUT_S = 5.0
"""HubSpot waits five seconds for an answer.

Source: https://developers.hubspot.com/docs/api-reference/latest/webhooks/guide
"""

Attempt: TypeAlias = Callable[[int], tuple[bytes, Mapping[str, str]]]
"""From the number of an attempt, counted from 0: its body and its headers, fresh for each."""


class Webhooks:
    """Sends webhooks in the background; what never arrives is dropped after some tries."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._running: set[asyncio.Task[None]] = set()

    @property
    def target(self) -> str | None:
        """The address that the app's settings name, if any."""
        return self._store.read("standin", "webhook")

    def subscribe(self, url: str) -> None:
        """Let the app's settings name this address from now on."""
        self._store.write("standin", "webhook", url, lag_s=0.0, is_old=True)

    def post(self, url: str, attempt: Attempt) -> None:
        """Post to an address soon, until it is taken."""
        task = asyncio.get_running_loop().create_task(_deliver(url, attempt))
        self._running.add(task)
        task.add_done_callback(self._running.discard)


async def _deliver(url: str, attempt: Attempt) -> None:
    async with httpx2.AsyncClient(trust_env=False, timeout=TIMEOUT_S) as client:
        for number in range(TRIES):
            body, headers = attempt(number)
            if await _is_taken(client, url, body, headers):
                return
            await asyncio.sleep(FIRST_PAUSE_S * 2**number)


async def _is_taken(
    client: httpx2.AsyncClient, target: str, body: bytes, headers: Mapping[str, str]
) -> bool:
    try:
        answer = await client.post(target, content=body, headers=dict(headers))
    except httpx2.TransportError:
        return False
    return answer.is_success


def now_ms() -> int:
    """Return the instant in milliseconds, as vendors stamp their webhooks."""
    return int(time.time() * 1000)
