"""Writing, editing and deleting messages as a person does."""

from bot.workspace.core import Draft
from bot.workspace.deed import Deed
from bot.workspace.errors import RefusedError
from bot.workspace.shapes import JsonObject
from bot.workspace.store import Conversation, StoredMessage
from bot.workspace.text import typed as typed_text


async def post(deed: Deed) -> JsonObject:
    """Post what a person typed."""
    conversation = deed.conversation
    raw = str(deed.body.get("text") or "")
    files = _files(deed)
    if not raw.strip() and not files:
        raise RefusedError("no_text")
    text, blocks = typed_text(raw, people=deed.workspace.config.people)
    extra = {"subtype": "file_share", "files": files} if files else {}
    thread_ts = deed.optional("thread_ts")
    if thread_ts and deed.workspace.store.find(conversation.id, thread_ts) is None:
        raise RefusedError("thread_not_found")
    draft = Draft(
        user_id=deed.person.id,
        text=text,
        blocks=blocks if raw.strip() else None,
        thread_ts=thread_ts,
        extra=extra,
    )
    message = deed.workspace.post(conversation, draft)
    return {"channel": conversation.id, "ts": message.ts}


async def edit_message(deed: Deed) -> JsonObject:
    """Edit a person's own message."""
    conversation, message = _own(deed)
    text, blocks = typed_text(deed.required("text"), people=deed.workspace.config.people)
    changes: JsonObject = {"text": text, "blocks": blocks}
    deed.workspace.edit(conversation, message, changes, by=deed.person.id)
    return {"channel": conversation.id, "ts": message.ts}


async def delete_message(deed: Deed) -> JsonObject:
    """Delete a person's own message."""
    conversation, message = _own(deed)
    deed.workspace.remove(conversation, message)
    return {"channel": conversation.id, "ts": message.ts}


def _files(deed: Deed) -> list[JsonObject]:
    """Return Slack's file objects for the named files; the workspace keeps no contents."""
    given = deed.body.get("files") or []
    names = [entry if isinstance(entry, dict) else {"name": str(entry)} for entry in given]
    return [
        {
            "id": f"F{deed.workspace.store.mint_ts().replace('.', '')}",
            "name": str(entry.get("name", "file")),
            "title": str(entry.get("name", "file")),
            "mimetype": str(entry.get("mimetype", "application/octet-stream")),
            "size": entry.get("size", 0),
            "user": deed.person.id,
            "mode": "hosted",
        }
        for entry in names
    ]


def _own(deed: Deed) -> tuple[Conversation, StoredMessage]:
    conversation = deed.conversation
    message = deed.workspace.store.find(conversation.id, deed.required("ts"))
    if message is None or message.deleted:
        raise RefusedError("message_not_found")
    if message.body.get("user") != deed.person.id:
        raise RefusedError("not_your_message")
    return conversation, message
