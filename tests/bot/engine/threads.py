"""What Dana writes in the thread of her goal."""

import itertools

from bot.goals.messages import IncomingMessage
from tests.bot.engine.world import DANA, TEAM

_NUMBERS = itertools.count()


def said(text: str, *, ts: str | None = None, person_id: str = DANA) -> IncomingMessage:
    """Return a message in the thread of the goals that `World.plan` makes; each has its own ts."""
    return IncomingMessage(
        team_id=TEAM,
        person_id=person_id,
        channel_id="D1",
        ts=ts or f"9.{next(_NUMBERS):06}",
        thread_ts="1.0",
        text=text,
        is_dm=True,
    )
