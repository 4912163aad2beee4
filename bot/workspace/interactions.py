"""What a person does with what the bot shows: clicks, modals, Home, slash commands.

Source: https://docs.slack.dev/reference/interaction-payloads (block_actions, view_submission,
view_closed) and https://docs.slack.dev/interactivity/implementing-slash-commands.
"""

from urllib.parse import urlencode

from bot.workspace.clicks import Click, action_entry
from bot.workspace.config import Person
from bot.workspace.core import Workspace
from bot.workspace.delivery import Answer
from bot.workspace.errors import RefusedError
from bot.workspace.inputs import state_values
from bot.workspace.payloads import VERIFICATION_TOKEN, interaction, interaction_body
from bot.workspace.shapes import JsonObject


async def click_message(
    workspace: Workspace, person: Person, *, channel_id: str, ts: str, click: Click
) -> Answer:
    """Deliver `block_actions` for an element of a message; also a stale or a stranger's one.

    Raises:
        RefusedError: `channel_not_found` or `message_not_found`; the message never existed.
    """
    conversation = workspace.store.find_conversation(channel_id)
    if conversation is None:
        raise RefusedError("channel_not_found")
    message = workspace.store.find(channel_id, ts)
    if message is None:
        raise RefusedError("message_not_found")
    blocks = message.body.get("blocks", [])
    is_ephemeral = message.ephemeral_to is not None
    container: JsonObject = {
        "type": "message",
        "message_ts": ts,
        "channel_id": channel_id,
        "is_ephemeral": is_ephemeral,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    payload = interaction("block_actions", person, workspace.config)
    payload |= {
        "container": container,
        "trigger_id": workspace.tickets.mint_trigger(person.id),
        "channel": {"id": channel_id, "name": _shown_name(conversation.im_user, conversation.name)},
        "state": {"values": state_values(blocks, click.state)},
        "response_url": response_url(
            workspace, person, channel_id=channel_id, message_ts=ts, thread_ts=message.thread_ts
        ),
        "actions": [action_entry(workspace, blocks, click)],
    }
    if not is_ephemeral:
        payload["message"] = message.body
    return await _deliver(workspace, payload, name=click.action_id)


async def click_view(workspace: Workspace, person: Person, *, view_id: str, click: Click) -> Answer:
    """Deliver `block_actions` for an element of a modal or Home.

    Raises:
        RefusedError: `view_not_found`.
    """
    view = _view_of(workspace, view_id)
    values = state_values(view["blocks"], click.state)
    payload = interaction("block_actions", person, workspace.config)
    payload |= {
        "container": {"type": "view", "view_id": view_id},
        "trigger_id": workspace.tickets.mint_trigger(person.id),
        "view": {**view, "state": {"values": values}},
        "actions": [action_entry(workspace, view["blocks"], click)],
    }
    return await _deliver(workspace, payload, name=click.action_id)


async def command(
    workspace: Workspace, person: Person, *, name: str, text: str, channel_id: str
) -> Answer:
    """Deliver a slash command.

    Raises:
        RefusedError: `unknown_command` or `channel_not_found`.
    """
    if name not in workspace.config.commands:
        raise RefusedError("unknown_command")
    conversation = workspace.conversation(channel_id)
    body = urlencode(
        {
            "token": VERIFICATION_TOKEN,
            "team_id": workspace.config.team.id,
            "team_domain": workspace.config.team.domain,
            "channel_id": conversation.id,
            "channel_name": _shown_name(conversation.im_user, conversation.name),
            "user_id": person.id,
            "user_name": person.name,
            "command": name,
            "text": text,
            "api_app_id": workspace.config.app_id,
            "is_enterprise_install": "false",
            "response_url": response_url(workspace, person, channel_id=conversation.id),
            "trigger_id": workspace.tickets.mint_trigger(person.id),
        }
    )
    url = workspace.config.commands_url
    return await workspace.delivery.send_form(kind="command", name=name, url=url, body=body)


def open_home(workspace: Workspace, person: Person, *, tab: str = "home") -> None:
    """Deliver `app_home_opened` for one of the two tabs of the bot's conversation."""
    conversation = workspace.conversation(person.id)
    event: JsonObject = {
        "type": "app_home_opened",
        "user": person.id,
        "channel": conversation.id,
        "tab": tab,
        "event_ts": workspace.store.mint_ts(),
    }
    view = workspace.views.home(person.id)
    if view is not None and tab == "home":
        event["view"] = view
    workspace.emit(event, subscription="app_home_opened")


def response_url(
    workspace: Workspace,
    person: Person,
    *,
    channel_id: str,
    message_ts: str | None = None,
    thread_ts: str | None = None,
) -> str:
    """Return a new response_url for this person and place."""
    secret = workspace.tickets.mint_response(
        user_id=person.id, channel_id=channel_id, message_ts=message_ts, thread_ts=thread_ts
    )
    return f"{workspace.config.base_url}/response/{secret}"


async def _deliver(workspace: Workspace, payload: JsonObject, *, name: str) -> Answer:
    return await workspace.delivery.send_form(
        kind="interaction",
        name=f"{payload['type']} {name}",
        url=workspace.config.interactivity_url,
        body=interaction_body(payload),
    )


def _view_of(workspace: Workspace, view_id: str) -> JsonObject:
    found = workspace.views.find(view_id=view_id)
    if found is None:
        raise RefusedError("view_not_found")
    return found[1]


def _shown_name(im_user: str | None, name: str) -> str:
    return "directmessage" if im_user else name
