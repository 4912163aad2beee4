"""Creates, changes and archives, how each is looked up, and how each is taken back."""

from pydantic import JsonValue, ValidationError

from connectors.actions import Idempotency, RunContext, UndoCall
from connectors.calls import normalise
from connectors.errors import OutcomeUnknownError, RejectedError
from connectors.hubspot.client import KEY_PROPERTY, HubSpotClient
from connectors.hubspot.keys import KeyedKind
from connectors.hubspot.reads import (
    before_archive_contact,
    before_archive_deal,
    before_update_deal,
)
from connectors.hubspot.records import (
    CONTACT_PROPERTIES,
    DEAL_PROPERTIES,
    contact_of,
    deal_of,
    deal_state,
    link_of,
    stage_name,
)
from connectors.hubspot.schemas import (
    ArchiveContact,
    Archived,
    ArchiveDeal,
    ChangedDeal,
    Contact,
    CreateContact,
    CreateDeal,
    Deal,
    UpdateDeal,
)
from connectors.hubspot.wire import Record, given

_PROPERTIES = {"contacts": CONTACT_PROPERTIES, "deals": DEAL_PROPERTIES}


async def create_deal(context: RunContext, arguments: CreateDeal) -> Deal:
    """Create a deal, at most once for a key where the account has the key property."""
    home = _text(context.precondition, "home_currency")
    values = {
        "dealname": arguments.name,
        "dealstage": arguments.stage,
        "amount": arguments.amount,
        "deal_currency_code": None if arguments.currency == home else arguments.currency,
    }
    record = await _create(context, "deals", given(values), company_id=arguments.company_id)
    return deal_of(record, context, home_currency=home)


async def verify_create_deal(context: RunContext, _arguments: CreateDeal) -> Deal | None:
    """Return the deal of this key, or None."""
    record = await _find_made(context, "deals")
    home = _text(context.precondition, "home_currency")
    return None if record is None else deal_of(record, context, home_currency=home)


def undo_create_deal(
    arguments: CreateDeal, result: Deal, _before: dict[str, JsonValue] | None
) -> UndoCall:
    """Archive it, unless somebody filled in or logged anything since."""
    expects: dict[str, JsonValue] = {
        "name": arguments.name,
        "stage": arguments.stage,
        "amount": arguments.amount,
        "description": None,
        "logged": "0",
    }
    return UndoCall("archive_deal", {"deal_id": result.id}, expects)


async def create_contact(context: RunContext, arguments: CreateContact) -> Contact:
    """Create a contact, at most once for a key where the account has the key property.

    Raises:
        RejectedError: kind conflict: HubSpot has one with this address already.
    """
    values = {
        "email": arguments.email,
        "firstname": arguments.first_name,
        "lastname": arguments.last_name,
    }
    record = await _create(context, "contacts", given(values), company_id=arguments.company_id)
    return contact_of(record, context)


async def verify_create_contact(context: RunContext, _arguments: CreateContact) -> Contact | None:
    """Return the contact of this key, or None."""
    record = await _find_made(context, "contacts")
    return None if record is None else contact_of(record, context)


def undo_create_contact(
    arguments: CreateContact, result: Contact, _before: dict[str, JsonValue] | None
) -> UndoCall:
    """Archive it, unless somebody filled in or logged anything since."""
    expects: dict[str, JsonValue] = {
        "email": arguments.email,
        "first_name": arguments.first_name,
        "last_name": arguments.last_name,
        "phone": None,
        "logged": "0",
    }
    return UndoCall("archive_contact", {"contact_id": result.id}, expects)


async def update_deal(context: RunContext, arguments: UpdateDeal) -> ChangedDeal:
    """Write the new values over those that were shown.

    HubSpot knows no condition on a write, so the deal is read once more just before: what is left
    is one round trip. Nothing is read afterwards, where a failure would hide the change.

    Raises:
        RejectedError: kind changed: somebody edited one of these values meanwhile.
    """
    _check_unchanged(context, await before_update_deal(context, arguments))
    values = given(
        {"dealname": arguments.name, "dealstage": arguments.stage, "amount": arguments.amount}
    )
    if arguments.clear_amount:
        values["amount"] = ""
    record = await HubSpotClient(context.http).update("deals", arguments.deal_id, values)
    return _changed(context, arguments, record)


async def verify_update_deal(context: RunContext, arguments: UpdateDeal) -> ChangedDeal | None:
    """Return the deal if it has the wanted values now, else None."""
    record = await HubSpotClient(context.http).get(
        "deals", arguments.deal_id, properties=DEAL_PROPERTIES
    )
    now = deal_state(record)
    if any(now[name] != value for name, value in _wanted(arguments).items()):
        return None
    return _changed(context, arguments, record)


