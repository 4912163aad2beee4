from typing import Any

import pytest
from pydantic import JsonValue, ValidationError

from connectors.actions import PreviewContext
from tests.connectors.contract import BERLIN
from tests.connectors.hubspot.crm import action

USD: dict[str, JsonValue] = {"company": "Acme", "currency": "USD", "home_currency": "USD"}
PILOT: dict[str, JsonValue] = {"name": "Acme pilot"}


def sentence(action_name: str, before: dict[str, JsonValue] | None, /, **arguments: Any) -> str:
    one = action(action_name)
    typed = one.arguments.model_validate(arguments)
    return one.preview(typed, PreviewContext(BERLIN, before)).sentence


@pytest.mark.parametrize(
    ("name", "before", "arguments", "expected"),
    [
        (
            "create_deal",
            USD,
            {"name": "Acme", "amount": "48000", "company_id": "1"},
            "Create the deal “Acme” for Acme, worth $48,000.00",
        ),
        (
            "create_deal",
            None,
            {"name": "Pilot", "amount": "48000", "company_id": "1", "stage": "Closed won"},
            "Create the deal “Pilot” for the chosen company, worth 48,000.00, in stage Closed won",
        ),
        (
            "create_deal",
            {**USD, "currency": "CHF"},
            {"name": "Acme", "amount": "5.5", "currency": "chf"},
            "Create the deal “Acme”, worth 5.50 CHF",
        ),
        (
            "create_contact",
            USD,
            {"email": "Ann@Acme.example", "first_name": "Ann", "company_id": "1"},
            "Add Ann (ann@acme.example) as a contact at Acme",
        ),
        (
            "update_deal",
            {**PILOT, "stage": "qualifiedtobuy"},
            {"deal_id": "1", "stage": "contractsent"},
            "Move the deal “Acme pilot” to Contract sent",
        ),
        (
            "update_deal",
            {**PILOT, "amount": "1.00", "currency": "EUR"},
            {"deal_id": "1", "amount": "48000"},
            "Set the amount of the deal “Acme pilot” to €48,000.00",
        ),
        (
            "update_deal",
            PILOT,
            {"deal_id": "1", "name": "Acme roll-out"},
            "Rename the deal “Acme pilot” to “Acme roll-out”",
        ),
        (
            "update_deal",
            PILOT,
            {"deal_id": "1", "clear_amount": True},
            "Remove the amount of the deal “Acme pilot”",
        ),
        (
            "update_deal",
            None,
            {"deal_id": "1", "stage": "177"},
            "Move the chosen deal to 177",
        ),
        ("archive_deal", PILOT, {"deal_id": "1"}, "Archive the deal “Acme pilot”"),
        ("archive_contact", None, {"contact_id": "1"}, "Archive the chosen contact"),
        (
            "search_deals",
            None,
            {"company": "Acme", "query": "pilot"},
            "Look for deals of “Acme” that match “pilot” in HubSpot",
        ),
        (
            "search_contacts",
            None,
            {"company": "Acme"},
            "Look for contacts of “Acme” in HubSpot",
        ),
        (
            "search_companies",
            None,
            {"query": "Acme"},
            "Look for the company “Acme” in HubSpot",
        ),
    ],
)
def test_sentence_says_what_will_happen(
    name: str, before: dict[str, JsonValue] | None, arguments: dict[str, Any], expected: str
) -> None:
    """One plain sentence with resolved names and money in its currency."""  # S17
    assert sentence(name, before, **arguments) == expected


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("create_deal", {"name": ""}),
        ("create_deal", {"name": "x", "amount": "48,000"}),
        ("create_deal", {"name": "x", "amount": 48000.0}),
        ("create_deal", {"name": "x", "amount": "-1"}),
        ("create_deal", {"name": "x", "currency": "dollars"}),
        ("create_deal", {"name": "x", "company_id": "1/../2"}),
        ("create_deal", {"name": "x", "stage": "no such stage"}),
        ("create_contact", {"email": "ann"}),
        ("create_contact", {"email": "ann@a.example, bob@b.example"}),
        ("update_deal", {"deal_id": "1"}),
        ("update_deal", {"deal_id": "1", "amount": "1", "clear_amount": True}),
        ("update_deal", {"deal_id": "1", "owner": "2"}),
        ("search_deals", {}),
        ("search_contacts", {"query": " "}),
    ],
)
def test_values_that_do_not_fit_are_refused(name: str, arguments: dict[str, Any]) -> None:
    """What HubSpot or a path would misread never becomes a call."""
    with pytest.raises(ValidationError):
        action(name).arguments.model_validate(arguments)


def test_stage_that_nobody_named_stands_on_the_card() -> None:
    """HubSpot demands a stage; the one that a deal gets is part of the call, and shown."""  # S10
    one = action("create_deal")
    deal = one.arguments.model_validate({"name": "Acme"})
    preview = one.preview(deal, PreviewContext(BERLIN, USD))
    assert deal.model_dump()["stage"] == "appointmentscheduled"
    assert ("Stage", "Appointment scheduled") in [(one.name, one.value) for one in preview.details]
