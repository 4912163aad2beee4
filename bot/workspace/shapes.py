"""The JSON shapes that cross the workspace's edges."""

import json
from typing import Any

JsonObject = dict[str, Any]
"""A Slack object. Slack's payloads have no closed schema, so their shape is checked by `blocks`."""


def encode(value: object) -> str:
    """Return the compact JSON text of `value`, as Slack writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
