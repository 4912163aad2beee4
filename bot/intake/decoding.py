"""Raw bytes → JSON that PostgreSQL can keep; everything else is malformed (S33)."""

import json
import math
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from bot.intake.errors import MalformedError

JsonObject = dict[str, Any]

_MAX_DEPTH = 60
"""Slack's own bodies nest to about 20; deeper ones only exhaust parsers."""

_MAX_FORM_FIELDS = 100

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def decode_json(raw: bytes | str) -> JsonObject:
    """Return a JSON object with only what a jsonb column takes.

    NUL and lone surrogates, which PostgreSQL refuses, become U+FFFD: nothing else is lost.

    Raises:
        MalformedError: it is not UTF-8, not JSON, not an object, or nests too deeply.
    """
    try:
        text = raw.decode() if isinstance(raw, bytes) else raw
        parsed = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError) as err:
        raise MalformedError("The body is not JSON.") from err
    if not isinstance(parsed, dict):
        raise MalformedError("The body is not a JSON object.")
    return {storable(key): _clean(value, depth=1) for key, value in parsed.items()}


def decode_form(raw: bytes) -> dict[str, str]:
    """Return the fields of a form body; of a repeated field, the last.

    Raises:
        MalformedError: it is not UTF-8 or has too many fields.
    """
    try:
        pairs = parse_qsl(
            raw.decode(),
            keep_blank_values=True,
            max_num_fields=_MAX_FORM_FIELDS,
            errors="strict",
        )
    except ValueError as err:
        raise MalformedError("The body is not a form.") from err
    return {storable(key): storable(value) for key, value in pairs}


def storable(text: str) -> str:
    """Return text without the code points that PostgreSQL refuses."""
    if text.isascii() and "\0" not in text:
        return text
    kept = text.replace("\0", _REPLACEMENT)
    return kept.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _clean(value: Any, *, depth: int) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict | list) and depth >= _MAX_DEPTH:
        raise MalformedError("The body nests too deeply.")
    if isinstance(value, dict):
        return {storable(key): _clean(item, depth=depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item, depth=depth + 1) for item in value]
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits)
    return number
