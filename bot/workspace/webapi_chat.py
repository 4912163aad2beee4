"""chat.postMessage, update, delete, postEphemeral and getPermalink."""

from bot.workspace.blocks import check_blocks, with_ids
from bot.workspace.core import Draft
from bot.workspace.errors import RefusedError
from bot.workspace.shapes import JsonObject
from bot.workspace.store import Conversation, StoredMessage
from bot.workspace.webapi_call import Call, Method

MAX_UPDATE_TEXT = 4_000
"""Source: https://docs.slack.dev/reference/methods/chat.update (`msg_too_long`)."""

_UPDATES_PER_MINUTE = 50


async def post_message(call: Call) -> JsonObject:
    """Post as the bot, at most about one message a second in a channel."""
    workspace = call.workspace
    conversation = workspace.conversation(call.required("channel"))
    can_post_anywhere = "chat:write.public" in workspace.config.scopes
    if workspace.config.bot_user_id not in conversation.members and not can_post_anywhere:
        raise RefusedError("not_in_channel")
    draft = _draft(call, conversation)
    rate = workspace.config.post_rate
    workspace.limiter.take(f"post:{conversation.id}", burst=rate.burst, per_s=rate.per_s)
    message = workspace.post(conversation, draft)
    return {"channel": conversation.id, "ts": message.ts, "message": message.body}


async def post_ephemeral(call: Call) -> JsonObject:
    """Show a message to one member only; it is in no history and cannot be updated."""
    workspace = call.workspace
    conversation = workspace.conversation(call.required("channel"))
    person = workspace.person(call.required("user"))
    if workspace.config.bot_user_id not in conversation.members:
        raise RefusedError("not_in_channel")
    if person.id not in conversation.members:
        raise RefusedError("user_not_in_channel")
    message = workspace.post(conversation, _draft(call, conversation, ephemeral_to=person.id))
    return {"message_ts": message.ts}


async def update(call: Call) -> JsonObject:
    """Replace text, blocks or metadata of the bot's own message; what is not given stays."""
    workspace = call.workspace
    conversation, message = _own_message(call, refusal="cant_update_message")
    if workspace.config.method_limits:
        key = f"update:{conversation.id}"
        workspace.limiter.take(key, burst=_UPDATES_PER_MINUTE, per_s=_UPDATES_PER_MINUTE / 60)
    text = call.arguments.get("text")
    if text is not None and len(str(text)) > MAX_UPDATE_TEXT:
        raise RefusedError("msg_too_long")
    blocks = read_blocks(call)
    metadata = _metadata(call)
    if text is None and blocks is None and metadata is None:
        raise RefusedError("no_text")
    changes: JsonObject = {}
    if text is not None:
        changes["text"] = str(text)
    if blocks is not None:
        changes["blocks"] = blocks or None
    if metadata is not None:
        changes["metadata"] = metadata or None
    by = workspace.config.bot_user_id
    body = workspace.edit(conversation, message, changes, by=by)
    return {"channel": conversation.id, "ts": message.ts, "text": body["text"], "message": body}


async def delete(call: Call) -> JsonObject:
    """Delete the bot's own message."""
    conversation, message = _own_message(call, refusal="cant_delete_message")
    call.workspace.remove(conversation, message)
    return {"channel": conversation.id, "ts": message.ts}


async def get_permalink(call: Call) -> JsonObject:
    """Return a link that opens the message on the workspace's page."""
    conversation = call.workspace.conversation(call.required("channel"))
    ts = call.required("message_ts")
    message = call.workspace.store.find(conversation.id, ts)
    if message is None or message.deleted:
        raise RefusedError("message_not_found")
    base_url = call.workspace.config.base_url
    return {"channel": conversation.id, "permalink": f"{base_url}/#/{conversation.id}/{ts}"}


def read_blocks(call: Call) -> list[JsonObject] | None:
    """Return the checked blocks of a call with all ids filled in; None if it has none.

    Raises:
        RefusedError: `invalid_blocks_format`, or `invalid_blocks` with every problem named.
    """
    blocks = call.decoded("blocks", error="invalid_blocks_format")
    if blocks is None:
        return None
    problems = check_blocks(blocks)
    if problems:
        raise RefusedError("invalid_blocks", messages=problems, extra={"errors": problems})
    assert isinstance(blocks, list)
    return with_ids(blocks)


def _draft(call: Call, conversation: Conversation, *, ephemeral_to: str | None = None) -> Draft:
    blocks = read_blocks(call)
    text = call.text("text")
    if not text.strip() and not blocks:
        raise RefusedError("no_text")
    thread_ts = call.text("thread_ts") or None
    if thread_ts and call.workspace.store.find(conversation.id, thread_ts) is None:
        raise RefusedError("thread_not_found")
    extra: JsonObject = {}
    metadata = _metadata(call)
    if metadata:
        extra["metadata"] = metadata
    if thread_ts and call.flag("reply_broadcast"):
        extra["subtype"] = "thread_broadcast"
    return Draft(
        user_id=call.workspace.config.bot_user_id,
        text=text,
        blocks=blocks or None,
        thread_ts=_root(call, conversation, thread_ts),
        ephemeral_to=ephemeral_to,
        extra=extra,
    )


def _root(call: Call, conversation: Conversation, thread_ts: str | None) -> str | None:
    """Return the thread's first message: a reply to a reply lands in the same thread."""
    if thread_ts is None:
        return None
    message = call.workspace.store.find(conversation.id, thread_ts)
    return message.thread_ts or thread_ts if message else thread_ts


def _metadata(call: Call) -> JsonObject | None:
    metadata = call.decoded("metadata", error="invalid_metadata_format")
    if metadata is None or metadata == {}:
        return None if metadata is None else {}
    if not isinstance(metadata, dict):
        raise RefusedError("invalid_metadata_format")
    if not isinstance(metadata.get("event_type"), str) or not isinstance(
        metadata.get("event_payload"), dict
    ):
        raise RefusedError("invalid_metadata_schema")
    return metadata


def _own_message(call: Call, *, refusal: str) -> tuple[Conversation, StoredMessage]:
    workspace = call.workspace
    reference = call.required("channel")
    if workspace.store.find_conversation(reference) is None:
        raise RefusedError("channel_not_found")
    conversation = workspace.conversation(reference)
    message = workspace.store.find(conversation.id, call.required("ts"))
    if message is None or message.deleted or message.ephemeral_to:
        raise RefusedError("message_not_found")
    if message.body.get("user") != workspace.config.bot_user_id:
        raise RefusedError(refusal)
    return conversation, message


METHODS = {
    "chat.postMessage": Method(handler=post_message, scope="chat:write", per_minute=0),
    "chat.postEphemeral": Method(handler=post_ephemeral, scope="chat:write", per_minute=100),
    "chat.update": Method(handler=update, scope="chat:write", per_minute=0),
    "chat.delete": Method(handler=delete, scope="chat:write"),
    "chat.getPermalink": Method(handler=get_permalink, per_minute=600),
}
