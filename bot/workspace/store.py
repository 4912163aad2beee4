"""Channels and messages, kept in sqlite: the second start finds yesterday's messages."""

import json
import sqlite3
import time
from dataclasses import dataclass

from bot.workspace.shapes import JsonObject, encode


@dataclass(frozen=True, slots=True)
class Conversation:
    """A channel, or the direct messages of one person with the bot."""

    id: str
    name: str
    im_user: str | None
    created: int
    members: tuple[str, ...]

    @property
    def channel_type(self) -> str:
        """Return how events name this kind of conversation."""
        return "im" if self.im_user else "channel"


@dataclass(frozen=True, slots=True)
class StoredMessage:
    channel: str
    ts: str
    thread_ts: str | None
    ephemeral_to: str | None
    deleted: bool
    body: JsonObject


class Store:
    """Reads and writes conversations and messages; it knows no rule about who may do what."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        newest = connection.execute("SELECT max(ts) FROM messages").fetchone()[0]
        self._last_us = _microseconds(newest) if newest else 0

    def mint_ts(self) -> str:
        """Return a message timestamp later than every one before, also across restarts."""
        self._last_us = max(time.time_ns() // 1000, self._last_us + 1)
        return f"{self._last_us // 1_000_000}.{self._last_us % 1_000_000:06d}"

    def open_im(self, user_id: str, *, bot_user_id: str) -> Conversation:
        """Return the person's direct messages with the bot; the id is `D` plus theirs."""
        channel_id = f"D{user_id[1:]}"
        self._db.execute(
            "INSERT OR IGNORE INTO channels VALUES (?, ?, ?, ?)",
            (channel_id, user_id, user_id, int(time.time())),
        )
        self._db.executemany(
            "INSERT OR IGNORE INTO members VALUES (?, ?)",
            [(channel_id, user_id), (channel_id, bot_user_id)],
        )
        found = self.find_conversation(channel_id)
        assert found is not None
        return found

    def find_conversation(self, channel_id: str) -> Conversation | None:
        """Return the conversation with this id, or None."""
        row = self._db.execute("SELECT * FROM channels WHERE id = ?", (channel_id,)).fetchone()
        return self._conversation(row) if row else None

    def list_conversations(self) -> list[Conversation]:
        """Return every conversation: channels by name, then direct messages."""
        rows = self._db.execute("SELECT * FROM channels ORDER BY im_user IS NOT NULL, name")
        return [self._conversation(row) for row in rows.fetchall()]

    def add(self, message: StoredMessage) -> None:
        """Store a new message."""
        self._db.execute(
            "INSERT INTO messages (channel, ts, thread_ts, ephemeral_to, body)"
            " VALUES (?, ?, ?, ?, ?)",
            (
                message.channel,
                message.ts,
                message.thread_ts,
                message.ephemeral_to,
                encode(message.body),
            ),
        )

    def find(self, channel_id: str, ts: str) -> StoredMessage | None:
        """Return a message, also a deleted one, or None."""
        row = self._db.execute(
            "SELECT * FROM messages WHERE channel = ? AND ts = ?", (channel_id, ts)
        ).fetchone()
        return _message(row) if row else None

    def replace(self, channel_id: str, ts: str, body: JsonObject) -> None:
        """Store the edited message under its old timestamp."""
        self._db.execute(
            "UPDATE messages SET body = ? WHERE channel = ? AND ts = ?",
            (encode(body), channel_id, ts),
        )

    def delete(self, channel_id: str, ts: str) -> None:
        """Mark a message as deleted; its replies stay."""
        self._db.execute(
            "UPDATE messages SET deleted = 1 WHERE channel = ? AND ts = ?", (channel_id, ts)
        )

    def list_messages(self, channel_id: str) -> list[StoredMessage]:
        """Return what is in a conversation, replies and ephemerals included, oldest first."""
        rows = self._db.execute(
            "SELECT * FROM messages WHERE channel = ? AND deleted = 0 ORDER BY ts", (channel_id,)
        )
        return [_message(row) for row in rows.fetchall()]

    def _conversation(self, row: sqlite3.Row) -> Conversation:
        members = self._db.execute(
            "SELECT user FROM members WHERE channel = ? ORDER BY rowid", (row["id"],)
        )
        return Conversation(
            id=row["id"],
            name=row["name"],
            im_user=row["im_user"],
            created=row["created"],
            members=tuple(member["user"] for member in members.fetchall()),
        )


def _message(row: sqlite3.Row) -> StoredMessage:
    return StoredMessage(
        channel=row["channel"],
        ts=row["ts"],
        thread_ts=row["thread_ts"],
        ephemeral_to=row["ephemeral_to"],
        deleted=bool(row["deleted"]),
        body=json.loads(row["body"]),
    )


def _microseconds(ts: str) -> int:
    seconds, _, fraction = ts.partition(".")
    return int(seconds) * 1_000_000 + int(fraction)
