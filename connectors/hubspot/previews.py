"""What cards say about HubSpot's actions: pure functions of the frozen call (S17)."""

from decimal import Decimal

from connectors.actions import Detail, Preview, PreviewContext
from connectors.hubspot.records import stage_name
from connectors.hubspot.schemas import (
    FIRST_STAGE,
    ArchiveContact,
    ArchiveDeal,
    CreateContact,
    CreateDeal,
    SearchCompanies,
    SearchContacts,
    SearchDeals,
    UpdateDeal,
)

_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}


def preview_search_companies(search: SearchCompanies, _context: PreviewContext) -> Preview:
    return Preview(f"Look for the company “{search.query}” in HubSpot")


def preview_search_contacts(search: SearchContacts, _context: PreviewContext) -> Preview:
    return Preview(_look_for("contacts", search.query, search.company))


def preview_search_deals(search: SearchDeals, _context: PreviewContext) -> Preview:
    return Preview(_look_for("deals", search.query, search.company))


def preview_create_deal(deal: CreateDeal, context: PreviewContext) -> Preview:
    """Return the sentence with the company's name and the amount in its currency."""
    company = _company(deal.company_id, context)
    currency = _before(context, "currency") or deal.currency
    amount = None if deal.amount is None else money_text(deal.amount, currency)
    stage = stage_name(deal.stage)
    sentence = f"Create the deal “{deal.name}”"
    sentence += f" for {company}" if company else ""
    sentence += f", worth {amount}" if amount else ""
    sentence += f", in stage {stage}" if deal.stage != FIRST_STAGE else ""
    details = [Detail("Deal name", deal.name, pointer="/name")]
    for name, value, pointer in (
        ("Company", company, "/company_id"),
        ("Amount", amount, "/amount"),
        ("Stage", stage, "/stage"),
    ):
        details += [Detail(name, value, pointer=pointer)] if value else []
    return Preview(sentence, tuple(details))


def preview_create_contact(contact: CreateContact, context: PreviewContext) -> Preview:
    """Return the sentence with the person's name and the company's."""
    company = _company(contact.company_id, context)
    name = " ".join(part for part in (contact.first_name, contact.last_name) if part)
    who = f"{name} ({contact.email})" if name else contact.email
    sentence = f"Add {who} as a contact" + (f" at {company}" if company else "")
    details = [Detail("E-mail address", contact.email, pointer="/email")]
    for title, value, pointer in (
        ("First name", contact.first_name, "/first_name"),
        ("Last name", contact.last_name, "/last_name"),
        ("Company", company, "/company_id"),
    ):
        details += [Detail(title, value, pointer=pointer)] if value else []
    return Preview(sentence, tuple(details))


def preview_update_deal(change: UpdateDeal, context: PreviewContext) -> Preview:
    """Return what becomes of a deal, with what each changed value is today."""
    details = tuple(_changes(change, context))
    named = _before(context, "name") or _found(context, "deal_id")
    deal = f"the deal “{named}”" if named else "the chosen deal"
    if len(details) != 1:
        what = " and ".join(detail.name.lower() for detail in details)
        return Preview(f"Change {what} of {deal}", details)
    (only,) = details
    if only.pointer == "/stage":
        return Preview(f"Move {deal} to {only.value}", details)
    if only.pointer == "/name":
        return Preview(f"Rename {deal} to “{only.value}”", details)
    if change.clear_amount:
        return Preview(f"Remove the amount of {deal}", details)
    return Preview(f"Set the amount of {deal} to {only.value}", details)


def preview_archive_deal(_archive: ArchiveDeal, context: PreviewContext) -> Preview:
    named = _before(context, "name") or _found(context, "deal_id")
    return Preview(f"Archive the deal “{named}”" if named else "Archive the chosen deal")


def preview_archive_contact(_archive: ArchiveContact, context: PreviewContext) -> Preview:
    named = _before(context, "email") or _found(context, "contact_id")
    return Preview(f"Archive the contact {named}" if named else "Archive the chosen contact")


def money_text(amount: str, currency: str | None) -> str:
    """Return an amount as people read it: "$48,000.00", "48,000.00 CHF"."""
    number = f"{Decimal(amount):,f}"
    symbol = _SYMBOLS.get(currency or "")
    return f"{symbol}{number}" if symbol else f"{number} {currency or ''}".rstrip()


def _changes(change: UpdateDeal, context: PreviewContext) -> list[Detail]:
    details = []
    if change.name is not None:
        details.append(Detail("Deal name", change.name, _before(context, "name"), "/name"))
    if change.stage is not None:
        old = stage_name(_before(context, "stage"))
        details.append(Detail("Stage", stage_name(change.stage) or "", old, "/stage"))
    if change.amount is not None or change.clear_amount:
        currency = _before(context, "currency") or change.currency
        amount = _before(context, "amount")
        old = None if amount is None else money_text(amount, currency)
        new = "none" if change.amount is None else money_text(change.amount, currency)
        pointer = "/clear_amount" if change.clear_amount else "/amount"
        details.append(Detail("Amount", new, old, pointer))
    return details


def _company(company_id: str | None, context: PreviewContext) -> str | None:
    if company_id is None:
        return None
    return _before(context, "company") or _found(context, "company_id") or "the chosen company"


def _look_for(what: str, query: str | None, company: str | None) -> str:
    about = f" that match “{query}”" if query else ""
    where = f" of “{company}”" if company else ""
    return f"Look for {what}{where}{about} in HubSpot"


def _found(context: PreviewContext, argument: str) -> str | None:
    """Return the name of the record that an earlier step found for an id."""
    return context.names.get(argument)


def _before(context: PreviewContext, name: str) -> str | None:
    value = (context.before or {}).get(name)
    return value if isinstance(value, str) else None
