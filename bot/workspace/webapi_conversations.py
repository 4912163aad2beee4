"""conversations.open, info, list, members, history and replies."""

from bot.workspace.errors import RefusedError
from bot.workspace.payloads import channel_object, message_object, replies_of
from bot.workspace.shapes import JsonObject
from bot.workspace.store import Conversation, StoredMessage
from bot.workspace.webapi_call import Call, Method

_MAX_PAGE = 999


async def conversations_open(call: Call) -> JsonObject:
    """Open the direct messages with one person; their id is stable."""
    workspace = call.workspace
    channel_id = call.text("channel")
    if channel_id:
        conversation = workspace.conversation(channel_id)
    else:
        users = [user for user in call.text("users").split(",") if user]
        if not users:
            raise RefusedError("users_list_not_supplied")
        if len(users) > 1:
            raise RefusedError(
                "invalid_arguments", messages=["[ERROR] this workspace has no group messages"]
            )
        person = workspace.person(users[0])
        if person.is_bot:
            raise RefusedError("cannot_dm_bot")
        if person.deleted:
            raise RefusedError("user_disabled")
        conversation = workspace.conversation(person.id)
    if call.flag("return_im"):
        return {"channel": channel_object(conversation, workspace.config)}
    return {"channel": {"id": conversation.id}}


async def conversations_info(call: Call) -> JsonObject:
    """Return one conversation."""
    conversation = call.workspace.conversation(call.required("channel"))
    return {"channel": channel_object(conversation, call.workspace.config)}


async def conversations_list(call: Call) -> JsonObject:
    """Return the conversations of the asked types on one page."""
    types = set(call.text("types", default="public_channel").split(","))
    wanted = {"im" if kind == "im" else "channel" for kind in types & {"im", "public_channel"}}
    shown = [
        channel_object(conversation, call.workspace.config)
        for conversation in call.workspace.store.list_conversations()
        if conversation.channel_type in wanted
    ]
    return {"channels": shown, "response_metadata": {"next_cursor": ""}}


async def conversations_members(call: Call) -> JsonObject:
    """Return who is in a conversation."""
    conversation = call.workspace.conversation(call.required("channel"))
    return {"members": list(conversation.members), "response_metadata": {"next_cursor": ""}}


async def conversations_history(call: Call) -> JsonObject:
    """Return the messages of a conversation, newest first, without replies in threads."""
    conversation = _readable(call)
    everything = _lasting(call, conversation)
    top = [m for m in everything if m.thread_ts in {None, m.ts} or _is_broadcast(m)]
    selected = [m for m in reversed(top) if _is_within(call, m.ts)]
    return _page(call, selected, everything, default_limit=100)


async def conversations_replies(call: Call) -> JsonObject:
    """Return a message and the replies under it, oldest first."""
    conversation = _readable(call)
    everything = _lasting(call, conversation)
    ts = call.required("ts")
    found = next((m for m in everything if m.ts == ts), None)
    if found is None:
        raise RefusedError("thread_not_found")
    parent = next((m for m in everything if m.ts == found.thread_ts), found)
    replies = [m for m in replies_of(parent, everything) if _is_within(call, m.ts)]
    return _page(call, [parent, *replies], everything, default_limit=1000)


def _readable(call: Call) -> Conversation:
    conversation = call.workspace.conversation(call.required("channel"))
    if call.workspace.config.bot_user_id not in conversation.members:
        raise RefusedError("not_in_channel")
    return conversation


def _lasting(call: Call, conversation: Conversation) -> list[StoredMessage]:
    messages = call.workspace.store.list_messages(conversation.id)
    return [m for m in messages if m.ephemeral_to is None]


def _is_broadcast(message: StoredMessage) -> bool:
    return message.body.get("subtype") == "thread_broadcast"


def _is_within(call: Call, ts: str) -> bool:
    oldest, latest = call.text("oldest", default="0"), call.text("latest")
    try:
        low, high, at = float(oldest), float(latest or "inf"), float(ts)
    except ValueError as exc:
        raise RefusedError("invalid_arguments", messages=["[ERROR] not a timestamp"]) from exc
    if call.flag("inclusive"):
        return low <= at <= high
    return low < at < high


def _page(
    call: Call,
    selected: list[StoredMessage],
    everything: list[StoredMessage],
    *,
    default_limit: int,
) -> JsonObject:
    limit = call.number("limit", default=default_limit, most=_MAX_PAGE)
    cursor = call.text("cursor", default="0")
    if not cursor.isdecimal():
        raise RefusedError("invalid_cursor")
    start = int(cursor)
    page = selected[start : start + limit]
    has_more = len(selected) > start + limit
    shown = [message_object(message, everything) for message in page]
    if not call.flag("include_all_metadata"):
        shown = [{k: v for k, v in message.items() if k != "metadata"} for message in shown]
    answer: JsonObject = {"messages": shown, "has_more": has_more}
    if has_more:
        answer["response_metadata"] = {"next_cursor": str(start + limit)}
    return answer


class ScopeOf:
    """Names the scope by the kind of conversation that a call is about."""

    def __init__(self, im: str, channel: str) -> None:
        self._im = im
        self._channel = channel

    def __call__(self, call: Call) -> str:
        """Return the scope that this call needs."""
        reference = call.text("channel")
        return self._im if reference.startswith(("D", "U")) else self._channel


def _list_scope(call: Call) -> str:
    return "im:read" if call.text("types") == "im" else "channels:read"


_READ = ScopeOf("im:read", "channels:read")
_HISTORY = ScopeOf("im:history", "channels:history")

METHODS = {
    "conversations.open": Method(handler=conversations_open, scope="im:write"),
    "conversations.info": Method(handler=conversations_info, scope=_READ),
    "conversations.list": Method(handler=conversations_list, scope=_list_scope, per_minute=20),
    "conversations.members": Method(handler=conversations_members, scope=_READ, per_minute=100),
    "conversations.history": Method(handler=conversations_history, scope=_HISTORY),
    "conversations.replies": Method(handler=conversations_replies, scope=_HISTORY),
}
