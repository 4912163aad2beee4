"""Clicks that connect a provider or give a connection up."""

from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.listeners.presses import read_press
from bot.listeners.replies import tell
from bot.listeners.services import Services
from bot.views import ids


@dataclass(frozen=True, slots=True)
class ConnectionListeners:
    services: Services

    def register(self, app: AsyncApp) -> None:
        app.action(ids.CONNECTION_CONNECT)(self.handle_connect_wanted)
        app.action(ids.CONNECTION_DISCONNECT)(self.handle_disconnected)

    async def handle_connect_wanted(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        press = read_press(body)
        answer = await self.services.connections.connect(press.click, press.value)
        await ack()
        await tell(client, press, answer)

    async def handle_disconnected(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        press = read_press(body)
        answer = await self.services.connections.disconnect(press.click, press.value)
        await ack()
        await tell(client, press, answer)
