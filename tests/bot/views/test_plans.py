from typing import Any

import pytest

from bot.engine.cards import FormField
from bot.views import ids
from bot.views.metadata import Place
from bot.views.plans import build_plan_modal, parse_plan_modal
from bot.workspace.inputs import state_values
from tests.bot.views import cards

PLACE = Place("C0SALES", "1732180000.000100")
FIELDS = (
    FormField("title", "Title", "text", "Acme kickoff", required=True),
    FormField("notes", "Notes", "multiline", "a\nb"),
    FormField("amount", "Amount", "number", "48000.00"),
    FormField("day", "Day", "date", "2026-11-24"),
    FormField("start", "Start", "datetime", "2026-11-24 10:00"),
    FormField("guests", "Guests", "emails", "jane.doe@acme.example"),
    FormField("stage", "Stage", "select", "new", options=("new", "won")),
    FormField("online", "Online", "checkbox", "true"),
    FormField("owner", "Owner", "readonly", "Dana"),
)


def submitted(view: dict[str, Any], typed: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the view as Slack sends it back after a person typed."""
    return {**view, "state": {"values": state_values(view["blocks"], typed)}}


def test_untouched_modal_gives_back_every_value() -> None:
    """What nobody changed comes back as it was, for every kind of input."""
    view = build_plan_modal(cards.plan_form(*FIELDS), place=PLACE)
    form = parse_plan_modal(submitted(view, {}))
    assert (form.goal_id, form.version, form.item_id, form.place) == (17, 2, None, PLACE)
    assert form.values == {
        "t3": {field.name: field.value for field in FIELDS if field.kind != "readonly"}
    }
    assert form.dropped == frozenset()


def test_typed_values_and_dropped_steps_come_back() -> None:
    """A person's changes are read by step and field."""
    view = build_plan_modal(cards.plan_form(*FIELDS), place=PLACE)
    typed: dict[str, dict[str, Any]] = {
        ids.field_block("t3", "title"): {ids.INPUT: "New title"},
        ids.field_block("t3", "stage"): {ids.INPUT: "won"},
        ids.field_block("t3", "notes"): {ids.INPUT: ""},
        ids.drop_block("t3"): {ids.INPUT: ["drop"]},
    }
    form = parse_plan_modal(submitted(view, typed))
    assert form.values["t3"]["title"] == "New title"
    assert form.values["t3"]["stage"] == "won"
    assert form.values["t3"]["notes"] == ""
    assert form.dropped == frozenset({"t3"})


def test_value_too_long_for_an_input_is_not_cut() -> None:
    """A value that no input holds whole is shown to read and stays as it is."""
    long = FormField("notes", "Notes", "multiline", "x" * 3001)
    form = parse_plan_modal(submitted(build_plan_modal(cards.plan_form(long), place=PLACE), {}))
    assert form.values == {}


@pytest.mark.parametrize(
    "change",
    [
        {"private_metadata": ""},
        {"private_metadata": "[]"},
        {"private_metadata": '{"c": null, "m": null}'},
        {"state": {}},
        {"state": {"values": {"field:t3:title": {}}}},
        {"blocks": None},
    ],
    ids=["none", "list", "no goal", "no state", "no input", "no blocks"],
)
def test_forged_modal_is_refused(change: dict[str, Any]) -> None:
    """A submission that is not of our modal is no form."""  # S15
    view = submitted(build_plan_modal(cards.plan_form(*FIELDS), place=PLACE), {})
    with pytest.raises(ValueError, match="not our"):
        parse_plan_modal({**view, **change})
