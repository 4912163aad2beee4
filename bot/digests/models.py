"""What a digest shows: typed, no Slack in it. `queries` fills it, `bot.views` draws it."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class DigestLine:
    """One thing in one plain sentence; `url` links to its card where the card is known.

    The text quotes what people wrote: the view escapes it.
    """

    text: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Digest:
    """What waits on one person, what was done since the last digest, what is next and stuck."""

    person_id: str
    zone: ZoneInfo
    since: datetime
    until: datetime
    waiting: tuple[DigestLine, ...]
    done: tuple[DigestLine, ...]
    next: tuple[DigestLine, ...]
    stuck: tuple[DigestLine, ...]
    late_note: str | None = None
    """Why it comes later than its time; None when it is on time or was asked for."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to read: such a digest is not sent on schedule."""
        return not (self.waiting or self.done or self.next or self.stuck)
