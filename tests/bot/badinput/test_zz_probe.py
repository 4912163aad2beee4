import pytest
from tests.bot.badinput.whole_bot import *
from bot.views import ids
from tests.bot.badinput.conftest import bot
QUESTION = "Which deals does Acme have?"
DEAL = "Create a deal for Acme worth $48,000"
EV = "Block an hour tomorrow at 9 for the report"
@pytest.mark.parametrize("kind,more", [("401",{}),("403",{}),("429",{"retry_after_s":0}),("429",{"retry_after_s":30}),("500",{}),("500",{"times":9}),("slow",{"delay_s":1.5}),("reset_before",{}),("reset_after_commit",{"times":9})])
@pytest.mark.parametrize("what", ["read","write","event"])
async def test_p(bot, kind, more, what):
    await bot.say(QUESTION); await bot.connect()
    if what=="write":
        await bot.say(DEAL); await bot.press(DANA, ids.GOAL_RUN); await bot.connect()
    if what=="event":
        await bot.say(EV); await bot.connect()
    n=len(await bot.cards())
    if what=="read":
        await bot.fault("hubspot", kind, match={"path_prefix":"/crm"}, **more)
        await bot.say(QUESTION)
    elif what=="write":
        await bot.say(DEAL.replace("Acme","Beta"))
        await bot.fault("hubspot", kind, match={"path_prefix":"/crm", "method":"POST"}, **more)
        try: await bot.press(DANA, ids.GOAL_RUN)
        except AssertionError as e: print("!!", e)
    else:
        await bot.fault("google_calendar", kind, match={"path_prefix":"/calendar", "method":"POST"}, **more)
        await bot.say("Block an hour tomorrow at 14 for the review")
    import asyncio
    for _ in range(4):
        await asyncio.sleep(0.05); await bot.work()
    print("\n=====", what, kind, more, bot.goals()[-1])
    for t in (await bot.shown())[n:]: print("  --", t.replace("\n"," / ")[:600])
    print(bot.rows("SELECT key,status,failure,tries FROM tasks ORDER BY id DESC LIMIT 2"))
