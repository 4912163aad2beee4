"""What a person reads when a provider does not do as it should, for a read and for a write."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.views import ids
from tests.bot.badinput.whole_bot import ACCOUNT, DANA, HUBSPOT, WholeBot

QUESTION = "Which deals does Acme have?"
WISH = "Create a deal called Beta for Acme worth $48,000"


@dataclass(frozen=True)
class Case:
    """A fault of the provider, how the goal stands then, and what the person reads."""

    kind: str
    read: tuple[str, str]
    write: tuple[str, str]
    more: dict[str, Any] = field(default_factory=dict)


ANSWERED = ("done", "Acme renewal")
DONE = ("done", "All done.")
DENIED = ("failed", "Ask who administers your HubSpot account for the right.")
UNKNOWN = ("waiting", "I do not know whether this happened")
LATER = "Please ask me again later."
RESTING = "HubSpot asks us to slow down. I try again by myself."

CASES = {
    "401 once": Case("401", ANSWERED, DONE),
    "403": Case("403", DENIED, DENIED),
    "429 once": Case("429", ANSWERED, DONE, {"retry_after_s": 0}),
    "500 once": Case("500", ANSWERED, DONE),
    "500 for long": Case("500", ("failed", LATER), UNKNOWN, {"times": 3}),
    "slow": Case("slow", ANSWERED, DONE, {"delay_s": 1.2}),
    "reset": Case("reset_before", ANSWERED, DONE),
    "reset for long": Case("reset_after_commit", ("failed", LATER), UNKNOWN, {"times": 3}),
    # Last: the connection rests for a minute.
    "429 for long": Case("429", ("planning", RESTING), ("running", RESTING), {"retry_after_s": 60}),
}
LASTING = {name: (name,) for name in CASES if name.endswith("for long")}
PASSING = tuple(name for name in CASES if name not in LASTING)


async def connected(bot: WholeBot) -> None:
    """Connect HubSpot for reading and writing, and leave nothing open."""
    await bot.say(WISH.replace("Beta", "Alpha"))
    await bot.connect()
    await bot.press(DANA, ids.GOAL_RUN)
    await bot.connect()
    assert bot.goals()[-1][1] == "done"


async def test_failing_read_says_what_to_do(bot: WholeBot) -> None:
    """A fault that passes is not noticed; one that stays is told with its remedy."""
    await connected(bot)
    for name, case in CASES.items():
        await bot.fault(HUBSPOT, case.kind, match={"path_prefix": "/crm"}, **case.more)
        await bot.say(QUESTION)
        assert bot.goals()[-1] == (QUESTION, case.read[0]), name
        assert case.read[1] in "\n".join((await bot.shown())[-2:]), name


@pytest.mark.parametrize("names", [PASSING, *LASTING.values()], ids=["passing", *LASTING])
async def test_failing_write_says_what_to_do(bot: WholeBot, names: tuple[str, ...]) -> None:
    """As for a read, and what cannot be known is asked; it happens once at most."""
    await connected(bot)
    match = {"path_prefix": "/crm", "method": "POST"}
    for number, case in enumerate(CASES[name] for name in names):
        wish = WISH.replace("Beta", f"Beta{number}")
        await bot.say(wish)
        await bot.fault(HUBSPOT, case.kind, match=match, **case.more)
        await bot.press(DANA, ids.GOAL_RUN)
        assert bot.goals()[-1] == (wish, case.write[0]), case
        assert case.write[1] in "\n".join((await bot.shown())[-2:]), case
        deals = (await bot.look(HUBSPOT))["deals"]
        made = [deal for deal in deals if deal["properties"]["dealname"] == f"Beta{number}"]
        assert len(made) <= 1
        assert case.write != DONE or len(made) == 1


async def test_revoked_access_asks_to_connect_again_and_goes_on(bot: WholeBot) -> None:
    """A 401 that stays is a wish for a new connection; with it the question is answered."""  # S25
    await connected(bot)
    await bot.control(HUBSPOT, "revoke-grants", {"email": ACCOUNT})
    await bot.say(QUESTION)
    assert "connect your HubSpot" in (await bot.shown())[-1]
    await bot.connect()
    assert bot.goals()[-1] == (QUESTION, "done")


async def test_record_that_is_gone_is_said_plainly(bot: WholeBot) -> None:
    """A 404 names what is gone; nothing else is tried."""
    await connected(bot)
    await bot.press(DANA, ids.TASK_UNDO)
    await bot.say("Set the amount of the deal Alpha to $1,000")
    said = (await bot.shown())[-1]
    assert bot.goals()[-1][1] in {"failed", "asking"}
    assert "Alpha" in said


async def test_contact_that_is_there_already_is_said_plainly(bot: WholeBot) -> None:
    """HubSpot keeps one contact an address and answers 409: nothing is changed, and it says so."""
    wish = "Add jane.doe@acme.example as a contact at Acme"
    await bot.say(wish)
    await bot.connect()
    await bot.press(DANA, ids.GOAL_RUN)
    await bot.connect()
    assert bot.goals()[-1] == (wish, "failed")
    said = "\n".join(await bot.shown())
    assert "already" in said
    assert "409" not in said
