"""Clicks on an approval's card: approve, edit, reject with a reason."""

from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.goals.clicks import Answer
from bot.listeners.errors import BadPayloadError
from bot.listeners.presses import read_id, read_press, read_submitter
from bot.listeners.replies import open_modal, settle, tell
from bot.listeners.services import Services
from bot.listeners.submissions import acknowledge
from bot.views import ids
from bot.views.approvals import build_reject_modal
from bot.views.metadata import decode_place
from bot.views.notes import build_notice_modal
from bot.views.plans import build_plan_modal, parse_plan_modal
from storage.tables.approvals import Verdict


@dataclass(frozen=True, slots=True)
class ApprovalListeners:
    """A decision is committed before its click is acknowledged."""

    services: Services

    def register(self, app: AsyncApp) -> None:
        app.action(ids.APPROVAL_APPROVE)(self.handle_approved)
        app.action(ids.APPROVAL_EDIT)(self.handle_edit_wanted)
        app.view(ids.MODAL_CALL)(self.handle_edited)
        app.action(ids.APPROVAL_REJECT)(self.handle_reject_wanted)
        app.view(ids.MODAL_REJECT)(self.handle_rejected)

    async def handle_approved(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        press = read_press(body)
        item_id = read_id(press.value)
        answer = await self.services.approvals.decide(press.click, item_id, Verdict.APPROVE, None)
        await ack()
        await settle(client, press, answer)

    async def handle_edit_wanted(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        press = read_press(body)
        form = await self.services.approvals.form(press.click, read_id(press.value))
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
        values = next(iter(form.values.values()), {})
        click = read_submitter(body, form.place)
        outcome = await self.services.approvals.edit(click, read_id(form.item_id), values)
        await acknowledge(ack, outcome, form)

    async def handle_reject_wanted(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        """Ask for the reason of somebody who may decide; others are told at once."""
        press = read_press(body)
        item_id = read_id(press.value)
        form = await self.services.approvals.form(press.click, item_id)
        await ack()
        if isinstance(form, Answer):
            await tell(client, press, form)
        else:
            sentence = form.steps[0].title
            modal = build_reject_modal(item_id, sentence=sentence, place=press.place)
            await open_modal(client, press, modal)

    async def handle_rejected(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        try:
            place, about = decode_place(body["view"]["private_metadata"])
            reason = str(body["view"]["state"]["values"][ids.REASON][ids.REASON]["value"] or "")
        except (ValueError, KeyError, TypeError) as err:
            raise BadPayloadError from err
        answer = await self.services.approvals.decide(
            read_submitter(body, place),
            read_id(about.get("item_id")),
            Verdict.REJECT,
            reason.strip() or None,
        )
        if answer.ok:
            await ack()
        else:
            await ack(response_action="update", view=build_notice_modal(answer.text))
