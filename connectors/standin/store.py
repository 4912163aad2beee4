import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

Model = TypeVar("Model", bound=BaseModel)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    written_at REAL NOT NULL,
    indexed_body TEXT,
    PRIMARY KEY (kind, id)
) STRICT;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS requests (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    account TEXT,
    status TEXT NOT NULL,
    keys TEXT NOT NULL
) STRICT;
"""


class Store:
    """The stand-in's database: one sqlite file, so that a second start finds yesterday's data.

    All access is synchronous and happens between two awaits of one event loop, so every request
    sees and leaves a consistent state. It is not made for several processes.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The app may be built in one thread and served in another (the tests do); never in two
        # at a time.
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        # Survives kill -9 of the process; only a power cut could lose the last writes.
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything written inside together, or nothing; inner ones join the outer."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def wipe(self) -> None:
        with self.transaction():
            for table in ("documents", "counters", "requests"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 (three literals)

    def count(self, name: str, *, first: int) -> int:
        """Return the next number of a counter that starts at `first`; never the same twice."""
        row = self._db.execute(
            "INSERT INTO counters VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            (name, first),
        ).fetchone()
        return int(row[0])

    def read(self, kind: str, key: str) -> str | None:
        row = self._db.execute(
            "SELECT body FROM documents WHERE kind = ? AND id = ?", (kind, key)
        ).fetchone()
        return None if row is None else str(row[0])

    def read_all(self, kind: str) -> list[str]:
        rows = self._db.execute("SELECT body FROM documents WHERE kind = ? ORDER BY rowid", (kind,))
        return [str(row[0]) for row in rows]

    def read_where(self, kind: str, path: str, value: str) -> list[str]:
        """Return the documents whose JSON value at the path is this text, in any (ASCII) case."""
        rows = self._db.execute(
            "SELECT body FROM documents "
            "WHERE kind = ? AND json_extract(body, ?) = ? COLLATE NOCASE ORDER BY rowid",
            (kind, path, value),
        )
        return [str(row[0]) for row in rows]

    def read_indexed(self, kind: str, *, lag_s: float) -> list[str]:
        """Return every document as a search index would know it, `lag_s` behind the writes."""
        rows = self._db.execute(
            "SELECT CASE WHEN written_at <= ? THEN body ELSE indexed_body END AS seen "
            "FROM documents WHERE kind = ? ORDER BY rowid",
            (time.time() - lag_s, kind),
        )
        return [str(row[0]) for row in rows if row[0] is not None]

    def write(self, kind: str, key: str, body: str, *, lag_s: float, is_old: bool) -> None:
        now = time.time()
        self._db.execute(
            "INSERT INTO documents (kind, id, body, written_at) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (kind, id) DO UPDATE SET "
            "indexed_body = CASE WHEN documents.written_at <= ? THEN documents.body "
            "ELSE documents.indexed_body END, "
            "body = excluded.body, written_at = excluded.written_at",
            (kind, key, body, 0.0 if is_old else now, now - lag_s),
        )

    def log_request(
        self, *, method: str, path: str, account: str | None, status: str, keys: list[str]
    ) -> None:
        self._db.execute(
            "INSERT INTO requests (at, method, path, account, status, keys) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (time.time(), method, path, account, status, json.dumps(keys)),
        )

    def list_requests(self) -> list[dict[str, object]]:
        """Return the request log, oldest first."""
        rows = self._db.execute(
            "SELECT seq, at, method, path, account, status, keys FROM requests ORDER BY seq"
        )
        names = ("seq", "at", "method", "path", "account", "status")
        return [
            {**dict(zip(names, row[:-1], strict=True)), "keys": json.loads(row[-1])} for row in rows
        ]


class Shelf(Generic[Model]):
    """All documents of one kind, as models of one type."""

    def __init__(
        self, store: Store, model: type[Model], *, kind: str, search_lag_s: float = 0.0
    ) -> None:
        self._store = store
        self._model = model
        self._kind = kind
        self._lag_s = search_lag_s

    def find(self, key: str) -> Model | None:
        body = self._store.read(self._kind, key)
        return None if body is None else self._model.model_validate_json(body)

    def list_(self) -> list[Model]:
        return [self._model.model_validate_json(body) for body in self._store.read_all(self._kind)]

    def list_where(self, path: str, value: str) -> list[Model]:
        """Return the documents with this text at the JSON path (`$.name`), in any case."""
        bodies = self._store.read_where(self._kind, path, value)
        return [self._model.model_validate_json(body) for body in bodies]

    def list_indexed(self) -> list[Model]:
        """Return the documents as search sees them: late, and stale right after a change."""
        bodies = self._store.read_indexed(self._kind, lag_s=self._lag_s)
        return [self._model.model_validate_json(body) for body in bodies]

    def put(self, key: str, document: Model, *, is_old: bool = False) -> None:
        """Store the document; `is_old` makes a seed visible to search at once."""
        body = document.model_dump_json()
        self._store.write(self._kind, key, body, lag_s=self._lag_s, is_old=is_old)
