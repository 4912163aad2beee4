"""What Dana finds at home: her goals, her connections, her digest, the page of a goal."""

import asyncio
import time
from collections.abc import Callable

import httpx2
import pytest

from bot.cli.scene import DANA, MO
from bot.views import ids
from bot.workspace.client import NotSeenError, shows, text_of
from bot.workspace.shapes import JsonObject
from tests.scenarios.play import DONE, PATIENCE_S, Play, lacks
from tests.scenarios.world import World

pytestmark = pytest.mark.scenario

REQUEST = "Book a 30 minute {} with jane.doe@acme.example next Tuesday at 10"


async def home(play: Play, person: str, fits: Callable[[str], bool]) -> JsonObject:
    """Open a person's Home and return its view as soon as its text fits."""
    await play.workspace.do("open-home", {"as": person})
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        view: JsonObject | None = (await play.workspace.look("views", **{"as": person}))["home"]
        if view is not None and fits(text_of(view)):
            return view
        await asyncio.sleep(0.05)
    raise NotSeenError(f"the Home of {person} never fitted: {text_of(view or {})}")


async def test_home_shows_what_waits_goals_connections_and_the_digest(
    connected: World, play: Play
) -> None:
    """Mo sees the request that waits on him; Dana her goal, her accounts and her digest's time."""
    thread, card = await play.plan(REQUEST.format("summit"))
    await play.workspace.click(DANA, card, ids.GOAL_RUN)
    await play.asked("Summit")

    await home(play, MO, lambda text: "“Summit”" in text)
    mine = text_of(await home(play, DANA, lambda text: "30 minute summit" in text))

    assert "HubSpot: connected as dana@northwind.example" in mine
    assert "09:00" in mine
    assert "on workdays" in mine
    await play.workspace.click(DANA, await play.see(thread, shows("Waiting")), ids.GOAL_CANCEL)


async def test_digest_asked_for_now_lists_what_waits_and_links_it(
    connected: World, play: Play
) -> None:
    """Mo's digest links the card that waits on him."""
    thread, card = await play.plan(REQUEST.format("gala"))
    await play.workspace.click(DANA, card, ids.GOAL_RUN)
    await play.asked("Gala")

    await play.workspace.do("command", {"as": MO, "command": "/countersign", "text": "digest"})

    digest = await play.workspace.wait_for(MO, shows("digest", "“Gala”"), what="a digest")
    assert "|" in text_of(digest)
    await play.workspace.click(DANA, await play.see(thread, shows("Waiting")), ids.GOAL_CANCEL)


async def test_goal_page_opens_by_its_link_alone(connected: World, play: Play) -> None:
    """Details answers Dana with a link to a page that shows the step; a guess shows nothing."""
    thread = await play.ask("Block an hour tomorrow at 14:00 for the puffin")
    card = await play.see(thread, shows("Puffin"))

    await play.workspace.click(DANA, card, ids.GOAL_PAGE)

    told = await play.told(DANA, "works for 15 minutes")
    url = next(
        element["url"]
        for block in told["blocks"]
        for element in [*block.get("elements", []), block.get("accessory") or {}]
        if element.get("url")
    )
    async with httpx2.AsyncClient(trust_env=False) as browser:
        page = await browser.get(url)
        guess = await browser.get(f"{connected.stage.bot_url}/goals/{'x' * 43}")
    assert page.status_code == 200
    assert "Puffin" in page.text
    assert guess.status_code == 410


async def test_disconnect_revokes_at_the_provider_and_withdraws_what_waited(
    connected: World, play: Play
) -> None:
    """Google knows no token of Dana's any more, and Mo's question is taken back (S26)."""
    thread, card = await play.plan(REQUEST.format("picnic"))
    await play.workspace.click(DANA, card, ids.GOAL_RUN)
    asked = await play.asked("Picnic")
    await play.see(thread, shows("Waiting"))
    view = await home(play, DANA, lambda text: "Google Calendar: connected" in text)

    await play.workspace.do(
        "interact",
        {
            "as": DANA,
            "view_id": view["id"],
            "action_id": ids.CONNECTION_DISCONNECT,
            "value": "google_calendar",
        },
    )

    withdrawn = await play.workspace.wait_for(
        MO, lambda item: item["ts"] == asked["ts"] and lacks(ids.APPROVAL_APPROVE)(item), what="it"
    )
    assert "Withdrawn" in text_of(withdrawn)
    await home(play, DANA, lambda text: "Google Calendar: connected" not in text)
    assert connected.google_tokens() == {"grants": 0, "access_tokens": 0, "refresh_tokens": 0}
    assert connected.events("Picnic") == []
    await play.connect(thread, "Google Calendar")
    await play.workspace.click(MO, await play.asked("Picnic"), ids.APPROVAL_APPROVE)
    await play.see(thread, DONE)
    assert len(connected.events("Picnic")) == 1
