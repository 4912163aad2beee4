"""Phrasings for the offline planner."""

from collections.abc import Mapping
from typing import Any

from connectors.actions import Example, Lookup, Slot

_STAGES = {
    "appointment scheduled": "appointmentscheduled",
    "qualified to buy": "qualifiedtobuy",
    "qualified": "qualifiedtobuy",
    "presentation scheduled": "presentationscheduled",
    "decision maker bought in": "decisionmakerboughtin",
    "contract sent": "contractsent",
    "closed won": "closedwon",
    "won": "closedwon",
    "closed lost": "closedlost",
    "lost": "closedlost",
}
_COMPANY = Lookup("search_companies", {"query": "{company}"}, ("companies", 0, "id"))
_EACH_DEAL = Lookup("search_deals", {"company": "{company}"}, ("deals", 0, "id"), every=True)
_DEAL = Lookup("search_deals", {"query": "{deal}"}, ("deals", 0, "id"))

_OF_COMPANY: Mapping[str, Any] = {
    "slots": {"company": Slot.NAME},
    "fills": {"company": "{company}"},
}
_OF_DEAL: Mapping[str, Any] = {"slots": {"deal": Slot.TEXT}, "fills": {"query": "{deal}"}}
_OF_PERSON: Mapping[str, Any] = {"slots": {"person": Slot.NAME}, "fills": {"query": "{person}"}}
_OF_ADDRESS: Mapping[str, Any] = {"slots": {"email": Slot.EMAIL}, "fills": {"query": "{email}"}}
_NEW_DEAL: Mapping[str, Any] = {
    "slots": {
        "company": Slot.NAME,
        "amount": Slot.MONEY,
        "name": Slot.TEXT,
        "stage": Slot.CHOICE,
    },
    "choices": {"stage": _STAGES},
    "fills": {
        "name": ("{name}", "{company}"),
        "amount": "{amount.amount}",
        "currency": "{amount.currency}",
        "stage": "{stage}",
        "company_id": _COMPANY,
    },
    "asks": {"name": "What should the deal be called?"},
}
_NAMED_AND_STAGED = ("(called|named) {name}", "(in|at) stage {stage}")
_NEW_CONTACT: Mapping[str, Any] = {
    "slots": {"email": Slot.EMAIL, "company": Slot.NAME},
    "parts": ("(at|for|with|of) {company}",),
    "fills": {"email": "{email}", "company_id": _COMPANY},
}
_MOVE: Mapping[str, Any] = {
    "slots": {"deal": Slot.TEXT, "stage": Slot.CHOICE},
    "choices": {"stage": _STAGES},
    "fills": {"deal_id": _DEAL, "stage": "{stage}"},
}
_CREATE = "(create|add|make|open|set up)"
_FIND = "(find|show|look up|search for) [me] [the]"

SEARCH_COMPANIES = (
    Example(
        f"{_FIND} company [called|named] {{company}}",
        slots={"company": Slot.NAME},
        fills={"query": "{company}"},
        shown="Find the company Acme",
    ),
)
SEARCH_CONTACTS = (
    Example(
        f"{_FIND} contact [called|named] {{person}}",
        **_OF_PERSON,
        shown="Find the contact Jane Doe",
    ),
    Example(f"{_FIND} contact [with address] {{email}}", **_OF_ADDRESS),
    Example("(which|what) contacts (do we have|are there) (at|for) {company}", **_OF_COMPANY),
    Example("who do we know at {company}", **_OF_COMPANY),
)
SEARCH_DEALS = (
    Example(
        "(which|what) deals does {company} have", **_OF_COMPANY, shown="Which deals does Acme have?"
    ),
    Example(
        "(which|what) deals (do we have|are there|have we got) (with|for|at) {company}",
        **_OF_COMPANY,
    ),
    Example(
        "(show|list|find|get|give) [me] [all] [the|our] deals (of|for|with|at|from) {company}",
        **_OF_COMPANY,
    ),
    Example("(show|list|find|get|give) [me] {company} deals", **_OF_COMPANY),
    Example("[search|look] for [the] deal {deal}", **_OF_DEAL),
    Example("find [the] deal [called|named] {deal}", **_OF_DEAL),
    Example("find [the] {deal} deal", **_OF_DEAL),
)
CREATE_DEAL = (
    Example(
        f"{_CREATE} [a|the] [new] deal (for|with|at) {{company}}",
        parts=("(worth|of|over|valued at|for) {amount}", *_NAMED_AND_STAGED),
        **_NEW_DEAL,
        shown="Create a deal for Acme worth $48,000",
    ),
    Example(
        f"{_CREATE} [a|an|the] [new] {{amount}} deal (for|with|at) {{company}}",
        parts=_NAMED_AND_STAGED,
        **_NEW_DEAL,
    ),
    # Without a company: a new customer may not be in HubSpot yet.
    Example(
        f"{_CREATE} [a|the] [new] deal (called|named) {{name}}",
        parts=(
            "(worth|of|over|valued at) {amount}",
            "(for|with|at) {company}",
            "(in|at) stage {stage}",
        ),
        **_NEW_DEAL,
    ),
)
CREATE_CONTACT = (
    Example(
        "(add|create|save) {email} as [a] [new] contact",
        **_NEW_CONTACT,
        shown="Add sam.lee@acme.example as a contact at Acme",
    ),
    Example("(add|create|save) [a|the] [new] contact [for|with address] {email}", **_NEW_CONTACT),
)
UPDATE_DEAL = (
    Example(
        "(move|set|put|change|update) [the|our] {deal} deal (to|into) [stage] {stage}",
        **_MOVE,
        shown="Move the Acme pilot deal to contract sent",
    ),
    Example("(move|set|put|change) [the] deal {deal} (to|into) [stage] {stage}", **_MOVE),
    Example("mark [the|our] {deal} deal [as] {stage}", **_MOVE),
    Example(
        "(move|set|put|change) (all|every|each) [of] [the|our] (deal|deals) (of|for|with|at) "
        "{company} (to|into) [stage] {stage}",
        slots={"company": Slot.NAME, "stage": Slot.CHOICE},
        choices={"stage": _STAGES},
        fills={"deal_id": _EACH_DEAL, "stage": "{stage}"},
        shown="Move all deals of Acme to contract sent",
    ),
    Example(
        "(set|change|update|raise|lower) [the] (amount|value) of [the] {deal} deal to {amount}",
        slots={"deal": Slot.TEXT, "amount": Slot.MONEY},
        fills={
            "deal_id": _DEAL,
            "amount": "{amount.amount}",
            "currency": "{amount.currency}",
        },
    ),
    Example(
        "rename [the] {deal} deal to {name}",
        slots={"deal": Slot.TEXT, "name": Slot.NAME},
        fills={"deal_id": _DEAL, "name": "{name}"},
    ),
)
