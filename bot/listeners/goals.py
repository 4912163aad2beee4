"""Clicks on a goal's card: cancel, pause, resume, a choice, an example, undo, its page."""

import re
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.listeners.errors import BadPayloadError
from bot.listeners.presses import read_id, read_press
from bot.listeners.replies import settle, tell
from bot.listeners.services import Services
from bot.views import ids


@dataclass(frozen=True, slots=True)
class GoalListeners:
    services: Services

    def register(self, app: AsyncApp) -> None:
        app.action(ids.GOAL_CANCEL)(self.handle_cancelled)
        app.action(ids.GOAL_PAUSE)(self.handle_paused)
        app.action(ids.GOAL_RESUME)(self.handle_resumed)
        app.action(re.compile(rf"{ids.GOAL_CHOOSE}:\d+"))(self.handle_chosen)
        app.action(re.compile(rf"{ids.EXAMPLE}:\d+"))(self.handle_example)
        app.action(ids.GOAL_UNDO)(self.handle_all_undone)
        app.action(ids.TASK_UNDO)(self.handle_undone)
        app.action(ids.GOAL_PAGE)(self.handle_page_wanted)

    async def handle_cancelled(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        press = read_press(body)
        answer = await self.services.goals.cancel(press.click, read_id(press.value))
        await ack()
        await settle(client, press, answer)

    async def handle_paused(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        press = read_press(body)
        answer = await self.services.pauses.pause(press.click, read_id(press.value))
        await ack()
        await settle(client, press, answer)

    async def handle_resumed(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        press = read_press(body)
        answer = await self.services.pauses.resume(press.click, read_id(press.value))
        await ack()
        await settle(client, press, answer)

    async def handle_chosen(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        press = read_press(body)
        goal_id, separator, choice = press.value.partition(":")
        if not separator or not choice:
            raise BadPayloadError
        answer = await self.services.goals.choose(press.click, read_id(goal_id), choice)
        await ack()
        await settle(client, press, answer)

    async def handle_example(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        press = read_press(body)
        if not press.value:
            raise BadPayloadError
        answer = await self.services.goals.start_example(press.click, press.value)
        await ack()
        await settle(client, press, answer)

    async def handle_undone(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        press = read_press(body)
        answer = await self.services.undos.undo(press.click, read_id(press.value))
        await ack()
        await settle(client, press, answer)

    async def handle_all_undone(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        press = read_press(body)
        answer = await self.services.undos.undo_goal(press.click, read_id(press.value))
        await ack()
        await settle(client, press, answer)

    async def handle_page_wanted(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        press = read_press(body)
        answer = await self.services.links.goal_page(press.click, read_id(press.value))
        await ack()
        await tell(client, press, answer)
