"""Clicks on a proposed plan: run it, edit it."""

from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.goals.clicks import Answer
from bot.listeners.errors import BadPayloadError
from bot.listeners.presses import read_press, read_submitter, read_versioned_id
from bot.listeners.replies import open_modal, settle, tell
from bot.listeners.services import Services
from bot.listeners.submissions import acknowledge
from bot.views import ids
from bot.views.plans import build_plan_modal, parse_plan_modal


@dataclass(frozen=True, slots=True)
class PlanListeners:
    services: Services

    def register(self, app: AsyncApp) -> None:
        app.action(ids.GOAL_RUN)(self.handle_run)
        app.action(ids.GOAL_EDIT)(self.handle_edit_wanted)
        app.view(ids.MODAL_PLAN)(self.handle_edited)

    async def handle_run(self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        press = read_press(body)
        goal_id, version = read_versioned_id(press.value)
        answer = await self.services.plans.run(press.click, goal_id, version)
        await ack()
        await settle(client, press, answer)

    async def handle_edit_wanted(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        press = read_press(body)
        goal_id, version = read_versioned_id(press.value)
        form = await self.services.plans.form(press.click, goal_id, version)
        await ack()
        if isinstance(form, Answer):
            await tell(client, press, form)
        else:
            await open_modal(client, press, build_plan_modal(form, place=press.place))

    async def handle_edited(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        try:
            form = parse_plan_modal(body["view"])
        except ValueError as err:
            raise BadPayloadError from err
        click = read_submitter(body, form.place)
        outcome = await self.services.plans.edit(
            click, form.goal_id, form.version, form.dropped, form.values
        )
        await acknowledge(ack, outcome, form)
