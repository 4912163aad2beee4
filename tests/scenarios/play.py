"""What Dana and Mo do in a scenario, each goal in its own thread."""

import asyncio
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus

from bot.cli.scene import DANA, DANA_ACCOUNT, MO
from bot.views import ids
from bot.workspace.client import (
    NotSeenError,
    WorkspaceClient,
    find_button,
    has_button,
    shows,
    text_of,
)
from bot.workspace.shapes import JsonObject

PATIENCE_S = 15.0
_POLL_S = 0.05

Fits = Callable[[JsonObject], bool]


class Play:
    """Drives the workspace for the people of a scenario."""

    def __init__(self, workspace: WorkspaceClient) -> None:
        self.workspace = workspace

    async def ask(self, text: str, *, person: str = DANA) -> str:
        """Write to Countersign and return the thread's ts."""
        return await self.workspace.say(person, text)

    async def see(self, thread: str, *fits: Fits, person: str = DANA) -> JsonObject:
        """Return the newest message of a thread that fits, waiting for it."""
        return await self.workspace.wait_for(
            person,
            lambda item: item.get("thread_ts") == thread and all(fit(item) for fit in fits),
            what="what the thread should show",
            patience_s=PATIENCE_S,
        )

    async def delivered(self, text: str) -> None:
        """Wait until the bot has acknowledged the event of a message."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            entries = (await self.workspace.look("log"))["entries"]
            if any(
                text in str(entry) and entry.get("status") == HTTPStatus.OK for entry in entries
            ):
                return
            await asyncio.sleep(_POLL_S)
        raise NotSeenError(f"nothing about {text} was delivered")

    async def plan(self, text: str) -> tuple[str, JsonObject]:
        """Dana asks for something; return its thread and the card with its plan."""
        thread = await self.ask(text)
        return thread, await self.see(thread, has_button(ids.GOAL_RUN))

    async def asked(self, *parts: str) -> JsonObject:
        """Return the card that asks Mo and shows every one of these texts."""
        return await self.workspace.wait_for(
            MO,
            lambda item: has_button(ids.APPROVAL_APPROVE)(item) and shows(*parts)(item),
            what=f"a card with {parts}",
            patience_s=PATIENCE_S,
        )

    async def told(self, person: str, *parts: str) -> JsonObject:
        """Return what only this person is told, waiting for it."""
        return await self.workspace.wait_for(
            person,
            lambda item: item.get("ephemeral_to") == person and shows(*parts)(item),
            what=f"to be told {parts}",
            patience_s=PATIENCE_S,
        )

    async def modal(self, person: str) -> JsonObject:
        """Return the modal on top, waiting for one."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            modals: list[JsonObject] = (await self.workspace.look("views", **{"as": person}))[
                "modals"
            ]
            if modals:
                return modals[-1]
            await asyncio.sleep(_POLL_S)
        raise NotSeenError(f"{person} got no modal")

    async def submit(self, person: str, values: Mapping[str, Mapping[str, object]]) -> JsonObject:
        return await self.workspace.do("submit-view", {"as": person, "values": values})

    async def connect(self, thread: str, title: str) -> None:
        """Dana opens the link that a thread's card offers, and allows what it asks."""
        await self.workspace.connect(DANA, title, account=DANA_ACCOUNT, thread_ts=thread)

    async def connect_all(self) -> None:
        """Dana connects both providers with all that the scenarios need, by using them."""
        thread = await self.ask("Create a deal for Acme worth $1 called First")
        await self.connect(thread, "HubSpot")
        card = await self.see(thread, has_button(ids.GOAL_RUN))
        await self.workspace.click(DANA, card, ids.GOAL_RUN)
        await self.connect(thread, "HubSpot")
        await self.see(thread, DONE)
        thread = await self.ask("Block an hour tomorrow at 15:30 for coffee")
        await self.connect(thread, "Google Calendar")
        await self.see(thread, has_button(ids.TASK_UNDO))


def says(*beginnings: str) -> Fits:
    """Return a test for messages that begin with one of these texts."""
    return lambda message: text_of(message).startswith(beginnings)


DONE = says("Done:", "All done.")
NOT_DONE = says("Not done:", "This was not done.")
"""How a goal's card, or its summary, says that it ended."""


def lacks(action_id: str) -> Fits:
    """Return a test for messages without a button."""
    return lambda message: find_button(message, action_id) is None
