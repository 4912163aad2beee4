"""A person's click, and what it is answered with; no Slack in either."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Click:
    """Who clicked, and on which message; both are None on Home and in a slash command."""

    team_id: str
    person_id: str
    channel_id: str | None = None
    message_ts: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the clicker reads.

    An answer that is not ok is always shown, to the clicker alone. One that is ok is shown where
    the card does not change by itself. `url` becomes a link button below the text.
    """

    text: str
    ok: bool = True
    url: str | None = None


FieldError: TypeAlias = tuple[str, str, str]
"""(step key, field name, sentence for the person): what is wrong with one input of a form."""

FieldErrors: TypeAlias = tuple[FieldError, ...]
"""What an edit answers instead of an `Answer` when inputs must be mended first."""
