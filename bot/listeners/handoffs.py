"""The click of whoever looked at something that was handed over."""

from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.listeners.presses import read_id, read_press
from bot.listeners.replies import settle
from bot.listeners.services import Services
from bot.views import ids


@dataclass(frozen=True, slots=True)
class HandoffListeners:
    services: Services

    def register(self, app: AsyncApp) -> None:
        app.action(ids.HANDOFF_SETTLED)(self.handle_settled)

    async def handle_settled(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        press = read_press(body)
        answer = await self.services.handoffs.close(press.click, read_id(press.value))
        await ack()
        await settle(client, press, answer)
