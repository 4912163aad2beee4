"""Labels: every leaf has one, and a lost label is `outside` (S3)."""

from typing import Annotated

import pytest
from pydantic import JsonValue

from connectors.actions import Arg, Out, Result
from connectors.fields import argument_at, result_at
from connectors.labels import LOST, Label, Provenance, complete, join, leaves

MESSAGE = Provenance(Label.MESSAGE, "message")


class Row(Result):
    id: Annotated[str, Out(Label.RECORD, id_kind="hubspot.deal")]
    note: Annotated[str, Out(Label.OUTSIDE)]
    plain: str


class Found(Result):
    rows: list[Row]
    first: Row | None
    declared_rows: Annotated[list[Row], Out(Label.RECORD)]
    tags: Annotated[list[str], Out(Label.RECORD)]


def test_every_leaf_gets_a_label_and_a_lost_one_is_outside() -> None:
    """A leaf without a label counts as a stranger's."""
    value: JsonValue = {"a": "x", "b": ["y", {"c/d": None}], "e": []}
    assert complete(value, {"/a": MESSAGE}) == {
        "/a": MESSAGE,
        "/b/0": LOST,
        "/b/1/c~1d": LOST,
        "/e": LOST,
    }
    assert LOST.label is Label.OUTSIDE


def test_label_of_no_leaf_is_dropped() -> None:
    """Labels speak of exactly the leaves that are there."""
    assert complete({"a": 1}, {"/b": MESSAGE}) == {"/a": LOST}


@pytest.mark.parametrize(
    ("labels", "joined"),
    [
        ([Label.MESSAGE, Label.RECORD], Label.RECORD),
        ([Label.RECORD, Label.MODEL], Label.MODEL),
        ([Label.MODEL, Label.OUTSIDE, Label.MESSAGE], Label.OUTSIDE),
        ([], Label.OUTSIDE),
    ],
)
def test_join_is_the_least_trusted(labels: list[Label], joined: Label) -> None:
    """What mixes several sources counts as the least trusted of them."""
    assert join(Provenance(label, "x") for label in labels).label is joined


@pytest.mark.parametrize(
    ("path", "label"),
    [
        (["rows", 0, "id"], Label.RECORD),
        (["rows", "3", "note"], Label.OUTSIDE),
        (["first", "id"], Label.RECORD),
        (["tags", 0], Label.RECORD),
    ],
)
def test_declared_result_field_is_found(path: list[str | int], label: Label) -> None:
    """A declaration is found through lists, options and nested models."""
    declared = result_at(Found, path)
    assert declared is not None
    assert declared.label is label


@pytest.mark.parametrize(
    "path",
    [["rows", 0, "plain"], ["declared_rows", 0, "plain"], ["nothing"], ["rows", "x", "id"], []],
)
def test_undeclared_result_field_has_no_declaration(path: list[str | int]) -> None:
    """What declares nothing is treated as `outside` by the caller."""
    assert result_at(Found, path) is None


def test_argument_declaration_is_read_from_the_model() -> None:
    """An argument's title comes from its annotation."""

    class Arguments(Result):
        name: Annotated[str | None, Arg(title="Deal name")]

    assert argument_at(Arguments, ["name"]) == Arg(title="Deal name")


def test_leaves_of_a_scalar_is_the_root() -> None:
    """The pointer of a whole value is empty (RFC 6901)."""
    assert list(leaves("x")) == [("", "x")]
