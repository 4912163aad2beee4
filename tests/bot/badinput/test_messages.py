"""What a careful user would expect of messages that are no clear goal."""

from typing import Any

import pytest

from tests.bot.badinput.whole_bot import DANA, WholeBot, dm


async def test_smoke(bot: WholeBot) -> None:
    await bot.say("hi")
    print(await bot.shown())
    await bot.say("Which deals does Acme have?")
    print(await bot.shown())
    await bot.connect()
    print(await bot.shown())
    print(bot.goals())
