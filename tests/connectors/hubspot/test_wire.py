from typing import Any

import pytest

from connectors.actions import ReadContext
from connectors.errors import ReconnectRequiredError, RejectedError
from connectors.execute import NoHttp
from connectors.hubspot.records import link_of, money_of
from connectors.hubspot.wire import Record, refusal_of

DECLARED = frozenset({"crm.objects.deals.read"})


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid"),
        (403, "forbidden"),
        (404, "not_found"),
        (409, "conflict"),
        (410, "not_found"),
        (412, "changed"),
        (422, "invalid"),
    ],
)
@pytest.mark.parametrize(
    "body",
    [None, [], "<html>", {"category": 7}, {"message": "<b>raw</b>", "errors": [{"context": "x"}]}],
    ids=["none", "list", "text", "number", "odd"],
)
def test_refusal_is_told_by_its_status_whatever_the_body(
    status: int, kind: str, body: object
) -> None:
    """A body of any form gives our own sentence for the status."""  # S33
    error = refusal_of(status, body, declared=DECLARED)
    assert isinstance(error, RejectedError)
    assert error.kind == kind
    assert error.message.endswith(".")
    assert "raw" not in error.message


def test_taken_unique_value_is_a_conflict() -> None:
    """HubSpot says 400 for it; what it means is a conflict."""
    body = {"category": "VALIDATION_ERROR", "errors": [{"code": "CONFLICTING_UNIQUE_VALUE"}]}
    error = refusal_of(400, body, declared=DECLARED)
    assert isinstance(error, RejectedError)
    assert error.kind == "conflict"


def test_missing_scope_asks_only_for_scopes_that_we_declare() -> None:
    """HubSpot lists alternatives; one that the manifest does not have is never asked for."""
    named = ["crm.objects.deals.read", "crm.schemas.deals.read"]
    body: dict[str, Any] = {
        "category": "MISSING_SCOPES",
        "errors": [{"context": {"requiredGranularScopes": named}}],
    }
    error = refusal_of(403, body, declared=DECLARED)
    assert isinstance(error, ReconnectRequiredError)
    assert error.missing_scopes == DECLARED


def test_property_of_hubspots_choosing_is_not_repeated() -> None:
    """Only fields that we write are named."""
    details = [{"context": {"propertyName": [name]}} for name in ("<script>", "amount")]
    error = refusal_of(400, {"errors": details}, declared=DECLARED)
    assert error.message == "HubSpot does not accept the amount. Give another value."
    assert isinstance(error, RejectedError)
    assert error.fields == ("amount",)


@pytest.mark.parametrize(
    "options",
    ["[won, lost]", "['won', 'lost']", '[label: "<b>Won</b>"\nvalue: "won"\n, value: "lost"]'],
    ids=["bare", "quoted", "labelled"],
)
def test_accepted_values_are_read_and_nothing_else_of_the_sentence(options: str) -> None:
    """The values that HubSpot lists can be offered; its words and labels are left out."""
    one = {
        "message": f"nowhere was not one of the allowed options: {options}",
        "code": "INVALID_OPTION",
        "context": {"propertyName": ["dealstage"]},
    }
    error = refusal_of(400, {"errors": [one]}, declared=DECLARED)
    assert isinstance(error, RejectedError)
    assert error.allowed == {"stage": ("won", "lost")}


@pytest.mark.parametrize(
    ("text", "money"),
    [
        ("12000", "12000.00"),
        ("48000.5", "48000.50"),
        ("0.125", "0.125"),
        ("-3", "-3.00"),
        ("1E+3", "1000.00"),
        ("", None),
        (None, None),
        ("NaN", None),
        ("a lot", None),
    ],
)
def test_amount_is_text_with_two_decimals(text: str | None, money: str | None) -> None:
    """Money is exact text, however HubSpot wrote it."""
    assert money_of(text) == money


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://app-eu1.hubspot.com/contacts/1/record/0-3/2", True),
        ("http://127.0.0.1:9/contacts/1", True),
        ("https://hubspot.com.evil.example/contacts/1", False),
        ("javascript:alert(1)", False),
        (None, False),
    ],
)
def test_link_leads_to_hubspot_or_nowhere(url: str | None, kept: bool) -> None:  # noqa: FBT001 -- a table
    """A link that leads elsewhere is dropped."""
    context = ReadContext(NoHttp(), "dana@northwind.example", "http://127.0.0.1:9")
    assert link_of(Record(id="2", properties={}, url=url), context) == (url if kept else None)
