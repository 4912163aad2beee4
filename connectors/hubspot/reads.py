"""Searches, and the reads that a write rests on."""

from collections.abc import Sequence

from pydantic import JsonValue

from connectors.actions import ReadContext, RunContext
from connectors.errors import RejectedError
from connectors.hubspot.client import HubSpotClient
from connectors.hubspot.records import (
    COMPANY_PROPERTIES,
    CONTACT_PROPERTIES,
    DEAL_PROPERTIES,
    company_of,
    contact_of,
    contact_state,
    deal_of,
    deal_state,
    money_of,
)
from connectors.hubspot.schemas import (
    ArchiveContact,
    ArchiveDeal,
    Companies,
    Contacts,
    CreateContact,
    CreateDeal,
    Deals,
    SearchCompanies,
    SearchContacts,
    SearchDeals,
    UpdateDeal,
)
from connectors.hubspot.wire import Account, Record

_MAX_COMPANIES = 5
"""Groups of filters in one search.

Source: https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm
"""


async def search_companies(context: RunContext, arguments: SearchCompanies) -> Companies:
    """Return matching companies, those of exactly this name first."""
    found = await HubSpotClient(context.http).search(
        "companies", query=arguments.query, properties=COMPANY_PROPERTIES
    )
    records = _best_first(found.results, "name", arguments.query)
    return Companies(
        companies=[company_of(record, context) for record in records], total=found.total
    )


async def search_contacts(context: RunContext, arguments: SearchContacts) -> Contacts:
    """Return matching contacts, of the companies that match where a company is named."""
    client = HubSpotClient(context.http)
    companies = await _companies_named(client, arguments.company)
    if companies is None:
        return Contacts(contacts=[], total=0)
    found = await client.search(
        "contacts",
        query=arguments.query,
        company_ids=companies,
        properties=CONTACT_PROPERTIES,
    )
    records = _best_first(found.results, "email", arguments.query)
    return Contacts(contacts=[contact_of(record, context) for record in records], total=found.total)


async def search_deals(context: RunContext, arguments: SearchDeals) -> Deals:
    """Return matching deals, of the companies that match where a company is named."""
    client = HubSpotClient(context.http)
    companies = await _companies_named(client, arguments.company)
    if companies is None:
        return Deals(deals=[], total=0)
    found = await client.search(
        "deals", query=arguments.query, company_ids=companies, properties=DEAL_PROPERTIES
    )
    home = (await client.account()).companyCurrency if found.results else ""
    records = _best_first(found.results, "dealname", arguments.query)
    return Deals(
        deals=[deal_of(record, context, home_currency=home) for record in records],
        total=found.total,
    )


async def before_create_contact(
    context: ReadContext, arguments: CreateContact
) -> dict[str, JsonValue]:
    """Return the company's name, which the preview shows."""
    client = HubSpotClient(context.http)
    return {"company": await _company_name(client, arguments.company_id)}


async def before_create_deal(context: ReadContext, arguments: CreateDeal) -> dict[str, JsonValue]:
    """Return the company's name and the currencies that the amount would be in.

    Raises:
        RejectedError: the account does not use the currency of the amount.
    """
    client = HubSpotClient(context.http)
    company = await _company_name(client, arguments.company_id)
    account = await client.account()
    if arguments.currency not in (None, account.companyCurrency, *account.additionalCurrencies):
        raise _wrong_currency(f"Your HubSpot account does not use {arguments.currency}", account)
    return {
        "company": company,
        "currency": arguments.currency or account.companyCurrency,
        "home_currency": account.companyCurrency,
    }


async def before_update_deal(context: ReadContext, arguments: UpdateDeal) -> dict[str, JsonValue]:
    """Return the deal's name and the current values of what is to change.

    Raises:
        RejectedError: it is gone, or the amount is in another currency than the deal.
    """
    client = HubSpotClient(context.http)
    record = await client.get("deals", arguments.deal_id, properties=DEAL_PROPERTIES)
    state: dict[str, JsonValue] = {"name": record.read("dealname")}
    if arguments.stage is not None:
        state["stage"] = record.read("dealstage")
    if arguments.amount is not None or arguments.clear_amount:
        account = await client.account()
        currency = record.read("deal_currency_code") or account.companyCurrency
        if arguments.currency not in (None, currency):
            raise RejectedError(
                f"This deal counts in {currency}, not in {arguments.currency}. "
                f"Give the amount in {currency}, or change the deal's currency in HubSpot.",
                kind="invalid",
                fields=("currency",),
                allowed={"currency": (currency,)},
            )
        state["amount"] = money_of(record.read("amount"))
        state["currency"] = currency
    return state


async def before_archive_deal(context: ReadContext, arguments: ArchiveDeal) -> dict[str, JsonValue]:
    """Return what people could have filled in since."""
    client = HubSpotClient(context.http)
    return deal_state(await client.get("deals", arguments.deal_id, properties=DEAL_PROPERTIES))


async def before_archive_contact(
    context: ReadContext, arguments: ArchiveContact
) -> dict[str, JsonValue]:
    """Return what people could have filled in since."""
    client = HubSpotClient(context.http)
    return contact_state(
        await client.get("contacts", arguments.contact_id, properties=CONTACT_PROPERTIES)
    )


async def _companies_named(client: HubSpotClient, name: str | None) -> Sequence[str] | None:
    """Return the ids of companies of this name, else of those that match; None for none."""
    if name is None:
        return ()
    found = await client.search("companies", query=name, properties=("name",))
    exact = [record for record in found.results if _is_named(record, "name", name)]
    ids = [record.id for record in exact or found.results]
    return ids[:_MAX_COMPANIES] or None


async def _company_name(client: HubSpotClient, company_id: str | None) -> str | None:
    if company_id is None:
        return None
    record = await client.get("companies", company_id, properties=COMPANY_PROPERTIES)
    return record.read("name") or record.read("domain") or record.id


def _best_first(records: Sequence[Record], name: str, query: str | None) -> list[Record]:
    """Return exact matches first, because a plan takes the first; HubSpot's order otherwise."""
    return sorted(records, key=lambda record: not _is_named(record, name, query))


def _is_named(record: Record, name: str, wanted: str | None) -> bool:
    return wanted is not None and (record.read(name) or "").casefold() == wanted.casefold()


def _wrong_currency(what: str, account: Account) -> RejectedError:
    known = (account.companyCurrency, *account.additionalCurrencies)
    return RejectedError(
        f"{what}. Give the amount in one of: {', '.join(known)}.",
        kind="invalid",
        fields=("currency",),
        allowed={"currency": known},
    )
