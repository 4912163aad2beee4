"""Submitting and closing modals, and what the bot's answer does to the stack.

Source: https://docs.slack.dev/surfaces/modals (response_action errors, update, push, clear;
view_closed only with `notify_on_close`).
"""

from bot.workspace.config import Person
from bot.workspace.core import Workspace
from bot.workspace.delivery import Answer
from bot.workspace.errors import RefusedError
from bot.workspace.inputs import Typed, input_problems, state_values
from bot.workspace.modals import MAX_STACK, new_view, updated_view
from bot.workspace.payloads import interaction, interaction_body
from bot.workspace.shapes import JsonObject


async def submit_view(
    workspace: Workspace, person: Person, *, view_id: str | None, typed: Typed
) -> JsonObject:
    """Submit a modal and return what came of it.

    Empty required inputs are refused here, as by Slack's client, and reach no bot
    (`delivered` false). Otherwise the bot's `response_action` is carried out; an answer that Slack
    would not accept is an `error` and leaves the modal open.

    Raises:
        RefusedError: `view_not_found`; no such modal is open for this person.
    """
    view = _open_modal(workspace, person, view_id)
    values = state_values(view["blocks"], typed)
    problems = input_problems(view["blocks"], values)
    if problems:
        return {"response_action": "errors", "errors": problems, "delivered": False}
    submitted = {**view, "state": {"values": values}}
    payload = interaction("view_submission", person, workspace.config)
    payload |= {
        "trigger_id": workspace.tickets.mint_trigger(person.id),
        "view": submitted,
        "response_urls": [],
    }
    answer = await _deliver(workspace, payload, name=f"view_submission {view['callback_id']}")
    if not answer.is_ok:
        return {"delivered": True, "status": answer.status, "error": answer.error}
    outcome = _carry_out(workspace, person, submitted, answer.json())
    workspace.bus.publish({"type": "view", "user": person.id})
    return {"delivered": True, "status": answer.status, **outcome}


async def close_view(
    workspace: Workspace, person: Person, *, view_id: str | None, clear: bool
) -> JsonObject:
    """Close the top modal, or all; deliver `view_closed` for those that asked for it.

    Raises:
        RefusedError: `view_not_found`.
    """
    top = _open_modal(workspace, person, view_id)
    stack = workspace.views.stack(person.id)
    closed = list(reversed(stack)) if clear or top.get("clear_on_close") else [top]
    for view in closed:
        workspace.views.close(str(view["id"]))
    workspace.bus.publish({"type": "view", "user": person.id})
    statuses = []
    for view in closed:
        if view.get("notify_on_close"):
            payload = interaction("view_closed", person, workspace.config)
            payload |= {"view": view, "is_cleared": clear}
            answer = await _deliver(workspace, payload, name=f"view_closed {view['callback_id']}")
            statuses.append(answer.status)
    return {"closed": len(closed), "statuses": statuses}


def _open_modal(workspace: Workspace, person: Person, view_id: str | None) -> JsonObject:
    stack = workspace.views.stack(person.id)
    wanted = [view for view in stack if view_id in {None, view["id"]}]
    if not wanted:
        raise RefusedError("view_not_found")
    return wanted[-1]


def _carry_out(
    workspace: Workspace, person: Person, submitted: JsonObject, answer: JsonObject
) -> JsonObject:
    action = answer.get("response_action")
    try:
        if action is None:
            workspace.views.close(str(submitted["id"]))
        elif action == "clear":
            workspace.views.clear(person.id)
        elif action == "errors":
            return _shown_errors(submitted, answer)
        elif action == "update":
            view = updated_view(workspace, _view_in(answer), current=submitted)
            workspace.views.replace(view)
        elif action == "push":
            _push(workspace, person, answer)
        else:
            return {"response_action": action, "error": "invalid_response_action"}
    except RefusedError as refusal:
        return {"response_action": action, "error": refusal.code, "messages": refusal.messages}
    return {"response_action": action}


def _shown_errors(submitted: JsonObject, answer: JsonObject) -> JsonObject:
    errors = answer.get("errors")
    inputs = {b["block_id"] for b in submitted["blocks"] if b["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
        raise RefusedError(
            "invalid_errors", messages=["`errors` must name the block_id of input blocks"]
        )
    return {"response_action": "errors", "errors": errors}


def _push(workspace: Workspace, person: Person, answer: JsonObject) -> None:
    stack = workspace.views.stack(person.id)
    if len(stack) >= MAX_STACK:
        raise RefusedError("push_limit_reached")
    view = new_view(workspace, _view_in(answer), expected="modal", below=stack)
    workspace.views.push(person.id, view)


def _view_in(answer: JsonObject) -> JsonObject:
    view = answer.get("view")
    if not isinstance(view, dict):
        raise RefusedError("invalid_arguments", messages=["`view` is missing"])
    return view


async def _deliver(workspace: Workspace, payload: JsonObject, *, name: str) -> Answer:
    return await workspace.delivery.send_form(
        kind="interaction",
        name=name,
        url=workspace.config.interactivity_url,
        body=interaction_body(payload),
    )
