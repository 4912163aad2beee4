"""Open modals and published Home tabs."""

import json
import sqlite3

from bot.workspace.shapes import JsonObject, encode


class ViewStore:
    """Keeps one stack of modals and one Home per person."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def stack(self, user_id: str) -> list[JsonObject]:
        """Return the person's open modals, the first opened first."""
        rows = self._db.execute(
            "SELECT body FROM views WHERE user = ? AND kind = 'modal' ORDER BY position",
            (user_id,),
        )
        return [json.loads(row["body"]) for row in rows.fetchall()]

    def home(self, user_id: str) -> JsonObject | None:
        """Return the person's published Home, or None."""
        row = self._db.execute(
            "SELECT body FROM views WHERE user = ? AND kind = 'home'", (user_id,)
        ).fetchone()
        return json.loads(row["body"]) if row else None

    def find(self, *, view_id: str = "", external_id: str = "") -> tuple[str, JsonObject] | None:
        """Return the view with this id, or this external id, and whose it is; or None."""
        rows = self._db.execute("SELECT user, body FROM views")
        for row in rows.fetchall():
            body = json.loads(row["body"])
            if view_id and body["id"] == view_id:
                return row["user"], body
            if external_id and body["external_id"] == external_id:
                return row["user"], body
        return None

    def push(self, user_id: str, view: JsonObject) -> None:
        """Put a modal on top of the person's stack."""
        self._db.execute(
            "INSERT INTO views VALUES (?, ?, 'modal', ?, ?)",
            (view["id"], user_id, len(self.stack(user_id)), encode(view)),
        )

    def publish(self, user_id: str, view: JsonObject) -> None:
        """Store the person's Home in place of the one before."""
        self._db.execute("DELETE FROM views WHERE user = ? AND kind = 'home'", (user_id,))
        self._db.execute(
            "INSERT INTO views VALUES (?, ?, 'home', 0, ?)", (view["id"], user_id, encode(view))
        )

    def replace(self, view: JsonObject) -> None:
        """Store the new state of a view under its id."""
        self._db.execute("UPDATE views SET body = ? WHERE id = ?", (encode(view), view["id"]))

    def close(self, view_id: str) -> None:
        """Take one modal away."""
        self._db.execute("DELETE FROM views WHERE id = ?", (view_id,))

    def clear(self, user_id: str) -> None:
        """Take all of the person's modals away."""
        self._db.execute("DELETE FROM views WHERE user = ? AND kind = 'modal'", (user_id,))
