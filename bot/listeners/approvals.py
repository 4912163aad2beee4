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
from bot.views.approvals import build_reject_all_modal, build_reject_modal
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
        app.action(ids.APPROVAL_APPROVE_ALL)(self.handle_all_approved)
        app.action(ids.APPROVAL_REJECT_ALL)(self.handle_reject_all_wanted)

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

    async def handle_all_approved(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        press = read_press(body)
        answer = await self.services.approvals.decide_all(
            press.click, read_id(press.value), Verdict.APPROVE, None
        )
        await ack()
        await settle(client, press, answer)

    async def handle_reject_all_wanted(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        """Ask for the reason of somebody who may decide; others are told at once."""
        press = read_press(body)
        approval_id = read_id(press.value)
        told = await self.services.approvals.tell_open(press.click, approval_id)
        await ack()
        if isinstance(told, Answer):
            await tell(client, press, told)
        else:
            modal = build_reject_all_modal(approval_id, sentence=told, place=press.place)
            await open_modal(client, press, modal)

    async def handle_rejected(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        try:
            place, about = decode_place(body["view"]["private_metadata"])
            reason = str(body["view"]["state"]["values"][ids.REASON][ids.REASON]["value"] or "")
        except (ValueError, KeyError, TypeError) as err:
            raise BadPayloadError from err
        click = read_submitter(body, place)
        desk, said = self.services.approvals, reason.strip() or None
        if "approval_id" in about:
            approval_id = read_id(about["approval_id"])
            answer = await desk.decide_all(click, approval_id, Verdict.REJECT, said)
        else:
            answer = await desk.decide(click, read_id(about.get("item_id")), Verdict.REJECT, said)
        if answer.ok:
            await ack()
        else:
            await ack(response_action="update", view=build_notice_modal(answer.text))
