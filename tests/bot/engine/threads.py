"""What Dana writes in the thread of her goal."""

from bot.goals.messages import IncomingMessage
from tests.bot.engine.world import DANA, TEAM


def said(text: str, *, ts: str = "9.0", person_id: str = DANA) -> IncomingMessage:
    """Return a message in the thread of the goals that `World.plan` makes."""
    return IncomingMessage(
        team_id=TEAM,
        person_id=person_id,
        channel_id="D1",
        ts=ts,
        thread_ts="1.0",
        text=text,
        is_dm=True,
    )
