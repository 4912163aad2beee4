from zoneinfo import ZoneInfo

import pytest
from pydantic import JsonValue

from bot.builtins import BUILTINS
from bot.builtins.answer import MAX_ROWS, AnswerArguments, render
from bot.builtins.cells import MAX_CELL_CHARACTERS, MAX_COLUMNS, tabulate
from connectors.actions import Effect, PreviewContext
from connectors.labels import Label
from connectors.registry import Registry

ANSWER = BUILTINS.actions[0]

DEALS: list[dict[str, JsonValue]] = [
    {
        "id": "1",
        "name": "Acme pilot",
        "amount": "48000.00",
        "currency": "USD",
        "stage": "contractsent",
        "close_date": "2026-12-01",
        "note": None,
        "url": "https://crm.example/1",
    },
    {"id": "2", "name": "Acme renewal", "amount": None, "currency": None, "stage": "closedwon"},
]


def answer(rows: list[dict[str, JsonValue]], **more: JsonValue) -> AnswerArguments:
    return AnswerArguments.model_validate({"question": "Which?", "rows": rows, **more})


def test_rows_become_a_table_of_plain_text() -> None:
    """Ids, links and empty columns stay out; money carries its currency; days are words."""
    found = render(answer(DEALS))
    assert found.columns == ["Name", "Amount", "Stage", "Close date"]
    assert found.rows == [
        ["Acme pilot", "$48,000.00", "contractsent", "Tue 1 Dec 2026"],
        ["Acme renewal", "", "closedwon", ""],
    ]
    assert (found.title, found.total) == ("2 found", 2)
    assert [(link.text, link.url) for link in found.links] == [
        ("Acme pilot", "https://crm.example/1")
    ]


def test_no_rows_are_nothing_found() -> None:
    """An empty result is an answer."""
    found = render(answer([]))
    assert (found.title, found.columns, found.rows) == ("Nothing found", [], [])


def test_many_rows_are_counted_and_the_first_are_shown() -> None:
    """What is left out is said."""
    found = render(answer([{"name": str(number)} for number in range(MAX_ROWS + 5)]))
    assert found.title == f"{MAX_ROWS + 5} found, the first {MAX_ROWS} are shown"
    assert len(found.rows) == MAX_ROWS


def test_chosen_columns_are_shown_in_their_order() -> None:
    """A planner may name the fields that answer the question; unknown ones are left out."""
    found = render(answer(DEALS, columns=["stage", "nothing", "name"]))
    assert found.columns == ["Stage", "Name"]


CELLS: list[tuple[JsonValue, str]] = [
    (True, "yes"),
    (3, "3"),
    (["a", None, "b"], "a, b"),
    ({"name": "Mo", "id": "1"}, "Mo"),
    ({"other": 1}, ""),
    ("2026-11-24T10:00:00+01:00", "Tue 24 Nov 2026 10:00"),
    ("2026-99-99", "2026-99-99"),
    ("two\nlines", "two lines"),
    ("x" * 500, "x" * (MAX_CELL_CHARACTERS - 1) + "…"),
]


@pytest.mark.parametrize(("value", "text"), CELLS, ids=[str(text)[:20] for _, text in CELLS])
def test_cell_reads_as_one_line_of_text(value: JsonValue, text: str) -> None:
    """Any JSON value has a plain form of bounded length."""
    table = tabulate([{"kept": "x", "value": value}], columns=["kept", "value"])
    assert table.rows == (("x", text),)


def test_wide_rows_are_cut_to_the_first_columns() -> None:
    """A card has room for a few columns."""
    wide: dict[str, JsonValue] = {f"column_{number}": "x" for number in range(20)}
    assert len(tabulate([wide]).columns) == MAX_COLUMNS


@pytest.mark.parametrize("url", ["javascript:alert(1)", "http://evil.example", "", 5])
def test_other_schemes_are_no_links(url: JsonValue) -> None:
    """Only https (and a local provider) is offered to click."""
    assert render(answer([{"name": "x", "url": url}])).links == []


async def test_action_runs_without_a_connection() -> None:
    """`answer` is a read of nobody's data: no scope, no manifest, and all of it `outside`."""  # S8
    arguments = answer(DEALS)
    assert Registry([BUILTINS]).action("builtin.answer") is ANSWER
    assert ANSWER.effect(arguments) is Effect.READ
    assert ANSWER.scopes(arguments) == frozenset()
    assert {
        meta.label for info in ANSWER.result.model_fields.values() for meta in info.metadata
    } == {Label.OUTSIDE}
    shown = ANSWER.preview(arguments, PreviewContext(zone=ZoneInfo("UTC"), before=None))
    assert shown.sentence == "Answer “Which?” for you alone"
