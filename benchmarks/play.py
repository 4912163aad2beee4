"""Playing one goal: Dana asks, presses Run and connects; Mo approves. Nobody hesitates."""

import time
from dataclasses import dataclass, field

from benchmarks.tap import Heard
from benchmarks.world import World
from bot.cli.scene import DANA, DANA_ACCOUNT, MO
from bot.views import ids
from bot.workspace.client import connect_in_browser
from bot.workspace.shapes import JsonObject

REQUEST = (
    "Create a deal for Acme worth $48,000 and book a 30 minute kickoff with "
    "jane.doe@acme.example next Tuesday at 10"
)
_CONNECT = r"(http://[^\"\\]+/connect/[^\"\\]+)"
_RUN = rf'"action_id": ?"({ids.GOAL_RUN})", ?"value": ?"([0-9]+:[0-9]+)"'
_APPROVE = rf'"action_id": ?"({ids.APPROVAL_APPROVE})", ?"value": ?"([0-9]+)"'
_DONE = r'"text": ?"(Done): '


@dataclass(slots=True)
class Played:
    """What became of one goal; waits end when the card's request reaches Slack."""

    waits_s: list[float] = field(default_factory=list)
    approve_value: str = ""
    run_value: str = ""

    @property
    def wall_s(self) -> float:
        """How long people waited for the bot in all; their own part is left out."""
        return sum(self.waits_s)


async def play(world: World, text: str, *, until: str = ids.LINK) -> Played:
    """Write a message and do what the cards ask for.

    Args:
        world: where.
        text: what Dana writes.
        until: stop where this button appears, without pressing it.
    """
    played = Played()
    seen = len(world.slack.heard)
    began = time.perf_counter()
    await world.workspace.say(DANA, text)
    while True:
        heard, kind, value = await _next_card(world, seen, has_begun=bool(played.waits_s))
        played.waits_s.append(heard.at - began)
        if value != "Done":
            world.used.add(value)
        if kind == ids.APPROVAL_APPROVE:
            played.approve_value = value
        if kind == ids.GOAL_RUN:
            played.run_value = value
        if kind in {until, ids.LINK} and not value.startswith("http"):
            return played
        began = time.perf_counter()
        if value.startswith("http"):
            await connect_in_browser(value, account=DANA_ACCOUNT)
        else:
            await world.click(MO if kind == ids.APPROVAL_APPROVE else DANA, kind, value)


async def _next_card(world: World, seen: int, *, has_begun: bool) -> tuple[Heard, str, str]:
    """Return the next card that asks for something new, what it asks, and its value.

    Late redraws of the goals before are skipped.
    """
    while True:
        heard, found = await world.slack.wait_for(_CONNECT, _RUN, _APPROVE, _DONE, after=seen)
        seen = world.slack.heard.index(heard) + 1
        first = found[1]
        if first == "Done":
            if has_begun:
                return heard, ids.LINK, first
            continue
        value = first if first.startswith("http") else found[2]
        if value not in world.used:
            return heard, first, value


def scene_plan() -> JsonObject:
    """Return the plan that a model makes of the scene's request: a read and two writes."""
    found = {"task": "t1", "path": ["companies", 0, "id"]}
    return _plan(
        _task("t1", {"search_companies": {"query": "Acme"}}),
        _task("t2", {"create_deal": {**_DEAL, "company_id": found}}),
        _task("t3", {"create_event": _event(["jane.doe@acme.example"])}),
    )


def invitation_plan() -> JsonObject:
    """Return a plan of one event with a guest, which a manager countersigns."""
    return _plan(_task("t1", {"create_event": _event(["jane.doe@acme.example"])}))


def deal_plan() -> JsonObject:
    """Return a plan of one deal, which its requester runs."""
    return _plan(_task("t1", {"create_deal": {**_DEAL, "company_id": None}}))


_DEAL: JsonObject = {
    "name": "Acme",
    "amount": "48000.00",
    "currency": "USD",
    "stage": "appointmentscheduled",
}


def _event(guests: list[str]) -> JsonObject:
    return {
        "title": "Kickoff",
        "start": "2027-01-12T10:00:00+01:00",
        "end": "2027-01-12T10:30:00+01:00",
        "zone": "Europe/Berlin",
        "attendees": guests,
        "location": None,
        "description": None,
    }


def _task(key: str, call: JsonObject) -> JsonObject:
    return {
        "id": key,
        "call": call,
        "after": [],
        "for_each": None,
        "when": None,
        "wait": None,
        "why": "It is asked for.",
    }


def _plan(*tasks: JsonObject) -> JsonObject:
    return {"say": "On it.", "tasks": list(tasks), "writes": [], "question": None, "final": True}
