"""The opening scene: the main job, played by Dana and Mo through the workspace's control API."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import httpx2

from bot.cli.stage import Stage
from bot.views import ids
from bot.workspace.client import (
    WorkspaceClient,
    has_button,
    shows,
    text_of,
)
from bot.workspace.shapes import JsonObject

DANA, MO = "U0DANA", "U0MO"
DANA_ACCOUNT = "dana@northwind.example"
ZONE = ZoneInfo("Europe/Berlin")
QUESTION = "Which deals does Acme have?"
REQUEST = (
    "Create a deal for Acme worth $48,000 and book a 30 minute kickoff with "
    "jane.doe@acme.example next Tuesday at 10"
)
OWN = "Block an hour tomorrow at 9 for the report"

Say = Callable[[str], None]


@dataclass(slots=True)
class Scene:
    """Plays the scene and remembers what was approved."""

    stage: Stage
    workspace: WorkspaceClient
    say: Say
    now: datetime = field(default_factory=lambda: datetime.now(ZONE))

    async def play(self) -> None:
        """Play every step; an expectation that fails raises `NotSeenError`."""
        await self.greet()
        await self.ask()
        await self.request()
        await self.countersign()
        await self.block_an_hour()
        await self.digest()

    async def greet(self) -> None:
        """Dana says hi and gets three examples to click."""
        self._person("Dana", "hi")
        await self.workspace.say(DANA, "hi")
        await self.workspace.wait_for(DANA, has_button(ids.EXAMPLE), what="a welcome")
        self._bot("a welcome with three things to click")

    async def ask(self) -> None:
        """She asks about deals; her HubSpot is connected on the way; only she gets the answer."""
        self._person("Dana", QUESTION)
        await self.workspace.say(DANA, QUESTION)
        await self._connect("HubSpot")
        answer = await self.workspace.wait_for(
            DANA, shows("Acme renewal", "Acme pilot"), what="her answer"
        )
        self._bot(text_of(answer).splitlines()[0])

    async def request(self) -> None:
        """She asks for a deal and a kickoff, reads the plan and runs it."""
        self._person("Dana", REQUEST)
        await self.workspace.say(DANA, REQUEST)
        card = await self.workspace.wait_for(DANA, has_button(ids.GOAL_RUN), what="a plan")
        self._bot("one card with the plan:")
        for line in _sentences(card):
            self.say(f"      {line}")
        self._person("Dana", "[Run]")
        await self.workspace.click(DANA, card, ids.GOAL_RUN)
        # Reading was allowed before; writing is asked for now that it is needed, and no more.
        await self._connect("HubSpot")
        await self._connect("Google Calendar")

    async def countersign(self) -> None:
        """Mo reads one card and approves; exactly what he saw is done, once."""
        asked = await self.workspace.wait_for(
            MO, has_button(ids.APPROVAL_APPROVE), what="a card to countersign"
        )
        self._bot("to Mo, who is asked to countersign:")
        for line in _sentences(asked):
            self.say(f"      {line}")
        self._person("Mo", "[Approve]")
        await self.workspace.click(MO, asked, ids.APPROVAL_APPROVE)
        done = await self.workspace.wait_for(DANA, _is_summary, what="the summary", patience_s=30)
        self._bot(text_of(done).splitlines()[0])

    async def block_an_hour(self) -> None:
        """What is hers alone, silent and reversible runs at once, with Undo."""
        self._person("Dana", OWN)
        ts = await self.workspace.say(DANA, OWN)
        await self.workspace.wait_for(
            DANA,
            lambda item: item.get("thread_ts") == ts and has_button(ids.TASK_UNDO)(item),
            what="a card with Undo",
        )
        self._bot("done at once, with Undo")

    async def digest(self) -> None:
        """She asks for her digest."""
        self._person("Dana", "/countersign digest")
        await self.workspace.do(
            "command", {"as": DANA, "command": "/countersign", "text": "digest"}
        )
        digest = await self.workspace.wait_for(DANA, shows("digest", "Done"), what="a digest")
        self._bot(text_of(digest).splitlines()[0])

    async def _connect(self, title: str) -> None:
        self._person("Dana", f"[Connect {title}], signs in and allows it")
        await self.workspace.connect(DANA, title, account=DANA_ACCOUNT)

    def _person(self, name: str, text: str) -> None:
        self.say(f"  {name}: {text}")

    def _bot(self, text: str) -> None:
        self.say(f"    Countersign: {text}")

    async def check(self) -> list[str]:
        """Return how the providers' final state differs from what was approved; best nothing."""
        deals = (await _get(f"{self.stage.hubspot_url}/_control/state"))["deals"]
        google = (await _get(f"{self.stage.google_url}/_control/state"))["events"]
        mails = (await _get(f"{self.stage.google_url}/_control/mails"))["mails"]
        acme = [deal for deal in deals if deal["properties"].get("dealname") == "Acme"]
        worth = [Decimal(deal["properties"].get("amount") or 0) for deal in acme]
        events = [event for event in google if event["body"].get("status") != "cancelled"]
        tomorrow = (self.now + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
        return [
            *_expect("deals called Acme, by worth", [Decimal(48_000)], worth),
            *_expect("kickoffs on Tuesday at 10", 1, _count(events, next_tuesday(self.now))),
            *_expect("hours blocked tomorrow at 9", 1, _count(events, tomorrow)),
            *_expect("mailed guests", ["jane.doe@acme.example"], [mail["to"] for mail in mails]),
        ]


def _is_summary(message: JsonObject) -> bool:
    return text_of(message).startswith("All done.")


def _sentences(message: JsonObject) -> list[str]:
    """Return the lines of a card's sections, without the fallback text."""
    return [
        str(block["text"]["text"]).replace("\n", " ")
        for block in message.get("blocks") or []
        if block["type"] == "section"
    ]


async def _get(url: str) -> dict[str, Any]:
    async with httpx2.AsyncClient(trust_env=False) as http:
        content: dict[str, Any] = (await http.get(url)).json()
        return content


def next_tuesday(now: datetime) -> datetime:
    """Return next week's Tuesday at ten: what the offline planner reads "next Tuesday" as."""
    days = 7 - now.weekday() + 1
    return (now + timedelta(days=days)).replace(hour=10, minute=0, second=0, microsecond=0)


def _count(events: list[JsonObject], at: datetime) -> int:
    """Return how many events that Countersign made start at an instant."""
    starts = [event["body"]["start"].get("dateTime") for event in events]
    return sum(start is not None and datetime.fromisoformat(start) == at for start in starts)


def _expect(what: str, wanted: object, found: object) -> list[str]:
    return [] if wanted == found else [f"{what}: expected {wanted}, found {found}"]
