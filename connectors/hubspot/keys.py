"""The property `countersign_key`: HubSpot has no idempotency key, so a unique property is one."""

from enum import StrEnum
from typing import Literal, TypeAlias

from connectors.actions import Http, Idempotency, Probe, ReadContext
from connectors.errors import RejectedError
from connectors.hubspot.client import KEY_PROPERTY, HubSpotClient

KeyedKind: TypeAlias = Literal["contacts", "deals"]

KEYED_KINDS: tuple[KeyedKind, ...] = ("contacts", "deals")
"""The object types that Countersign creates, so the ones that need the property."""

_GROUPS: dict[KeyedKind, str] = {"contacts": "contactinformation", "deals": "dealinformation"}


class KeyStatus(StrEnum):
    """What `doctor` says of the property in one account."""

    READY = "ready"
    MISSING = "missing"
    NOT_UNIQUE = "not_unique"
    """It exists but does not keep values apart; somebody must delete it in HubSpot first."""


async def key_property_status(http: Http, object_type: KeyedKind) -> KeyStatus:
    """Return whether creates of this object type can be repeated safely in this account."""
    found = await HubSpotClient(http).find_property(object_type, KEY_PROPERTY)
    if found is None:
        return KeyStatus.MISSING
    return KeyStatus.READY if found.hasUniqueValue else KeyStatus.NOT_UNIQUE


async def ensure_key_property(http: Http, object_type: KeyedKind) -> KeyStatus:
    """Create the property where it is missing, and return how it stands then.

    It needs the scope `crm.schemas.<object type>.write`, which no action asks for.

    Raises:
        ReconnectRequiredError: that scope was not granted.

    Source: https://developers.hubspot.com/docs/api-reference/latest/crm/properties/guide
    """
    status = await key_property_status(http, object_type)
    if status is not KeyStatus.MISSING:
        return status
    definition = {
        "name": KEY_PROPERTY,
        "label": "Countersign key",
        "description": "Set by Countersign so that a step is never done twice. Do not edit.",
        "type": "string",
        "fieldType": "text",
        "groupName": _GROUPS[object_type],
        "hasUniqueValue": True,
        "formField": False,
    }
    try:
        await HubSpotClient(http).create_property(object_type, definition)
    except RejectedError as error:
        if error.kind != "conflict":  # somebody else created it just now
            raise
    return await key_property_status(http, object_type)


def probe_of(object_type: KeyedKind) -> Probe:
    """Return the probe of a create: keyed with the property, else only a human can tell."""

    async def probe(context: ReadContext) -> Idempotency:
        status = await key_property_status(context.http, object_type)
        return Idempotency.KEYED if status is KeyStatus.READY else Idempotency.UNSAFE

    return probe
