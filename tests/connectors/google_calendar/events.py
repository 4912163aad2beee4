"""An event as a person asks for it, and as it stood before a change."""

from typing import Any

from connectors.google_calendar.schemas import Snapshot

ALONE: dict[str, Any] = {
    "title": "Report",
    "start": "2026-11-24T10:00:00+01:00",
    "end": "2026-11-24T10:30:00+01:00",
    "zone": "Europe/Berlin",
}


def snapshot(**changed: Any) -> Snapshot:
    """Return the report as it stands, with some fields changed."""
    return Snapshot.model_validate(
        {
            "content_hash": "0" * 64,
            "status": "confirmed",
            "location": "",
            "description": "",
            "guests": [],
            **ALONE,
            **changed,
        }
    )
