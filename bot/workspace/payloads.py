"""The objects that Slack's API and its deliveries have in common: users, channels, envelopes."""

import secrets
import time
from urllib.parse import urlencode

from bot.workspace.config import Person, WorkspaceConfig
from bot.workspace.shapes import JsonObject, encode
from bot.workspace.store import Conversation, StoredMessage

VERIFICATION_TOKEN = "local-workspace"  # noqa: S105 - Slack's deprecated field; proves nothing


def user_object(person: Person, config: WorkspaceConfig, *, with_email: bool) -> JsonObject:
    """Return a user as `users.info` shows them; the address needs `users:read.email`."""
    profile: JsonObject = {
        "title": person.title,
        "real_name": person.real_name,
        "real_name_normalized": person.real_name,
        "display_name": person.name,
        "display_name_normalized": person.name,
        "team": config.team.id,
    }
    if with_email and person.email:
        profile["email"] = person.email
    if person.is_bot:
        profile |= {"bot_id": config.bot_id, "api_app_id": config.app_id}
    user: JsonObject = {
        "id": person.id,
        "team_id": config.team.id,
        "name": person.name,
        "deleted": person.deleted,
        "profile": profile,
        "is_bot": person.is_bot,
        "is_app_user": False,
        "updated": 1_700_000_000,
    }
    if person.deleted:
        return user
    return user | {
        "real_name": person.real_name,
        "tz": person.tz,
        "tz_label": person.tz,
        "tz_offset": person.tz_offset,
        "is_admin": person.is_admin,
        "is_owner": person.is_owner,
        "is_primary_owner": person.is_owner,
        "is_restricted": person.is_restricted,
        "is_ultra_restricted": person.is_restricted,
    }


def channel_object(conversation: Conversation, config: WorkspaceConfig) -> JsonObject:
    """Return a conversation as `conversations.info` shows it to the bot."""
    if conversation.im_user:
        return {
            "id": conversation.id,
            "created": conversation.created,
            "is_im": True,
            "is_archived": False,
            "is_org_shared": False,
            "user": conversation.im_user,
            "context_team_id": config.team.id,
        }
    return {
        "id": conversation.id,
        "name": conversation.name,
        "name_normalized": conversation.name,
        "created": conversation.created,
        "is_channel": True,
        "is_group": False,
        "is_im": False,
        "is_mpim": False,
        "is_private": False,
        "is_archived": False,
        "is_general": conversation.name == "general",
        "is_member": config.bot_user_id in conversation.members,
        "is_shared": False,
        "is_ext_shared": False,
        "is_org_shared": False,
        "context_team_id": config.team.id,
        "num_members": len(conversation.members),
    }


def bot_profile(config: WorkspaceConfig) -> JsonObject:
    """Return the `bot_profile` of the bot's messages."""
    return {
        "id": config.bot_id,
        "app_id": config.app_id,
        "user_id": config.bot_user_id,
        "name": config.bot.real_name,
        "icons": {},
        "deleted": False,
        "updated": 1_700_000_000,
        "team_id": config.team.id,
    }


def envelope(event: JsonObject, config: WorkspaceConfig) -> JsonObject:
    """Return the `event_callback` around an event, with a new event_id."""
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": config.team.id,
        "context_team_id": config.team.id,
        "context_enterprise_id": None,
        "api_app_id": config.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{secrets.token_hex(5).upper()}",
        "event_time": int(time.time()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": config.team.id,
                "user_id": config.bot_user_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{secrets.token_urlsafe(24)}",
    }


def interaction(kind: str, person: Person, config: WorkspaceConfig) -> JsonObject:
    """Return what every interaction payload of a person begins with."""
    return {
        "type": kind,
        "team": {"id": config.team.id, "domain": config.team.domain},
        "user": {
            "id": person.id,
            "username": person.name,
            "name": person.name,
            "team_id": config.team.id,
        },
        "api_app_id": config.app_id,
        "token": VERIFICATION_TOKEN,
        "enterprise": None,
        "is_enterprise_install": False,
    }


def interaction_body(payload: JsonObject) -> str:
    """Return the form body that carries an interaction."""
    return urlencode({"payload": encode(payload)})


def replies_of(parent: StoredMessage, messages: list[StoredMessage]) -> list[StoredMessage]:
    """Return the replies under a message, oldest first."""
    return [m for m in messages if m.thread_ts == parent.ts and m.ts != parent.ts]


def message_object(message: StoredMessage, messages: list[StoredMessage]) -> JsonObject:
    """Return a message with what its thread adds to it: reply count, users, latest reply."""
    body = dict(message.body)
    replies = [m for m in replies_of(message, messages) if m.ephemeral_to is None]
    if not replies:
        return body
    users = list(dict.fromkeys(str(reply.body.get("user")) for reply in replies))
    return body | {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users_count": len(users),
        "latest_reply": replies[-1].ts,
        "reply_users": users[:5],
        "is_locked": False,
        "subscribed": True,
    }
