"""Frozen calls: what runs, in canonical JSON, and the hash that every decision binds to (S10)."""

import hashlib
import json
import unicodedata
from typing import Any, Self

import rfc8785
from pydantic import BaseModel, ConfigDict, JsonValue


class CanonicalJsonError(ValueError):
    """A value cannot be frozen: use text for money, unique keys, and JSON types only."""


def normalise(value: object) -> JsonValue:
    """Return `value` with every string in Unicode NFC; refuse floats and key clashes.

    Raises:
        CanonicalJsonError: for a float (money is text), a key that is not a string, two keys
            that become one under NFC, or a type that JSON does not have.
    """
    match value:
        case None | bool() | int():
            return value
        case str():
            return unicodedata.normalize("NFC", value)
        case list() | tuple():
            return [normalise(item) for item in value]
        case dict():
            return _normalise_object(value)
        case _:
            message = f"{type(value).__name__} cannot stand in a frozen call"
            raise CanonicalJsonError(message)


def _normalise_object(value: dict[Any, Any]) -> dict[str, JsonValue]:
    result: dict[str, JsonValue] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise CanonicalJsonError("keys of a frozen call are strings")
        normal = unicodedata.normalize("NFC", key)
        if normal in result:
            message = f"the key {normal!r} stands twice"
            raise CanonicalJsonError(message)
        result[normal] = normalise(item)
    return result


def parse_strict(text: str | bytes) -> JsonValue:
    """Parse JSON, refusing duplicate keys and NaN.

    Raises:
        CanonicalJsonError: for malformed JSON or a duplicate key.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        if len(set(keys)) != len(keys):
            raise CanonicalJsonError("a key stands twice in one object")
        return dict(pairs)

    def refuse(constant: str) -> Any:
        message = f"{constant} is not JSON"
        raise CanonicalJsonError(message)

    try:
        value: JsonValue = json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CanonicalJsonError("this is not well-formed JSON") from error
    return value


def canonical(value: object) -> bytes:
    """Return the RFC 8785 bytes of the normalised value.

    Raises:
        CanonicalJsonError: as `normalise`, and for integers beyond 2**53.
    """
    try:
        return rfc8785.dumps(normalise(value))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise CanonicalJsonError("this value has no canonical JSON form") from error


class FrozenCall(BaseModel):
    """Exactly what will run. Its hash leaves nothing out that could change the effect.

    Plan version, policy version, deadline and labels stand beside it, not in the hash, so that
    a new plan version leaves unchanged calls approved.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    team_id: str
    goal_id: int
    task_id: int
    action: str
    """Qualified: `hubspot.create_deal`."""
    action_version: int
    arguments: dict[str, Any]
    connection_id: int | None
    requester_id: str
    precondition: dict[str, Any] | None

    @classmethod
    def freeze(cls, **fields: Any) -> Self:
        """Return a call whose content is normalised.

        Raises:
            CanonicalJsonError: when arguments or precondition cannot be frozen.
        """
        fields["arguments"] = normalise(fields["arguments"])
        fields["precondition"] = normalise(fields["precondition"])
        return cls(**fields)

    @property
    def hash(self) -> str:
        """SHA-256 over the canonical JSON, in hexadecimal."""
        return hashlib.sha256(canonical(self.model_dump())).hexdigest()

    @property
    def key(self) -> str:
        """The idempotency key: 32 hexadecimal digits, the same for every try at this call."""
        return key_of(self.hash)


def key_of(call_hash: str) -> str:
    """Return the idempotency key of the call that has this hash."""
    return call_hash[:32]
