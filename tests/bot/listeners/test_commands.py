"""The slash command."""

from typing import Any

import pytest

from bot.goals.clicks import Answer, Click
from bot.listeners.commands import HELP
from tests.bot.slack_bot import TEAM, SlackBot
from tests.bot.views import cards

WHO = Click(TEAM, "U0DANA", "D0DANA")


async def command(bot: SlackBot, text: str, *, as_: str = "U0DANA") -> dict[str, Any]:
    """Return what the person reads."""
    deed = {"as": as_, "command": "/countersign", "text": text}
    return await bot.workspace.do("command", **deed)


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("digest", ("send_now", WHO)),
        ("  Digest ", ("send_now", WHO)),
        ("digest at 8:30", ("set_time", WHO, "08:30", (1, 2, 3, 4, 5))),
        ("digest at 17.05", ("set_time", WHO, "17:05", (1, 2, 3, 4, 5))),
        ("digest off", ("turn", WHO, False)),
        ("digest on", ("turn", WHO, True)),
    ],
)
async def test_command_reaches_its_service(bot: SlackBot, text: str, call: tuple[Any, ...]) -> None:
    """Each phrase does one thing."""
    await command(bot, text)
    assert bot.services.calls == [call]


async def test_page_is_that_of_the_newest_goal(bot: SlackBot) -> None:
    """`page` gives the link of the person's newest goal."""
    bot.services.answer = Answer("Your goal's page:", url="https://a.example/g")
    answered = await command(bot, "page")
    assert bot.services.calls[-1] == ("goal_page", WHO, 17)
    assert "https://a.example/g" in str(answered)


async def test_goals_are_listed(bot: SlackBot) -> None:
    """`goals` lists goals with their state; without any it says what to do."""
    assert "Create a deal — Running" in str(await command(bot, "goals"))
    bot.services.home = cards.home_view(goals=())
    assert "You have no goals yet" in str(await command(bot, "goals"))


@pytest.mark.parametrize("text", ["", "help", "dance", "digest at 25:00", "x" * 9000])
async def test_anything_else_is_answered_with_help(bot: SlackBot, text: str) -> None:
    """Nobody is left without an answer."""
    answered = await command(bot, text)
    assert bot.services.calls == []
    assert HELP.splitlines()[1] in str(answered)


async def test_guest_is_refused(bot: SlackBot) -> None:
    """The command is for members."""  # S13
    answered = await command(bot, "digest", as_="U0GUS")
    assert bot.services.calls == []
    assert "full members" in str(answered)
