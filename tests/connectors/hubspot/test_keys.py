import pytest

from connectors.actions import Idempotency
from connectors.errors import ReconnectRequiredError
from connectors.hubspot.client import MANIFEST
from connectors.hubspot.keys import (
    KEYED_KINDS,
    KeyedKind,
    KeyStatus,
    ensure_key_property,
    key_property_status,
    probe_of,
)
from tests.connectors.hubspot.crm import open_crm
from tests.connectors.stage import open_stage
from tests.connectors.standins import Running


@pytest.mark.parametrize("kind", KEYED_KINDS)
async def test_missing_property_is_created_once(hubspot: Running, kind: KeyedKind) -> None:
    """Doctor's offer makes creates repeatable; doing it twice changes nothing."""
    async with open_crm(hubspot, has_keys=False) as stage:
        http = stage.context.http
        assert await key_property_status(http, kind) is KeyStatus.MISSING
        assert await probe_of(kind)(stage.context) is Idempotency.UNSAFE
        assert await ensure_key_property(http, kind) is KeyStatus.READY
        assert await ensure_key_property(http, kind) is KeyStatus.READY
        assert await probe_of(kind)(stage.context) is Idempotency.KEYED


async def test_property_that_is_not_unique_makes_no_key(hubspot: Running) -> None:
    """A property of the right name that does not keep values apart is told, not trusted."""
    async with open_crm(hubspot, has_keys=False) as stage:
        definition = {
            "name": "countersign_key",
            "label": "Key",
            "groupName": "dealinformation",
            "hasUniqueValue": False,
        }
        await stage.context.http.request("POST", "/crm/properties/2026-09/deals", json=definition)
        assert await ensure_key_property(stage.context.http, "deals") is KeyStatus.NOT_UNIQUE
        assert await probe_of("deals")(stage.context) is Idempotency.UNSAFE


async def test_creating_the_property_needs_its_own_scope(hubspot: Running) -> None:
    """No action asks for the right to add fields; only doctor does."""  # S27
    async with open_stage(hubspot, MANIFEST, "oauth", "crm.objects.deals.read") as stage:
        with pytest.raises(ReconnectRequiredError) as refused:
            await ensure_key_property(stage.context.http, "deals")
    assert refused.value.missing_scopes == {"crm.schemas.deals.write"}
    asked = {scope for entry in MANIFEST.actions.values() for scope in entry.scopes}
    assert not any(scope.startswith("crm.schemas") for scope in asked)
