"""Webhooks out: what changed is posted to one address, signed and retried as the vendor does."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
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

Notification: TypeAlias = dict[str, object]
MakeBody: TypeAlias = Callable[[Sequence[Notification], int], bytes]
"""From notifications and the number of this attempt, counted from 0."""
Sign: TypeAlias = Callable[[str, bytes], Mapping[str, str]]
"""From the address and the body: the headers that prove who sent it, fresh for each attempt."""


class Webhooks:
    """Sends notifications in the background; what never arrives is dropped after some tries."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._running: set[asyncio.Task[None]] = set()

    @property
    def target(self) -> str | None:
        """The address that was subscribed, if any."""
        return self._store.read("standin", "webhook")

    def subscribe(self, url: str) -> None:
        """Send everything from now on to this address."""
        self._store.write("standin", "webhook", url, lag_s=0.0, is_old=True)

    def send(
        self, notifications: Sequence[Notification], *, make_body: MakeBody, sign: Sign
    ) -> None:
        """Post notifications soon; nothing happens where nobody subscribed."""
        target = self.target
        if target is None or not notifications:
            return
        work = self._deliver(target, notifications, make_body=make_body, sign=sign)
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _deliver(
        self,
        target: str,
        notifications: Sequence[Notification],
        *,
        make_body: MakeBody,
        sign: Sign,
    ) -> None:
        async with httpx2.AsyncClient(trust_env=False, timeout=TIMEOUT_S) as client:
            for attempt in range(TRIES):
                body = make_body(notifications, attempt)
                headers = {"content-type": "application/json", **sign(target, body)}
                if await _is_taken(client, target, body, headers):
                    return
                await asyncio.sleep(FIRST_PAUSE_S * 2**attempt)


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
