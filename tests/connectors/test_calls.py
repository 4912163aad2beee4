"""Frozen calls: canonical JSON and the hash that decisions bind to (S10)."""

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.calls import CanonicalJsonError, FrozenCall, canonical, normalise, parse_strict

FIELDS: dict[str, Any] = {
    "team_id": "T1",
    "goal_id": 1,
    "task_id": 2,
    "action": "hubspot.create_deal",
    "action_version": 1,
    "arguments": {"name": "Acme", "amount": "48000.00"},
    "connection_id": 3,
    "requester_id": "U1",
    "precondition": None,
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("team_id", "T2"),
        ("goal_id", 9),
        ("task_id", 9),
        ("action", "hubspot.update_deal"),
        ("action_version", 2),
        ("arguments", {"name": "Acme", "amount": "48000.01"}),
        ("connection_id", 4),
        ("requester_id", "U2"),
        ("precondition", {"amount": "1.00"}),
    ],
)
def test_any_changed_field_changes_the_hash(field: str, value: Any) -> None:
    """Nothing that could change the effect is left out of the hash."""
    # S10
    assert FrozenCall.freeze(**FIELDS).hash != FrozenCall.freeze(**FIELDS | {field: value}).hash


def test_key_order_and_unicode_form_do_not_change_the_hash() -> None:
    """The same call has one hash, however its JSON was written."""
    composed = unicodedata.normalize("NFC", "Café")
    decomposed = unicodedata.normalize("NFD", "Café")
    one = FrozenCall.freeze(**FIELDS | {"arguments": {"a": composed, "b": 1}})
    other = FrozenCall.freeze(**FIELDS | {"arguments": {"b": 1, "a": decomposed}})
    assert one.hash == other.hash


def test_stored_and_read_back_call_keeps_its_hash() -> None:
    """A round trip through JSON does not change what runs."""
    call = FrozenCall.freeze(**FIELDS)
    assert FrozenCall.model_validate(json.loads(json.dumps(call.model_dump()))).hash == call.hash


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"amount": 1.5}, id="float"),
        pytest.param({1: "a"}, id="key-not-text"),
        pytest.param({"Café": 1, "Cafe\u0301": 2}, id="keys-clash-under-NFC"),
        pytest.param({"when": object()}, id="no-json-type"),
    ],
)
def test_value_that_cannot_be_frozen_is_refused(value: Any) -> None:
    """Floats, odd keys and foreign types never stand in a call."""
    with pytest.raises(CanonicalJsonError):
        normalise(value)


@pytest.mark.parametrize("text", ['{"a":1,"a":2}', '{"a":NaN}', "{", b"\xff", "[" * 100_000])
def test_malformed_or_ambiguous_json_is_refused(text: str | bytes) -> None:
    """Duplicate keys are refused: two readers could see two calls."""
    with pytest.raises(CanonicalJsonError):
        parse_strict(text)


@given(JSON)
def test_canonical_form_is_stable(value: Any) -> None:
    """Reading the canonical bytes and writing them again gives the same bytes."""
    try:
        first = canonical(value)
    except CanonicalJsonError:
        return
    assert canonical(json.loads(first)) == first
