"""Reads a request's JSON object, whatever was sent."""

import json

from bot.workspace.errors import RefusedError
from bot.workspace.shapes import JsonObject, encode


def parse_object(raw: bytes) -> JsonObject:
    """Return the JSON object in `raw`; an empty body is an empty object.

    Raises:
        RefusedError: `invalid_json` for what is no JSON, or holds half a surrogate pair, which
            could not be stored or sent on; `json_not_object` for any other JSON.
    """
    try:
        parsed = json.loads(raw or b"{}")
        encode(parsed).encode()
    except (ValueError, RecursionError) as exc:
        raise RefusedError("invalid_json") from exc
    if not isinstance(parsed, dict):
        raise RefusedError("json_not_object")
    return parsed
