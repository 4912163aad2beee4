"""The workspace's sqlite file: opening it, its tables, forgetting everything."""

import sqlite3
from pathlib import Path

from bot.workspace.config import WorkspaceConfig

_SCHEMA = """
CREATE TABLE IF NOT EXISTS channels (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, im_user TEXT UNIQUE, created INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS members (
    channel TEXT NOT NULL, user TEXT NOT NULL, PRIMARY KEY (channel, user)
);
CREATE TABLE IF NOT EXISTS messages (
    channel TEXT NOT NULL, ts TEXT NOT NULL, thread_ts TEXT, ephemeral_to TEXT,
    deleted INTEGER NOT NULL DEFAULT 0, body TEXT NOT NULL, PRIMARY KEY (channel, ts)
);
CREATE INDEX IF NOT EXISTS messages_by_thread ON messages (channel, thread_ts);
CREATE TABLE IF NOT EXISTS views (
    id TEXT PRIMARY KEY, user TEXT NOT NULL, kind TEXT NOT NULL,
    position INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS pending_events (
    event_id TEXT PRIMARY KEY, body TEXT NOT NULL
);
"""


def open_database(data_dir: Path) -> sqlite3.Connection:
    """Return the open database of `data_dir`, with its tables; made when missing.

    Ephemeral messages and open modals do not outlive a session, as in Slack's client.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(data_dir / "workspace.sqlite3", isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.executescript(_SCHEMA)
    connection.execute("DELETE FROM messages WHERE ephemeral_to IS NOT NULL")
    connection.execute("DELETE FROM views WHERE kind = 'modal'")
    return connection


def seed(connection: sqlite3.Connection, config: WorkspaceConfig, *, created: int) -> None:
    """Add the configured channels and members that are not there yet."""
    for channel in config.channels:
        connection.execute(
            "INSERT OR IGNORE INTO channels VALUES (?, ?, NULL, ?)",
            (channel.id, channel.name, created),
        )
        connection.executemany(
            "INSERT OR IGNORE INTO members VALUES (?, ?)",
            [(channel.id, user) for user in channel.members],
        )


def forget(connection: sqlite3.Connection) -> None:
    """Delete every row of every table."""
    for table in ("channels", "members", "messages", "views", "pending_events"):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names from the line above
