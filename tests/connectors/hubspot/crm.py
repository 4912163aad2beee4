"""A person's connection to HubSpot's stand-in, and how somebody changes its records by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from connectors.actions import Action, RunContext
from connectors.hubspot.actions import CONNECTOR
from connectors.hubspot.client import MANIFEST
from connectors.hubspot.keys import KEYED_KINDS, ensure_key_property
from connectors.registry import Registry
from tests.connectors.stage import Frozen, Stage, open_stage
from tests.connectors.standins import Running

SCOPES = tuple(MANIFEST.scopes)
ACTIONS = Registry([CONNECTOR])
CRM = "/crm/objects/2026-09"


@asynccontextmanager
async def open_crm(standin: Running, *, has_keys: bool = True) -> AsyncIterator[Stage]:
    """Connect Dana with all scopes, to an account with or without the key property."""
    async with open_stage(standin, MANIFEST, *SCOPES) as stage:
        if has_keys:
            for kind in KEYED_KINDS:
                await ensure_key_property(stage.context.http, kind)
        yield stage


def action(name: str) -> Action:
    return ACTIONS.action(name)


async def edit(stage: Stage, kind: str, key: str, **properties: str) -> None:
    """Change a record as a person does in HubSpot's own pages."""
    answer = await stage.context.http.request(
        "PATCH", f"{CRM}/{kind}/{key}", json={"properties": properties}
    )
    assert answer.status_code == 200


async def company_id(stage: Stage, name: str = "Acme") -> str:
    found = await stage.run(action("search_companies"), {"query": name})
    return str(found.companies[0].id)


async def deal_id(stage: Stage, name: str = "Acme pilot") -> str:
    found = await stage.run(action("search_deals"), {"query": name})
    return str(found.deals[0].id)


async def records(stage: Stage, kind: str) -> list[dict[str, Any]]:
    """Return the records of a kind that are not archived, as the stand-in stores them."""
    state = await stage.standin.look("state")
    return [one for one in state[kind] if one["archived_at"] is None]


def with_precondition(call: Frozen, **changes: Any) -> Frozen:
    """Return the call as if other values had been read when it was frozen."""
    run = call.run
    return Frozen(
        call.action,
        call.arguments,
        RunContext(
            http=run.http,
            account=run.account,
            web_url=run.web_url,
            key=run.key,
            idempotency=run.idempotency,
            precondition={**(run.precondition or {}), **changes},
        ),
    )
