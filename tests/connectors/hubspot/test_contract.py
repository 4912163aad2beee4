from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest

from connectors.actions import Effect
from connectors.hubspot.actions import CONNECTOR
from connectors.hubspot.records import money_of
from tests.connectors.contract import ConnectorContract, Json, Write
from tests.connectors.hubspot.crm import SCOPES, action, company_id, deal_id, edit, open_crm
from tests.connectors.stage import Stage
from tests.connectors.standins import Running

_TIMES = frozenset({"lastmodifieddate", "hs_lastmodifieddate"})


async def acme_kickoff(stage: Stage) -> Json:
    return {"name": "Acme kickoff", "amount": "48000", "company_id": await company_id(stage)}


async def acme_person(stage: Stage) -> Json:
    return {"email": "ann.lee@acme.example", "company_id": await company_id(stage)}


async def pilot_to_contract(stage: Stage) -> Json:
    return {"deal_id": await deal_id(stage), "stage": "contractsent"}


async def pilot_wholly_changed(stage: Stage) -> Json:
    return {
        "deal_id": await deal_id(stage),
        "stage": "contractsent",
        "amount": "9000",
        "name": "Acme roll-out",
    }


async def pilot_without_amount(stage: Stage) -> Json:
    return {"deal_id": await deal_id(stage), "clear_amount": True}


async def made_deal(stage: Stage) -> Json:
    return {"deal_id": (await stage.run(action("create_deal"), {"name": "Made"})).id}


async def made_contact(stage: Stage) -> Json:
    made = await stage.run(action("create_contact"), {"email": "ann.lee@acme.example"})
    return {"contact_id": made.id}


def shared(name: str, arguments: Any, id_: str, *, undoes: bool = True) -> Write:
    return Write(action=name, arguments=arguments, effect=Effect.SHARED, undoes=undoes, id=id_)


class TestHubSpot(ConnectorContract):
    """HubSpot keeps what every connector promises."""

    connector = CONNECTOR
    scopes = SCOPES
    weak_scope = "oauth"
    writes: ClassVar[tuple[Write, ...]] = (
        shared("create_deal", acme_kickoff, "deal of a company"),
        shared("create_deal", {"name": "Small one", "stage": "closedwon"}, "plain deal"),
        shared("create_contact", acme_person, "contact of a company"),
        shared("update_deal", pilot_to_contract, "move"),
        shared("update_deal", pilot_wholly_changed, "change everything"),
        shared("update_deal", pilot_without_amount, "clear"),
        shared("archive_deal", made_deal, "archive deal", undoes=False),
        shared("archive_contact", made_contact, "archive contact", undoes=False),
    )

    @pytest.fixture
    def standin(self, hubspot: Running) -> Running:
        return hubspot

    @pytest.fixture
    async def stage(self, standin: Running) -> AsyncIterator[Stage]:
        async with open_crm(standin) as stage:
            yield stage

    def visible(self, state: Json) -> Any:
        """Return the records that are not archived, without times and dead links."""
        gone = {
            one["id"]
            for kind in ("contacts", "companies", "deals")
            for one in state[kind]
            if one["archived_at"] is not None
        }
        return {
            kind: [_seen(one, gone) for one in state[kind] if one["id"] not in gone]
            for kind in ("contacts", "companies", "deals")
        }

    async def something_awaited(self, stage: Stage) -> Any:
        return await stage.run(action("create_deal"), await acme_kickoff(stage))

    async def edit_by_hand(self, stage: Stage, result: Any) -> None:
        if hasattr(result, "email"):
            await edit(stage, "contacts", result.id, phone="+49 40 1234567")
        else:
            changes = {"dealname": "By hand", "dealstage": "closedlost", "amount": "1"}
            await edit(stage, "deals", result.id, **changes)


def _seen(record: Json, gone: set[str]) -> Json:
    values = {
        name: money_of(value) if name == "amount" else value
        for name, value in record["properties"].items()
        if name not in _TIMES and value is not None
    }
    linked = {
        kind: [key for key in keys if key not in gone] for kind, keys in record["linked"].items()
    }
    return {
        "id": record["id"],
        "properties": values,
        "linked": {k: v for k, v in linked.items() if v},
    }
