"""Undo takes back what Countersign did, and never what somebody did since."""

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from bot.cli.scene import DANA
from bot.views import ids
from bot.workspace.client import has_button, shows
from tests.connectors.standins import GOOGLE_PATHS, VERIFIER, decide
from tests.scenarios.play import DONE, Play
from tests.scenarios.world import World

pytestmark = pytest.mark.scenario

EVENTS = "https://www.googleapis.com/auth/calendar.events.owned"


async def test_deal_undone_is_gone(connected: World, play: Play) -> None:
    """The requester's click is the ask; the card shows that it is undone."""
    thread, card = await play.plan("Create a deal for Acme worth $70 called Osprey")
    await play.workspace.click(DANA, card, ids.GOAL_RUN)
    done = await play.see(thread, DONE, has_button(ids.TASK_UNDO))

    await play.workspace.click(DANA, done, ids.TASK_UNDO)

    await play.see(thread, lambda item: item["ts"] == done["ts"], shows("undone"))
    assert connected.deals("Osprey") == []


async def test_own_event_undone_is_cancelled_once(connected: World, play: Play) -> None:
    """A second click on Undo is answered and starts nothing."""
    thread = await play.ask("Block an hour tomorrow at 11 for the pelican")
    card = await play.see(thread, has_button(ids.TASK_UNDO))
    assert len(connected.events("Pelican")) == 1

    await play.workspace.click(DANA, card, ids.TASK_UNDO)
    await play.workspace.click(DANA, card, ids.TASK_UNDO)

    await play.told(DANA, "under way already")
    await play.see(thread, lambda item: item["ts"] == card["ts"], shows("undone"))
    assert connected.events("Pelican") == []


async def test_undo_after_somebodys_edit_is_refused(connected: World, play: Play) -> None:
    """What a human changed at the provider since stays, and the card says why."""
    thread = await play.ask("Block an hour tomorrow at 13:00 for the plover")
    card = await play.see(thread, has_button(ids.TASK_UNDO))
    (event,) = connected.events("Plover")
    await edit_event(connected, event["id"], {"description": "Bring the slides"})

    await play.workspace.click(DANA, card, ids.TASK_UNDO)

    await play.see(thread, shows("Somebody changed"))
    assert len(connected.events("Plover")) == 1


async def edit_event(world: World, event_id: str, changes: dict[str, Any]) -> None:
    """Change an event as Dana does in another app of hers, by a grant of its own."""
    google = world.stage.google_url
    redirect_uri = f"{world.stage.bot_url}/oauth/google_calendar/callback"
    about = {
        "client_id": world.stage.environment["GOOGLE_CLIENT_ID"],
        "redirect_uri": redirect_uri,
    }
    asked = urlencode(
        {
            **about,
            "response_type": "code",
            "scope": EVENTS,
            "code_challenge": create_s256_code_challenge(VERIFIER),
            "code_challenge_method": "S256",
        }
    )
    sent_to = await decide(f"{google}{GOOGLE_PATHS.authorize}?{asked}")
    code = parse_qs(urlsplit(sent_to).query)["code"][0]
    async with httpx2.AsyncClient(base_url=google, trust_env=False) as http:
        secret = world.stage.environment["GOOGLE_CLIENT_SECRET"]
        token = await http.post(
            GOOGLE_PATHS.token,
            data={
                **about,
                "client_secret": secret,
                "grant_type": "authorization_code",
                "code": code,
                "code_verifier": VERIFIER,
            },
        )
        answer = await http.patch(
            f"/calendar/v3/calendars/primary/events/{event_id}",
            json=changes,
            headers={"Authorization": f"Bearer {token.json()['access_token']}"},
        )
    assert answer.status_code == 200, answer.text
