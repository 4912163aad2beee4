"""The slash command: a few words, answered to the person alone."""

import re
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.engine.home import HomeView
from bot.goals.clicks import Answer, Click
from bot.listeners.services import Services
from bot.views.notes import build_note_blocks, note_fallback
from bot.views.text import one_line, shorten

COMMAND = "/countersign"

HELP = (
    "Write to me in a direct message, or mention me in a channel, and say what you want done.\n"
    f"{COMMAND} digest: what waits on you, done, next, stuck\n"
    f"{COMMAND} digest at 8:30: when the digest comes, on workdays\n"
    f"{COMMAND} digest off · {COMMAND} digest on\n"
    f"{COMMAND} goals: your newest goals\n"
    f"{COMMAND} page: the page of your newest goal"
)
_TIME = re.compile(r"digest at ([01]?\d|2[0-3])[:.]([0-5]\d)", re.ASCII)
_WORKDAYS = (1, 2, 3, 4, 5)
_GOALS_SHOWN = 8
_GOAL_SHOWN = 120


@dataclass(frozen=True, slots=True)
class CommandListeners:
    services: Services

    def register(self, app: AsyncApp) -> None:
        app.command(COMMAND)(self.handle_command)

    async def handle_command(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Answer a command; it is not posted anywhere."""
        click = Click(str(body["team_id"]), str(body["user_id"]), str(body["channel_id"]))
        answer = await self._answer(click, one_line(str(body.get("text") or "")).casefold())
        await ack(
            response_type="ephemeral",
            text=note_fallback(answer.text),
            blocks=build_note_blocks(answer.text, url=answer.url),
        )

    async def _answer(self, click: Click, words: str) -> Answer:
        time = _TIME.fullmatch(words)
        if time is not None:
            at = f"{int(time[1]):02}:{time[2]}"
            return await self.services.digests.set_time(click, hour_minute=at, weekdays=_WORKDAYS)
        if words in {"digest on", "digest off"}:
            return await self.services.digests.turn(click, on=words == "digest on")
        if words == "digest":
            return await self.services.digests.send_now(click)
        if words in {"goals", "page"}:
            return await self._own(click, words)
        if words in {"", "help"}:
            return Answer(HELP)
        return Answer(f"I do not know “{shorten(words, 60)}”.\n{HELP}", ok=False)

    async def _own(self, click: Click, words: str) -> Answer:
        """Return the person's goals, or the page of the newest."""
        home = await self.services.homes.load(click.team_id, click.person_id)
        if words == "goals" or not home.goals:
            return _goals(home)
        return await self.services.links.goal_page(click, home.goals[0].goal_id)


def _goals(home: HomeView) -> Answer:
    if not home.goals:
        return Answer("You have no goals yet. Write to me what you want done.")
    lines = [
        f"• {shorten(one_line(goal.text), _GOAL_SHOWN)} — {goal.status}"
        for goal in home.goals[:_GOALS_SHOWN]
    ]
    return Answer("\n".join(lines))
