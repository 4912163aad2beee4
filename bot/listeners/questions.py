"""Clicks on the card of a question about a value."""

import re
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.goals.clicks import Answer
from bot.listeners.presses import read_id, read_press, read_versioned_id
from bot.listeners.replies import open_modal, settle, tell
from bot.listeners.services import Services
from bot.views import ids
from bot.views.plans import build_plan_modal


@dataclass(frozen=True, slots=True)
class QuestionListeners:
    services: Services

    def register(self, app: AsyncApp) -> None:
        app.action(re.compile(rf"{ids.QUESTION_CHOOSE}:\d+"))(self.handle_chosen)
        app.action(ids.QUESTION_WRITE)(self.handle_value_wanted)
        app.action(ids.QUESTION_LEAVE_OUT)(self.handle_left_out)

    async def handle_chosen(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        press = read_press(body)
        asked, _, number = press.value.rpartition(":")
        task_id, version = read_versioned_id(asked)
        answer = await self.services.answers.choose(press.click, task_id, version, read_id(number))
        await ack()
        await settle(client, press, answer)

    async def handle_value_wanted(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        press = read_press(body)
        task_id, version = read_versioned_id(press.value)
        form = await self.services.answers.form(press.click, task_id, version)
        await ack()
        if isinstance(form, Answer):
            await tell(client, press, form)
        else:
            await open_modal(client, press, build_plan_modal(form, place=press.place))

    async def handle_left_out(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        press = read_press(body)
        task_id, version = read_versioned_id(press.value)
        answer = await self.services.answers.leave_out(press.click, task_id, version)
        await ack()
        await settle(client, press, answer)
