"""Clicks on what a message about a goal may mean."""

import re
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.listeners.presses import read_id, read_press, read_versioned_id
from bot.listeners.replies import settle
from bot.listeners.services import Services
from bot.views import ids


@dataclass(frozen=True, slots=True)
class RemarkListeners:
    services: Services

    def register(self, app: AsyncApp) -> None:
        app.action(re.compile(rf"{ids.REMARK_PICK}:\d+"))(self.handle_picked)
        app.action(ids.REMARK_NONE)(self.handle_dismissed)

    async def handle_picked(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        press = read_press(body)
        answer = await self.services.remarks.pick(press.click, *read_versioned_id(press.value))
        await ack()
        await settle(client, press, answer)

    async def handle_dismissed(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        press = read_press(body)
        answer = await self.services.remarks.dismiss(press.click, read_id(press.value))
        await ack()
        await settle(client, press, answer)