def undo_update_deal(
    arguments: UpdateDeal, _result: ChangedDeal, before: dict[str, JsonValue] | None
) -> UndoCall | None:
    """Write the values from before back over those that were set, and over no others.

    Returns None where a value from before could not be written by an update, such as a negative
    amount.
    """
    wanted = _wanted(arguments)
    back = {name: (before or {}).get(name) for name in wanted}
    clears = "amount" in back and back["amount"] is None
    if any(value is None for name, value in back.items() if name != "amount"):
        return None
    undo = {"deal_id": arguments.deal_id, **back, "clear_amount": clears}
    try:
        UpdateDeal.model_validate(undo)
    except ValidationError:
        return None
    return UndoCall("update_deal", undo, wanted)


async def archive_deal(context: RunContext, arguments: ArchiveDeal) -> Archived:
    """Archive a deal that is as it was when this was shown.

    Raises:
        RejectedError: kind changed, or not_found: it is archived already.
    """
    _check_unchanged(context, await before_archive_deal(context, arguments))
    await HubSpotClient(context.http).archive("deals", arguments.deal_id)
    return Archived(id=arguments.deal_id)


async def verify_archive_deal(context: RunContext, arguments: ArchiveDeal) -> Archived | None:
    return await _find_archived(context, "deals", arguments.deal_id)


async def archive_contact(context: RunContext, arguments: ArchiveContact) -> Archived:
    """Archive a contact that is as it was when this was shown.

    Raises:
        RejectedError: kind changed, or not_found: it is archived already.
    """
    _check_unchanged(context, await before_archive_contact(context, arguments))
    await HubSpotClient(context.http).archive("contacts", arguments.contact_id)
    return Archived(id=arguments.contact_id)


async def verify_archive_contact(context: RunContext, arguments: ArchiveContact) -> Archived | None:
    return await _find_archived(context, "contacts", arguments.contact_id)


def undo_archive(_arguments: object, _result: Archived, _before: object) -> None:
    """Return None: only people can restore a record, in HubSpot, for 90 days.

    Source: https://developers.hubspot.com/docs/api-reference/2026-03/crm/objects/contacts/delete-contact
    """


async def _create(
    context: RunContext, kind: KeyedKind, values: dict[str, str], *, company_id: str | None
) -> Record:
    """Create a record in one request, at most once where the account has the key property.

    HubSpot refuses a second record with the same unique value; then the first one, our own earlier
    attempt, is the result. A batch upsert would deduplicate too, but it cannot associate the
    company in the same request, and its repetition writes over what somebody changed meanwhile.
    """
    client = HubSpotClient(context.http)
    if context.idempotency is not Idempotency.KEYED:
        return await client.create(kind, values, company_id=company_id)
    try:
        return await client.create(
            kind, {**values, KEY_PROPERTY: context.key}, company_id=company_id
        )
    except RejectedError:
        made = await _find_by_key(context, kind)
        if made is None:
            raise
        return made


async def _find_made(context: RunContext, kind: KeyedKind) -> Record | None:
    """Return the record of this call's key.

    Raises:
        OutcomeUnknownError: without the key property nobody can tell.
    """
    if context.idempotency is not Idempotency.KEYED:
        raise OutcomeUnknownError("HubSpot cannot tell whether this was done; please look there.")
    return await _find_by_key(context, kind)


def _check_unchanged(context: RunContext, now: dict[str, JsonValue]) -> None:
    if normalise(now) != context.precondition:
        raise RejectedError(
            "Somebody changed it in HubSpot meanwhile, so it was left as it is.", kind="changed"
        )


async def _find_by_key(context: RunContext, kind: KeyedKind) -> Record | None:
    return await HubSpotClient(context.http).find(
        kind, context.key, properties=_PROPERTIES[kind], id_property=KEY_PROPERTY
    )


async def _find_archived(context: RunContext, kind: KeyedKind, key: str) -> Archived | None:
    record = await HubSpotClient(context.http).find(
        kind, key, properties=("hs_object_id",), archived=True
    )
    return None if record is None else Archived(id=key)


def _changed(context: RunContext, arguments: UpdateDeal, record: Record) -> ChangedDeal:
    """Return what the call set; the name as it was, unless that is what changed."""
    wanted = _wanted(arguments)
    return ChangedDeal(
        id=record.id,
        name=arguments.name or _text(context.precondition, "name") or None,
        stage=stage_name(arguments.stage),
        amount=arguments.amount,
        currency=_text(context.precondition, "currency") or None if "amount" in wanted else None,
        url=link_of(record, context),
    )


def _wanted(arguments: UpdateDeal) -> dict[str, JsonValue]:
    """Return the values that the call sets, named as in its precondition."""
    wanted: dict[str, JsonValue] = {
        name: value
        for name in ("stage", "amount", "name")
        if (value := getattr(arguments, name)) is not None
    }
    return {**wanted, "amount": None} if arguments.clear_amount else wanted


def _text(before: dict[str, JsonValue] | None, name: str) -> str:
    return str((before or {}).get(name) or "")
