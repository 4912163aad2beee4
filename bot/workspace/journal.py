"""What went over the wire, newest last: for the page's inspector and for tests."""

import time
from collections import deque
from dataclasses import asdict, dataclass

from bot.workspace.bus import Bus
from bot.workspace.shapes import JsonObject

_LENGTH = 2000
SECRET_FIELDS = frozenset({"token"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One delivery to the bot or one call by the bot.

    `kind` is event, interaction, command, raw, api or response_url; `status` is the HTTP status, 0
    where no answer came; `error` is Slack's or our word for what went wrong.
    """

    number: int
    at: float
    kind: str
    name: str
    status: int
    ms: float
    error: str | None
    attempt: int
    url: str
    headers: dict[str, str]
    body: str


class Journal:
    """Keeps the last 2,000 entries in memory and tells open pages about new ones."""

    def __init__(self, bus: Bus) -> None:
        self._entries: deque[Entry] = deque(maxlen=_LENGTH)
        self._bus = bus
        self._count = 0

    def note(
        self,
        *,
        kind: str,
        name: str,
        status: int,
        started: float,
        error: str | None = None,
        attempt: int = 0,
        url: str = "",
        headers: dict[str, str] | None = None,
        body: str = "",
    ) -> None:
        """Add an entry; `started` is the `time.perf_counter()` at which it began."""
        self._count += 1
        entry = Entry(
            number=self._count,
            at=time.time(),
            kind=kind,
            name=name,
            status=status,
            ms=round((time.perf_counter() - started) * 1000, 1),
            error=error,
            attempt=attempt,
            url=url,
            headers=headers or {},
            body=body,
        )
        self._entries.append(entry)
        self._bus.publish({"type": "log"})

    def entries(self, *, after: int = 0) -> list[JsonObject]:
        """Return the entries with a number above `after`, oldest first."""
        return [asdict(entry) for entry in self._entries if entry.number > after]

    def clear(self) -> None:
        """Forget the entries; numbers go on."""
        self._entries.clear()
