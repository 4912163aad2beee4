"""A person at the local workspace, for scripts and tests: what the page does, by its HTTP API."""

import asyncio
import re
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import httpx2

from bot.workspace.http import open_client
from bot.workspace.shapes import JsonObject

PATIENCE_S = 20.0
_POLL_S = 0.1
_OK = 200


class NotSeenError(Exception):
    """What was waited for did not appear in the workspace in time."""


class WorkspaceClient:
    """Drives the workspace through its control API. One object speaks for anybody."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._http = open_client(base_url=base_url, timeout=30)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def do(self, deed: str, body: JsonObject) -> JsonObject:
        """Do one deed of the control API and return its answer, refusals included."""
        answer = await self._http.post(f"/_control/{deed}", json=body)
        content: JsonObject = answer.json()
        return content

    async def look(self, what: str, **query: str) -> JsonObject:
        answer = await self._http.get(f"/_control/{what}", params=query)
        content: JsonObject = answer.json()
        return content

    async def say(
        self, person: str, text: str, *, channel: str | None = None, thread_ts: str | None = None
    ) -> str:
        """Write a message (to the bot where no channel is named) and return its ts."""
        place: JsonObject = {"channel": channel} if channel else {"dm": True}
        thread: JsonObject = {"thread_ts": thread_ts} if thread_ts else {}
        answer = await self.do("message", {"as": person, "text": text, **place, **thread})
        return str(answer["ts"])

    async def messages(self, person: str, *, channel: str | None = None) -> list[JsonObject]:
        """Return what a person sees in a channel, or in the direct messages with the bot."""
        answer = await self.look(f"messages/{channel or f'dm:{person}'}", **{"as": person})
        found: list[JsonObject] = answer["messages"]
        return found

    async def wait_for(
        self,
        person: str,
        wanted: Callable[[JsonObject], bool],
        *,
        what: str,
        channel: str | None = None,
        patience_s: float = PATIENCE_S,
    ) -> JsonObject:
        """Return the newest message of the bot that fits, waiting until there is one.

        Raises:
            NotSeenError: there was none in time; it says what was there instead.
        """
        until = time.monotonic() + patience_s
        while True:
            seen = await self.messages(person, channel=channel)
            fitting = [item for item in seen if item.get("bot_id") and wanted(item)]
            if fitting:
                return fitting[-1]
            if time.monotonic() > until:
                there = " | ".join(text_of(item)[:160] for item in seen[-4:])
                message = f"{person} did not see {what} within {patience_s:.0f} s; saw: {there}"
                raise NotSeenError(message)
            await asyncio.sleep(_POLL_S)

    async def click(
        self, person: str, message: JsonObject, action_id: str, *, channel: str | None = None
    ) -> JsonObject:
        """Press the first button of a message whose action begins with `action_id`."""
        button = find_button(message, action_id)
        if button is None:
            shown = ", ".join(item["action_id"] for item in elements(message))
            raise NotSeenError(f"there is no {action_id} on that message, only: {shown}")
        place: JsonObject = {"channel": channel} if channel else {"dm": True}
        return await self.do(
            "interact",
            {
                "as": person,
                **place,
                "ts": message["ts"],
                "action_id": button["action_id"],
                "value": button.get("value"),
            },
        )

    async def connect(
        self, person: str, title: str, *, account: str, thread_ts: str | None = None
    ) -> None:
        """Connect a provider as its card asks, and wait until that card says that it is done.

        A card that still offered its link could be taken for the next one that asks.

        Args:
            person: who connects it.
            title: the provider's title, as on the card.
            account: who the person is at the provider.
            thread_ts: the thread that the card is in; any where it is not named.

        Raises:
            NotSeenError: no card asked for it, or it still asks.
        """

        def asks(item: JsonObject) -> bool:
            is_there = thread_ts in {None, item.get("thread_ts")}
            return is_there and title in text_of(item) and connect_url(item) is not None

        card = await self.wait_for(person, asks, what=f"a card that asks for {title}")
        await connect_in_browser(connect_url(card) or "", account=account)
        await self.wait_for(
            person,
            lambda item: item["ts"] == card["ts"] and connect_url(item) is None,
            what=f"that {title} is connected",
        )


def elements(message: JsonObject) -> list[JsonObject]:
    """Return every interactive element of a message."""
    found: list[JsonObject] = []
    for block in message.get("blocks") or []:
        found += block.get("elements", []) if block["type"] == "actions" else []
        if block.get("accessory"):
            found.append(block["accessory"])
    return found


def find_button(message: JsonObject, action_id: str) -> JsonObject | None:
    """Return the first button whose action is `action_id`, numbered ones included."""
    return next(
        (
            item
            for item in elements(message)
            if item.get("action_id", "").split(":")[0] == action_id
        ),
        None,
    )


def has_button(action_id: str) -> Callable[[JsonObject], bool]:
    """Return a test for messages that show a button."""
    return lambda message: find_button(message, action_id) is not None


def connect_url(message: JsonObject) -> str | None:
    """Return where a message's Connect button leads; None for one without."""
    urls = (str(item.get("url") or "") for item in elements(message))
    return next((url for url in urls if "/connect/" in url), None)


def shows(*parts: str) -> Callable[[JsonObject], bool]:
    """Return a test for messages that show every one of these texts."""
    return lambda message: all(part in text_of(message) for part in parts)


def text_of(message: JsonObject) -> str:
    """Return everything that a message says: its fallback text and its blocks' texts."""
    said = [str(message.get("text") or "")]
    _collect(message.get("blocks") or [], said)
    return "\n".join(said)


def _collect(node: Any, into: list[str]) -> None:
    if isinstance(node, dict):
        text = node.get("text")
        if isinstance(text, str):
            into.append(text)
        for value in node.values():
            _collect(value, into)
    elif isinstance(node, list):
        for item in node:
            _collect(item, into)


async def connect_in_browser(
    url: str, *, account: str, decision: str = "allow", is_right: bool = True
) -> str:
    """Walk from a connect link over the provider's consent page to our confirmation.

    Returns:
        The text of the last page.
    """
    async with open_client(follow_redirects=False) as browser:
        consent = await _follow(browser, await browser.post(url))
        request = _field(consent.text, "request")
        scopes = re.findall(r'name="scope" value="([^"]+)"', consent.text)
        answer = await browser.post(
            str(consent.url.copy_with(query=None)),
            data={
                "request": request,
                "account": account,
                "scope": scopes,
                "decision": decision,
            },
        )
        page = await _follow(browser, answer)
        if page.status_code != _OK or 'name="state"' not in page.text:
            return page.text
        done = await browser.post(
            str(page.url.copy_with(path=page.url.path.replace("callback", "confirm"), query=None)),
            data={"state": _field(page.text, "state"), "answer": "yes" if is_right else "no"},
        )
        return done.text


async def _follow(browser: httpx2.AsyncClient, answer: httpx2.Response) -> httpx2.Response:
    while answer.is_redirect:
        answer = await browser.get(str(answer.url.join(answer.headers["location"])))
    return answer


def _field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    if found is None:
        raise NotSeenError(f"the page has no field {name}: {page[:300]}")
    return found[1]
