"""Home: published when opened, kept current, and usable."""

from typing import Any

import pytest

from bot.engine.home import HomeHalt
from bot.goals.clicks import Answer, Click
from bot.views import ids
from storage import outbox
from tests.bot.slack_bot import TEAM, SlackBot
from tests.bot.views import cards

WHO = Click(TEAM, "U0DANA")


async def open_home(bot: SlackBot) -> dict[str, Any]:
    """Open Dana's Home and return it."""
    await bot.workspace.do("open-home", **{"as": "U0DANA"})
    await bot.work()
    return await home(bot)


async def home(bot: SlackBot) -> dict[str, Any]:
    views = await bot.workspace.read("views", **{"as": "U0DANA"})
    shown: dict[str, Any] = views["home"]
    return shown


async def test_opened_home_is_published(bot: SlackBot) -> None:
    """Whoever opens the tab sees what waits for them."""
    view = await open_home(bot)
    assert view["blocks"][0]["text"]["text"] == "Waiting for you"
    assert view["blocks"][1]["text"]["text"].startswith("• <https://northwind.example/1|")


async def test_opened_home_is_kept_current(bot: SlackBot) -> None:
    """A change is published for those who opened their Home, and for nobody else."""
    await open_home(bot)
    bot.shown.home = cards.home_view(waiting_for_you=())
    async with bot.database.transaction() as tx:
        await outbox.touch(tx, team_id=TEAM, noun="home", subject="U0DANA")
        await outbox.touch(tx, team_id=TEAM, noun="home", subject="U0MO")
    await bot.work()
    assert (await home(bot))["blocks"][1]["text"]["text"] == "Nothing waits on you."
    assert (await bot.workspace.read("views", **{"as": "U0MO"}))["home"] is None


@pytest.mark.parametrize(
    ("action_id", "more", "call"),
    [
        (ids.CONNECTION_DISCONNECT, {}, ("disconnect", WHO, "hubspot")),
        (ids.CONNECTION_CONNECT, {}, ("connect", WHO, "google_calendar")),
        (ids.DIGEST_NOW, {}, ("send_now", WHO)),
        (ids.DIGEST_TIME, {"selected": "08:30"}, ("set_time", WHO, "08:30", None)),
        (ids.DIGEST_TURN, {}, ("turn", WHO, False)),
    ],
)
async def test_setting_reaches_its_service(
    bot: SlackBot, action_id: str, more: dict[str, Any], call: tuple[Any, ...]
) -> None:
    """Each control on Home does one thing."""
    view = await open_home(bot)
    deed = {"as": "U0DANA", "view_id": view["id"], "action_id": action_id, **more}
    assert (await bot.workspace.do("interact", **deed))["status"] == 200
    assert bot.services.calls == [call]


async def test_halt_asks_for_a_reason_and_reaches_its_service(bot: SlackBot) -> None:
    """The modal is the confirmation; what was typed goes to the service."""
    bot.shown.home = cards.home_view(halt=HomeHalt(None, 0, can_resume=False))
    view = await open_home(bot)
    deed = {"as": "U0DANA", "view_id": view["id"], "action_id": ids.HALT_WANTED}
    assert (await bot.workspace.do("interact", **deed))["status"] == 200
    values = {ids.REASON: {ids.REASON: " wrong list "}}
    await bot.workspace.do("submit-view", **{"as": "U0DANA", "values": values})
    assert bot.services.calls == [("halt_team", WHO, "wrong list")]


async def test_resume_reaches_its_service(bot: SlackBot) -> None:
    """The button stands where the halt is shown."""
    bot.shown.home = cards.home_view(halt=HomeHalt("Halted by Ada.", 2, can_resume=True))
    view = await open_home(bot)
    deed = {"as": "U0DANA", "view_id": view["id"], "action_id": ids.HALT_RESUMED}
    await bot.workspace.do("interact", **deed)
    assert bot.services.calls == [("resume_team", WHO)]


async def test_answer_on_home_comes_as_a_modal(bot: SlackBot) -> None:
    """Home has no place for a message, so the link to connect opens in a modal."""
    bot.services.answer = Answer("Connect HubSpot:", url="https://a.example/c")
    view = await open_home(bot)
    deed = {"as": "U0DANA", "view_id": view["id"], "action_id": ids.CONNECTION_CONNECT}
    await bot.workspace.do("interact", **deed)
    views = await bot.workspace.read("views", **{"as": "U0DANA"})
    assert views["modals"][-1]["blocks"][-1]["elements"][0]["url"] == "https://a.example/c"


async def test_changed_profile_is_kept(bot: SlackBot) -> None:
    """A person's new zone counts from the event on; strangers are not stored."""
    await bot.people.get(TEAM, "U0DANA")
    for number, person in enumerate(("U0DANA", "U0MO")):
        user = {"id": person, "team_id": TEAM, "name": "x", "tz": "Asia/Tokyo"}
        event = {"type": "user_change", "user": user}
        body = {
            "type": "event_callback",
            "team_id": TEAM,
            "event_id": f"Ev{number}",
            "event": event,
        }
        await bot.post(body)
    await bot.work()
    async with bot.database.transaction() as tx:
        assert (await tx.people.get(TEAM, "U0DANA")).zone == "Asia/Tokyo"
        assert await tx.people.find(TEAM, "U0MO") is None


@pytest.mark.parametrize("deleted", [True, False])
async def test_deactivated_person_leaves_and_another_one_stays(
    bot: SlackBot, *, deleted: bool
) -> None:
    """What a deactivated person asked for ends; a changed name ends nothing."""
    # S13
    await bot.people.get(TEAM, "U0DANA")
    user = {"id": "U0DANA", "team_id": TEAM, "name": "x", "tz": "Europe/Berlin"}
    event = {"type": "user_change", "user": user | {"deleted": deleted}}
    await bot.post(
        {"type": "event_callback", "team_id": TEAM, "event_id": "EvLeft", "event": event}
    )
    await bot.work()
    left = [call for call in bot.services.calls if call[0] == "person_left"]
    assert left == ([("person_left", TEAM, "U0DANA")] if deleted else [])
