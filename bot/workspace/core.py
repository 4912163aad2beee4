"""The workspace itself: messages come and go, events reach the bot, pages are told."""

import secrets
import sqlite3
from dataclasses import dataclass

from bot.workspace.bus import Bus
from bot.workspace.config import Person, WorkspaceConfig
from bot.workspace.database import forget, open_database, seed
from bot.workspace.delivery import Delivery
from bot.workspace.errors import RefusedError
from bot.workspace.faults import Faults
from bot.workspace.journal import Journal
from bot.workspace.payloads import bot_profile, envelope
from bot.workspace.ratelimit import RateLimiter
from bot.workspace.shapes import JsonObject
from bot.workspace.store import Conversation, Store, StoredMessage
from bot.workspace.text import MAX_TEXT
from bot.workspace.tickets import Tickets
from bot.workspace.viewstore import ViewStore

_SEEDED_AT = 1_700_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message about to be posted."""

    user_id: str
    text: str
    blocks: list[JsonObject] | None = None
    thread_ts: str | None = None
    ephemeral_to: str | None = None
    extra: JsonObject | None = None


class Workspace:
    """Holds the parts together; both APIs act on it. One per app, one event loop."""

    def __init__(self, config: WorkspaceConfig) -> None:
        self.config = config
        self._db: sqlite3.Connection = open_database(config.data_dir)
        seed(self._db, config, created=_SEEDED_AT)
        self.bus = Bus()
        self.journal = Journal(self.bus)
        self.store = Store(self._db)
        self.views = ViewStore(self._db)
        self.limiter = RateLimiter()
        self.tickets = Tickets(config.trigger_ttl_s, config.response_url_ttl_s)
        self.faults = Faults()
        self.delivery = Delivery(
            config, connection=self._db, journal=self.journal, faults=self.faults
        )

    async def start(self) -> None:
        """Begin to deliver."""
        await self.delivery.start()

    async def stop(self) -> None:
        """End the open pages' streams, stop delivering and close the file."""
        self.bus.close()
        await self.delivery.stop()
        self._db.close()

    def reset(self) -> None:
        """Forget all messages, views, limits and faults; people and channels stay."""
        forget(self._db)
        seed(self._db, self.config, created=_SEEDED_AT)
        self.limiter.reset()
        self.journal.clear()
        self.faults.clear()
        self.bus.publish({"type": "reset"})

    def person(self, user_id: str) -> Person:
        """Return a member.

        Raises:
            RefusedError: `user_not_found`.
        """
        person = self.config.person(user_id)
        if person is None:
            raise RefusedError("user_not_found")
        return person

    def conversation(self, reference: str) -> Conversation:
        """Return the conversation that an id, `#name` or a person's id names.

        Raises:
            RefusedError: `channel_not_found`.
        """
        person = self.config.person(reference)
        if person is not None and not person.is_bot:
            return self.store.open_im(reference, bot_user_id=self.config.bot_user_id)
        found = self.store.find_conversation(reference)
        if found is None:
            named = reference.removeprefix("#")
            found = next((c for c in self.store.list_conversations() if c.name == named), None)
        if found is None:
            raise RefusedError("channel_not_found")
        return found

    def post(self, conversation: Conversation, draft: Draft) -> StoredMessage:
        """Store a message under a new timestamp, and deliver its events unless it is ephemeral."""
        ts = self.store.mint_ts()
        body: JsonObject = {
            "user": draft.user_id,
            "type": "message",
            "ts": ts,
            "text": draft.text[:MAX_TEXT],
            "team": self.config.team.id,
        }
        if draft.user_id == self.config.bot_user_id:
            body |= {"bot_id": self.config.bot_id, "app_id": self.config.app_id}
            body["bot_profile"] = bot_profile(self.config)
        else:
            body["client_msg_id"] = secrets.token_hex(16)
        if draft.blocks is not None:
            body["blocks"] = draft.blocks
        if draft.thread_ts:
            body["thread_ts"] = draft.thread_ts
            parent = self.store.find(conversation.id, draft.thread_ts)
            body["parent_user_id"] = parent.body["user"] if parent else draft.user_id
        body |= draft.extra or {}
        message = StoredMessage(
            conversation.id, ts, draft.thread_ts, draft.ephemeral_to, deleted=False, body=body
        )
        self.store.add(message)
        self._tell_pages(message.channel, ts)
        if draft.ephemeral_to is None:
            self._announce(conversation, {**body, "event_ts": ts})
        return message

    def edit(
        self, conversation: Conversation, message: StoredMessage, changes: JsonObject, *, by: str
    ) -> JsonObject:
        """Replace fields of a message and deliver `message_changed`; return the new body."""
        now = self.store.mint_ts()
        body = {**message.body, **changes, "edited": {"user": by, "ts": now}}
        body = {key: value for key, value in body.items() if value is not None}
        self.store.replace(message.channel, message.ts, body)
        self._tell_pages(message.channel, message.ts)
        if message.ephemeral_to is None:
            self._announce_change(conversation, "message_changed", message, now, body)
        return body

    def remove(self, conversation: Conversation, message: StoredMessage) -> None:
        """Delete a message and deliver `message_deleted`."""
        self.store.delete(message.channel, message.ts)
        self._tell_pages(message.channel, message.ts)
        if message.ephemeral_to is None:
            now = self.store.mint_ts()
            self._announce_change(conversation, "message_deleted", message, now, None)

    def emit(self, event: JsonObject, *, subscription: str) -> None:
        """Deliver an event if the app subscribes to it."""
        if subscription in self.config.events:
            self.delivery.send_event(envelope(event, self.config))

    def _announce_change(
        self,
        conversation: Conversation,
        subtype: str,
        previous: StoredMessage,
        now: str,
        body: JsonObject | None,
    ) -> None:
        event = {
            "type": "message",
            "subtype": subtype,
            "hidden": True,
            "previous_message": previous.body,
            "ts": now,
            "event_ts": now,
        }
        event |= {"deleted_ts": previous.ts} if body is None else {"message": body}
        self._announce(conversation, event)

    def _announce(self, conversation: Conversation, event: JsonObject) -> None:
        """Deliver a message event, and `app_mention` too where a person names the bot."""
        if self.config.bot_user_id not in conversation.members:
            return
        kind = conversation.channel_type
        event = {**event, "channel": conversation.id, "channel_type": kind}
        event.pop("metadata", None)
        self.emit(event, subscription="message.im" if kind == "im" else "message.channels")
        mentions = f"<@{self.config.bot_user_id}>" in str(event.get("text", ""))
        is_persons = event.get("user") not in {None, self.config.bot_user_id}
        if kind == "channel" and mentions and is_persons and "subtype" not in event:
            mention = {k: v for k, v in event.items() if k != "channel_type"}
            self.emit({**mention, "type": "app_mention"}, subscription="app_mention")

    def _tell_pages(self, channel_id: str, ts: str) -> None:
        self.bus.publish({"type": "message", "channel": channel_id, "ts": ts})
