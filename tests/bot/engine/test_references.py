"""References and guards: values from results keep their labels; comparing never raises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from bot.engine.arguments import not_found
from bot.engine.guards import holds
from bot.engine.references import Finished, look_up, resolve
from bot.planning.plan import GuardOp
from connectors.labels import LOST, Label, Provenance, leaves
from connectors.registry import Registry
from tests.bot.engine.counting import CONNECTOR, FIND
from tests.bot.engine.world import ref

ADD = Registry([CONNECTOR]).action("add_keyed")
TYPED = Provenance(Label.MESSAGE, "typed")
RESULT: dict[str, JsonValue] = {
    "items": [{"id": "7", "name": "Acme", "domain": None, "size": "10"}],
    "total": 1,
    "a b.c/d~e": "odd",
}
FINISHED = {"t1": Finished(FIND, RESULT)}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


def test_reference_is_filled_with_the_declared_label() -> None:
    """An id is ours, a name is a stranger's: as the result's model declares (S3)."""
    resolved = resolve(
        {"parent_id": ref("t1", "items", 0, "id"), "name": ref("t1", "items", "0", "name")},
        literals={},
        finished=FINISHED,
    )
    assert resolved.arguments == {"parent_id": "7", "name": "Acme"}
    assert resolved.labels["/parent_id"].label is Label.RECORD
    assert resolved.labels["/name"].label is Label.OUTSIDE
    assert resolved.labels["/name"].source == "t1.items.0.name"


def test_reference_to_an_undeclared_key_is_outside() -> None:
    """What no model declares counts as a stranger's (S3)."""
    resolved = resolve({"name": ref("t1", "a b.c/d~e")}, literals={}, finished=FINISHED)
    assert resolved.labels["/name"].label is Label.OUTSIDE


def test_references_inside_lists_and_objects_are_filled() -> None:
    """A reference may stand anywhere in an argument; literals keep their own label."""
    resolved = resolve(
        {"guests": ["typed", ref("t1", "items", 0, "name")]},
        literals={"/guests/0": TYPED},
        finished=FINISHED,
    )
    assert resolved.arguments == {"guests": ["typed", "Acme"]}
    assert resolved.labels["/guests/0"] == TYPED
    assert resolved.labels["/guests/1"].label is Label.OUTSIDE


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        (("items", 0, "id"), None),
        (("items", 0, "domain"), None),
        (("items", 9, "id"), "I did not find the parent"),
    ],
    ids=["found", "found-but-empty", "no-such-record"],
)
def test_record_that_was_not_found_stops_even_an_optional_argument(
    path: tuple[str | int, ...], problem: str | None
) -> None:
    """A typo in a company's name must not create a deal without a company."""
    resolved = resolve({"parent_id": ref("t1", *path)}, literals={}, finished=FINISHED)
    said = not_found(resolved, ADD)
    assert (said is None) if problem is None else (said or "").startswith(problem)


def test_reference_to_what_has_not_run_is_pending() -> None:
    """Not known yet is told apart from known to be nothing."""
    resolved = resolve(
        {
            "a": ref("t2", "id"),
            "b": ref("t1", "items", 9, "id"),
            "c": ref("t1", "items", 0, "domain"),
        },
        literals={},
        finished=FINISHED,
    )
    assert [pointer for pointer, _ in resolved.pending] == ["/a"]
    assert [pointer for pointer, _ in resolved.missing] == ["/b", "/c"]
    assert resolved.absent == {"/b"}


@given(arguments=st.dictionaries(st.text(min_size=1, max_size=5), JSON, max_size=4))
def test_every_leaf_is_labelled(arguments: dict[str, JsonValue]) -> None:
    """However odd its names: a leaf without a label counts as a stranger's (S3)."""
    resolved = resolve(arguments, literals={}, finished={})
    assert resolved.arguments == arguments
    pointers = {pointer for pointer, _ in leaves(arguments)} - {""}
    assert {at: resolved.labels[at] for at in pointers} == dict.fromkeys(pointers, LOST)


@given(value=JSON, path=st.lists(st.text(max_size=3) | st.integers(), max_size=3))
def test_looking_up_never_raises(value: JsonValue, path: list[str | int]) -> None:
    """A path that leads nowhere is nothing, also "²" and negative numbers."""
    found, at = look_up(value, path)
    assert found is (at is not None)


@pytest.mark.parametrize(
    ("path", "op", "right", "expected"),
    [
        (("items", 0, "name"), "exists", None, True),
        (("items", 5), "exists", None, False),
        (("items",), "empty", None, False),
        (("items", 5), "empty", None, True),
        (("items", 0, "size"), "gt", 9, True),
        (("items", 0, "size"), "gt", "9.5", True),
        (("items", 0, "size"), "eq", "10.0", True),
        (("items", 0, "name"), "eq", "ACME", True),
        (("items", 0, "name"), "ne", "acme", False),
        (("items", 5), "ne", "acme", True),
        (("items", 0, "name"), "lt", 3, False),
        (("items", 0, "name"), "contains", "CM", True),
        (("total",), "ge", 1, True),
        (("total",), "le", 0, False),
        (("total",), "contains", 1, False),
    ],
)
def test_guard_compares_as_people_do(
    path: tuple[str | int, ...], op: str, right: JsonValue, *, expected: bool
) -> None:
    """Numbers as numbers also in text, words in any case; what cannot be compared is false."""
    guard = {"left": {"task": "t1", "path": list(path)}, "op": op, "right": right}
    assert holds(guard, FINISHED) is expected


@given(
    value=JSON | st.sampled_from(["NaN", "sNaN", "Infinity", "-inf", "1e999999"]),
    op=st.sampled_from([item.value for item in GuardOp]),
    right=st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.just("sNaN"),
)
def test_guard_never_raises(value: JsonValue, op: str, right: JsonValue) -> None:
    """Whatever a stranger wrote into a result, a guard answers yes or no."""
    guard = {"left": {"task": "t1", "path": ["x"]}, "op": op, "right": right}
    assert holds(guard, {"t1": Finished(FIND, {"x": value})}) in (True, False)
