"""Clicks of an admin in Home: halt every write, resume."""

from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.listeners.errors import BadPayloadError
from bot.listeners.presses import read_press, read_submitter
from bot.listeners.replies import open_modal, settle
from bot.listeners.services import Services
from bot.views import ids
from bot.views.halts import build_halt_modal
from bot.views.metadata import Place
from bot.views.notes import build_notice_modal


@dataclass(frozen=True, slots=True)
class HaltListeners:
    services: Services

    def register(self, app: AsyncApp) -> None:
        app.action(ids.HALT_WANTED)(self.handle_halt_wanted)
        app.view(ids.MODAL_HALT)(self.handle_halted)
        app.action(ids.HALT_RESUMED)(self.handle_resumed)

    async def handle_halt_wanted(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        """Ask first; whether the clicker may is judged when they confirm."""
        press = read_press(body)
        await ack()
        await open_modal(client, press, build_halt_modal())

    async def handle_halted(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        try:
            typed = body["view"]["state"]["values"][ids.REASON][ids.REASON]["value"]
        except (KeyError, TypeError) as err:
            raise BadPayloadError from err
        click = read_submitter(body, Place(None, None))
        answer = await self.services.halts.halt_team(click, str(typed or "").strip())
        if answer.ok:
            await ack()
        else:
            await ack(response_action="update", view=build_notice_modal(answer.text))

    async def handle_resumed(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        press = read_press(body)
        answer = await self.services.halts.resume_team(press.click)
        await ack()
        await settle(client, press, answer)
