"""HubSpot's actions, as the gate needs them declared."""

from typing import Any

from connectors.actions import Action, Effect, Idempotency, Link, always, needs
from connectors.hubspot import events, examples, previews, reads, writes
from connectors.hubspot.client import MANIFEST
from connectors.hubspot.keys import probe_of
from connectors.hubspot.schemas import (
    ArchiveContact,
    Archived,
    ArchiveDeal,
    ChangedDeal,
    Companies,
    Company,
    Contact,
    Contacts,
    CreateContact,
    CreateDeal,
    Deal,
    Deals,
    SearchCompanies,
    SearchContacts,
    SearchDeals,
    UpdateDeal,
)
from connectors.hubspot.webhook import read_webhook
from connectors.hubspot.wire import PROVIDER
from connectors.registry import Connector

_READ_COMPANIES = "crm.objects.companies.read"
_READ_CONTACTS = "crm.objects.contacts.read"
_WRITE_CONTACTS = "crm.objects.contacts.write"
_READ_DEALS = "crm.objects.deals.read"
_WRITE_DEALS = "crm.objects.deals.write"


def _scopes_of_contact_search(search: SearchContacts) -> frozenset[str]:
    return frozenset({_READ_CONTACTS} | ({_READ_COMPANIES} if search.company else set()))


def _scopes_of_deal_search(search: SearchDeals) -> frozenset[str]:
    return frozenset({_READ_DEALS} | ({_READ_COMPANIES} if search.company else set()))


def _scopes_of_new_contact(contact: CreateContact) -> frozenset[str]:
    tied = {_READ_COMPANIES} if contact.company_id else set()
    return frozenset({_READ_CONTACTS, _WRITE_CONTACTS} | tied)


def _scopes_of_new_deal(deal: CreateDeal) -> frozenset[str]:
    tied = {_READ_COMPANIES} if deal.company_id else set()
    return frozenset({_READ_DEALS, _WRITE_DEALS} | tied)


def _link(result: Any) -> tuple[Link, ...]:
    """Return the link to one record."""
    found: Company | Contact | Deal | ChangedDeal = result
    text = found.name or "Open in HubSpot"
    return (Link(text, found.url),) if found.url else ()


def _company_links(result: Companies) -> tuple[Link, ...]:
    return tuple(link for company in result.companies for link in _link(company))


def _contact_links(result: Contacts) -> tuple[Link, ...]:
    return tuple(link for contact in result.contacts for link in _link(contact))


def _deal_links(result: Deals) -> tuple[Link, ...]:
    return tuple(link for deal in result.deals for link in _link(deal))


SEARCH_COMPANIES = Action(
    connector=PROVIDER,
    name="search_companies",
    summary="Find companies in HubSpot by name or domain",
    arguments=SearchCompanies,
    result=Companies,
    effect=always(Effect.READ),
    scopes=needs(_READ_COMPANIES),
    idempotency=Idempotency.READ,
    run=reads.search_companies,
    preview=previews.preview_search_companies,
    links=_company_links,
    examples=examples.SEARCH_COMPANIES,
)

SEARCH_CONTACTS = Action(
    connector=PROVIDER,
    name="search_contacts",
    summary="Find contacts in HubSpot by name or address, or those of a company",
    arguments=SearchContacts,
    result=Contacts,
    effect=always(Effect.READ),
    scopes=_scopes_of_contact_search,
    idempotency=Idempotency.READ,
    run=reads.search_contacts,
    preview=previews.preview_search_contacts,
    links=_contact_links,
    examples=examples.SEARCH_CONTACTS,
)

SEARCH_DEALS = Action(
    connector=PROVIDER,
    name="search_deals",
    summary="Find deals in HubSpot by words in their name, or those of a company",
    arguments=SearchDeals,
    result=Deals,
    effect=always(Effect.READ),
    scopes=_scopes_of_deal_search,
    idempotency=Idempotency.READ,
    run=reads.search_deals,
    preview=previews.preview_search_deals,
    links=_deal_links,
    examples=examples.SEARCH_DEALS,
)

CREATE_CONTACT = Action(
    connector=PROVIDER,
    name="create_contact",
    summary="Create a contact in HubSpot",
    arguments=CreateContact,
    result=Contact,
    effect=always(Effect.SHARED),
    scopes=_scopes_of_new_contact,
    idempotency=Idempotency.KEYED,
    run=writes.create_contact,
    preview=previews.preview_create_contact,
    precondition=reads.before_create_contact,
    verify=writes.verify_create_contact,
    undo=writes.undo_create_contact,
    probe=probe_of("contacts"),
    links=_link,
    examples=examples.CREATE_CONTACT,
)

CREATE_DEAL = Action(
    connector=PROVIDER,
    name="create_deal",
    summary="Create a deal in HubSpot",
    arguments=CreateDeal,
    result=Deal,
    effect=always(Effect.SHARED),
    scopes=_scopes_of_new_deal,
    idempotency=Idempotency.KEYED,
    run=writes.create_deal,
    preview=previews.preview_create_deal,
    precondition=reads.before_create_deal,
    verify=writes.verify_create_deal,
    undo=writes.undo_create_deal,
    probe=probe_of("deals"),
    links=_link,
    examples=examples.CREATE_DEAL,
)

UPDATE_DEAL = Action(
    connector=PROVIDER,
    name="update_deal",
    summary="Change stage, amount or name of a deal in HubSpot",
    arguments=UpdateDeal,
    result=ChangedDeal,
    effect=always(Effect.SHARED),
    scopes=needs(_READ_DEALS, _WRITE_DEALS),
    idempotency=Idempotency.VERIFIABLE,
    run=writes.update_deal,
    preview=previews.preview_update_deal,
    precondition=reads.before_update_deal,
    verify=writes.verify_update_deal,
    undo=writes.undo_update_deal,
    links=_link,
    examples=examples.UPDATE_DEAL,
)

ARCHIVE_DEAL = Action(
    connector=PROVIDER,
    name="archive_deal",
    summary="Archive a deal that Countersign created",
    arguments=ArchiveDeal,
    result=Archived,
    effect=always(Effect.SHARED),
    scopes=needs(_READ_DEALS, _WRITE_DEALS),
    idempotency=Idempotency.VERIFIABLE,
    run=writes.archive_deal,
    preview=previews.preview_archive_deal,
    precondition=reads.before_archive_deal,
    verify=writes.verify_archive_deal,
    undo=writes.undo_archive,
    deletes=True,
    planned=False,
)

ARCHIVE_CONTACT = Action(
    connector=PROVIDER,
    name="archive_contact",
    summary="Archive a contact that Countersign created",
    arguments=ArchiveContact,
    result=Archived,
    effect=always(Effect.SHARED),
    scopes=needs(_READ_CONTACTS, _WRITE_CONTACTS),
    idempotency=Idempotency.VERIFIABLE,
    run=writes.archive_contact,
    preview=previews.preview_archive_contact,
    precondition=reads.before_archive_contact,
    verify=writes.verify_archive_contact,
    undo=writes.undo_archive,
    deletes=True,
    planned=False,
)

CONNECTOR = Connector(
    PROVIDER,
    MANIFEST.title,
    MANIFEST,
    (
        SEARCH_COMPANIES,
        SEARCH_CONTACTS,
        SEARCH_DEALS,
        CREATE_CONTACT,
        CREATE_DEAL,
        UPDATE_DEAL,
        ARCHIVE_DEAL,
        ARCHIVE_CONTACT,
    ),
    events=events.EVENTS,
    streams=events.STREAMS,
    webhook=read_webhook,
)
