"""Clicks on the card of a call whose reply was lost."""

from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.listeners.presses import read_id, read_press
from bot.listeners.replies import settle
from bot.listeners.services import Services, UnknownVerdict
from bot.views import ids


@dataclass(frozen=True, slots=True)
class UnknownListeners:
    services: Services

    def register(self, app: AsyncApp) -> None:
        app.action(ids.UNKNOWN_HAPPENED)(self.handle_happened)
        app.action(ids.UNKNOWN_RUN_AGAIN)(self.handle_run_again)
        app.action(ids.UNKNOWN_LEAVE)(self.handle_left)

    async def handle_happened(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await self._settle(ack, body, client, "happened")

    async def handle_run_again(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await self._settle(ack, body, client, "run_again")

    async def handle_left(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await self._settle(ack, body, client, "leave")

    async def _settle(
        self,
        ack: AsyncAck,
        body: dict[str, Any],
        client: AsyncWebClient,
        verdict: UnknownVerdict,
    ) -> None:
        press = read_press(body)
        answer = await self.services.unknowns.settle(press.click, read_id(press.value), verdict)
        await ack()
        await settle(client, press, answer)
