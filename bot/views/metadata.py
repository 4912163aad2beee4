"""What a modal carries with it: where it was opened from, and the id of what it is about.

Slack hands it back unchanged and nobody sees it; it is no authority: services check every right
anew (S15).
"""

import json
from dataclasses import dataclass
from typing import Any

from bot.views import limits


@dataclass(frozen=True, slots=True)
class Place:
    """The message that a modal was opened from; None on Home."""

    channel_id: str | None = None
    message_ts: str | None = None


def encode_place(place: Place, **about: Any) -> str:
    """Return private metadata; what is about must be small, the rest is Slack's own ids."""
    packed = json.dumps({"c": place.channel_id, "m": place.message_ts, **about})
    assert len(packed) <= limits.PRIVATE_METADATA
    return packed


def decode_place(private_metadata: str) -> tuple[Place, dict[str, Any]]:
    """Return where a modal was opened and what it is about.

    Raises:
        ValueError: it is not ours.
    """
    packed = json.loads(private_metadata)
    if not isinstance(packed, dict) or "c" not in packed or "m" not in packed:
        raise ValueError("This is not our metadata.")
    return Place(packed.pop("c"), packed.pop("m")), packed
