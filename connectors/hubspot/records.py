"""HubSpot's records as our results, and their state as preconditions."""

from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

from pydantic import JsonValue

from connectors.actions import ReadContext
from connectors.hubspot.schemas import STAGES, Company, Contact, Deal
from connectors.hubspot.wire import Record

COMPANY_PROPERTIES = ("name", "domain", "city", "country")
CONTACT_PROPERTIES = ("email", "firstname", "lastname", "phone", "num_notes")
DEAL_PROPERTIES = (
    "dealname",
    "amount",
    "dealstage",
    "closedate",
    "deal_currency_code",
    "description",
    "num_notes",
)
_OWN_DOMAIN = ".hubspot.com"


def company_of(record: Record, context: ReadContext) -> Company:
    return Company(
        id=record.id,
        name=record.read("name"),
        domain=record.read("domain"),
        city=record.read("city"),
        country=record.read("country"),
        url=link_of(record, context),
    )


def contact_of(record: Record, context: ReadContext) -> Contact:
    first, last = record.read("firstname"), record.read("lastname")
    return Contact(
        id=record.id,
        name=" ".join(part for part in (first, last) if part) or None,
        email=record.read("email"),
        phone=record.read("phone"),
        first_name=first,
        last_name=last,
        url=link_of(record, context),
    )


def deal_of(record: Record, context: ReadContext, *, home_currency: str) -> Deal:
    """Return a deal; HubSpot counts one without a currency in the account's own."""
    stage = record.read("dealstage")
    return Deal(
        id=record.id,
        name=record.read("dealname"),
        amount=money_of(record.read("amount")),
        currency=record.read("deal_currency_code") or home_currency,
        stage=stage_name(stage),
        stage_id=stage,
        close_date=record.read("closedate"),
        url=link_of(record, context),
    )


def deal_state(record: Record) -> dict[str, JsonValue]:
    """Return what people fill in, and how much they logged: what an undo must find unchanged.

    HubSpot itself touches `hs_lastmodifieddate` and computed properties later on, so the time of
    the last change says nothing about people.
    """
    return {
        "name": record.read("dealname"),
        "stage": record.read("dealstage"),
        "amount": money_of(record.read("amount")),
        "description": record.read("description"),
        "logged": record.read("num_notes") or "0",
    }


def contact_state(record: Record) -> dict[str, JsonValue]:
    """Return what people fill in of a contact; HubSpot itself fills in others from the domain."""
    return {
        "email": record.read("email"),
        "first_name": record.read("firstname"),
        "last_name": record.read("lastname"),
        "phone": record.read("phone"),
        "logged": record.read("num_notes") or "0",
    }


def money_of(value: str | None) -> str | None:
    """Return an amount as text with two decimals, or more where HubSpot has more."""
    try:
        amount = Decimal(value or "")
    except InvalidOperation:
        return None
    if not amount.is_finite():
        return None
    cents = amount.quantize(Decimal("0.01"))
    return f"{cents:f}" if cents == amount else f"{amount.normalize():f}"


def stage_name(stage: str | None) -> str | None:
    """Return a stage's name in the default pipeline; of another pipeline, its id."""
    return None if stage is None else STAGES.get(stage, stage)


def link_of(record: Record, context: ReadContext) -> str | None:
    """Return HubSpot's link to a record if it leads to HubSpot."""
    host = urlsplit(record.url or "").hostname or ""
    own = host == urlsplit(context.web_url).hostname or host.endswith(_OWN_DOMAIN)
    return record.url if own else None
