"""Signed HTTP delivery to the bot, as Slack does it.

Source: https://docs.slack.dev/authentication/verifying-requests-from-slack (v0 signature) and
https://docs.slack.dev/apis/events-api (3 s, three retries with X-Slack-Retry-Num and -Reason,
`X-Slack-No-Retry: 1` stops them).
"""

import asyncio
import hashlib
import hmac
import json
import sqlite3
import time
from dataclasses import dataclass

import httpx2

from bot.workspace.config import WorkspaceConfig
from bot.workspace.faults import Faults
from bot.workspace.http import open_client
from bot.workspace.journal import Journal
from bot.workspace.shapes import JsonObject, encode

_OK = 200
_MULTIPLE_CHOICES = 300
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bot said: status 0 and an `error` where it said nothing in time."""

    status: int
    text: str
    error: str | None
    may_retry: bool = True

    @property
    def is_ok(self) -> bool:
        """Tell whether Slack would count this answer as an acknowledgement."""
        return _OK <= self.status < _MULTIPLE_CHOICES

    def json(self) -> JsonObject:
        """Return the answer's JSON object; empty if it is none."""
        try:
            parsed = json.loads(self.text)
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}


def sign(secret: str, *, timestamp: str, body: str) -> str:
    """Return Slack's v0 signature of a body."""
    base = f"v0:{timestamp}:{body}".encode()
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class Delivery:
    """Posts to the bot. Events are kept in sqlite until answered or given up."""

    def __init__(
        self,
        config: WorkspaceConfig,
        *,
        connection: sqlite3.Connection,
        journal: Journal,
        faults: Faults,
    ) -> None:
        self._config = config
        self._db = connection
        self._journal = journal
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: httpx2.AsyncClient | None = None
        self._faults = faults

    async def start(self) -> None:
        """Open the client and deliver what an earlier run left undelivered."""
        self._client = open_client(timeout=self._config.ack_timeout_s)
        rows = self._db.execute("SELECT body FROM pending_events ORDER BY rowid").fetchall()
        for row in rows:
            self._spawn(row["body"])

    async def stop(self) -> None:
        """Stop retrying; what is undelivered stays for the next start."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    def send_event(self, envelope: JsonObject) -> None:
        """Deliver an event in the background, with retries."""
        body = encode(envelope)
        self._db.execute(
            "INSERT OR REPLACE INTO pending_events VALUES (?, ?)", (envelope["event_id"], body)
        )
        self._spawn(body)
        if self._faults.take("duplicate_events"):
            self._spawn(body)

    async def send_form(self, *, kind: str, name: str, url: str, body: str) -> Answer:
        """Deliver an interaction or a command once and return the bot's answer."""
        return await self.post(kind=kind, name=name, url=url, body=body, headers=self._signed(body))

    async def send_raw(self, *, url: str, body: str, headers: dict[str, str]) -> Answer:
        """Deliver any body once; headers given replace those that Slack would send."""
        kind = _JSON if body.startswith("{") else _FORM
        signed = {**self._signed(body, content_type=kind), **headers}
        return await self.post(kind="raw", name="raw", url=url, body=body, headers=signed)

    async def settled(self) -> None:
        """Wait until no delivery is under way or waits for its retry."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, body: str) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(body))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, body: str) -> None:
        envelope = json.loads(body)
        headers: dict[str, str] = {}
        for attempt, delay_s in enumerate((0.0, *self._config.retry_delays_s)):
            await asyncio.sleep(delay_s)
            answer = await self.post(
                kind="event",
                name=str(envelope["event"]["type"]),
                url=self._config.events_url,
                body=body,
                headers={**self._signed(body, content_type=_JSON), **headers},
                attempt=attempt,
            )
            if answer.is_ok or not answer.may_retry:
                break
            reason = answer.error or "http_error"
            headers = {"X-Slack-Retry-Num": str(attempt + 1), "X-Slack-Retry-Reason": reason}
        self._db.execute("DELETE FROM pending_events WHERE event_id = ?", (envelope["event_id"],))

    def _signed(self, body: str, *, content_type: str = _FORM) -> dict[str, str]:
        timestamp = str(int(time.time()))
        return {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": sign(self._config.signing_secret, timestamp=timestamp, body=body),
        }

    async def post(
        self,
        *,
        kind: str,
        name: str,
        url: str,
        body: str,
        headers: dict[str, str],
        attempt: int = 0,
    ) -> Answer:
        """Post once, note it in the journal and return the answer; never raises for the wire."""
        started = time.perf_counter()
        answer = await self._ask(url, body, headers)
        self._journal.note(
            kind=kind,
            name=name,
            status=answer.status,
            started=started,
            error=answer.error,
            attempt=attempt,
            url=url,
            headers=headers,
            body=body,
        )
        return answer

    async def _ask(self, url: str, body: str, headers: dict[str, str]) -> Answer:
        assert self._client is not None, "the workspace's lifespan has not started"
        try:
            async with asyncio.timeout(self._config.ack_timeout_s):
                reply = await self._client.post(url, content=body.encode(), headers=headers)
        except (TimeoutError, httpx2.TimeoutException):
            return Answer(0, "", "http_timeout")
        except httpx2.HTTPError:
            return Answer(0, "", "connection_failed")
        may_retry = reply.headers.get("X-Slack-No-Retry") != "1"
        is_ok = _OK <= reply.status_code < _MULTIPLE_CHOICES
        return Answer(reply.status_code, reply.text, None if is_ok else "http_error", may_retry)
