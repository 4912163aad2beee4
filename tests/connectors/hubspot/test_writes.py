import asyncio
from collections.abc import AsyncIterator

import pytest

from connectors.actions import Idempotency, PreviewContext
from connectors.errors import OutcomeUnknownError, RejectedError
from tests.connectors.contract import BERLIN
from tests.connectors.hubspot.crm import (
    action,
    company_id,
    deal_id,
    edit,
    open_crm,
    records,
    with_precondition,
)
from tests.connectors.stage import Stage
from tests.connectors.standins import Running

JANE = "jane.doe@acme.example"


@pytest.fixture
async def crm(hubspot: Running) -> AsyncIterator[Stage]:
    async with open_crm(hubspot) as stage:
        yield stage


@pytest.fixture
async def keyless(hubspot: Running) -> AsyncIterator[Stage]:
    async with open_crm(hubspot, has_keys=False) as stage:
        yield stage


async def test_deal_is_created_with_its_company_and_key(crm: Stage) -> None:
    """One request makes the deal, its company and its key: there is no half of it."""
    acme = await company_id(crm)
    arguments = {"name": "Kickoff", "amount": "48000", "currency": "usd", "company_id": acme}
    call = await crm.freeze(action("create_deal"), arguments)
    deal = await call.execute()
    assert (deal.amount, deal.currency, deal.stage) == ("48000.00", "USD", "Appointment scheduled")
    (made,) = [one for one in await records(crm, "deals") if one["id"] == deal.id]
    assert made["linked"] == {"companies": [acme]}
    assert made["properties"]["countersign_key"] == call.run.key
    assert "deal_currency_code" not in made["properties"]


async def test_deal_in_another_currency_of_the_account_says_so(crm: Stage) -> None:
    """An amount in euros is not stored as dollars."""
    arguments = {"name": "Kickoff", "amount": "100", "currency": "EUR"}
    deal = await crm.run(action("create_deal"), arguments)
    assert (deal.amount, deal.currency) == ("100.00", "EUR")


async def test_deal_in_a_foreign_currency_is_refused_before_anybody_is_asked(
    crm: Stage,
) -> None:
    """A currency that the account does not use is said when the call is frozen."""
    arguments = {"name": "Kickoff", "amount": "100", "currency": "CHF"}
    with pytest.raises(RejectedError, match="USD, EUR") as refused:
        await crm.freeze(action("create_deal"), arguments)
    assert refused.value.kind == "invalid"


async def test_concurrent_runs_of_one_call_make_one_deal(crm: Stage) -> None:
    """Ten runs with one key end in one record and ten times its id."""
    before = len(await records(crm, "deals"))
    call = await crm.freeze(action("create_deal"), {"name": "Once"})
    made = await asyncio.gather(*(call.execute() for _ in range(10)))
    assert len({deal.id for deal in made}) == 1
    assert len(await records(crm, "deals")) == before + 1


async def test_repeat_does_not_write_over_what_somebody_changed(crm: Stage) -> None:
    """The record of an earlier try is the result as it is, not as it was asked for."""
    call = await crm.freeze(action("create_deal"), {"name": "Once"})
    first = await call.execute()
    await edit(crm, "deals", first.id, dealname="Renamed by hand")
    again = await call.execute()
    assert (again.id, again.name) == (first.id, "Renamed by hand")


async def test_without_the_property_a_create_is_unsafe(keyless: Stage) -> None:
    """An account without the key property creates too, but only a human settles a lost reply."""
    acme = await company_id(keyless)
    call = await keyless.freeze(action("create_deal"), {"name": "Once", "company_id": acme})
    assert call.run.idempotency is Idempotency.UNSAFE
    assert (await call.execute()).name == "Once"
    with pytest.raises(OutcomeUnknownError):
        await call.verify()


async def test_second_contact_of_an_address_is_a_conflict(crm: Stage) -> None:
    """HubSpot keeps one contact an address; the person is told, and no text of HubSpot's."""
    with pytest.raises(RejectedError) as refused:
        await crm.run(action("create_contact"), {"email": JANE.upper()})
    assert refused.value.kind == "conflict"
    assert "Existing ID" not in refused.value.message


async def test_unknown_stage_is_refused_by_name(crm: Stage) -> None:
    """A value that HubSpot refuses is named in our words."""
    with pytest.raises(RejectedError, match="does not accept the stage") as refused:
        await crm.run(action("create_deal"), {"name": "Once", "stage": "nowhere"})
    assert (refused.value.kind, refused.value.fields) == ("invalid", ("stage",))
    assert refused.value.allowed["stage"][:2] == ("appointmentscheduled", "qualifiedtobuy")


async def test_deal_of_an_unknown_company_is_refused_before_anybody_is_asked(
    crm: Stage,
) -> None:
    """The company's name is read when the call is frozen, so a wrong id shows then."""
    with pytest.raises(RejectedError) as refused:
        await crm.freeze(action("create_deal"), {"name": "Once", "company_id": "999"})
    assert refused.value.kind == "not_found"


async def test_update_shows_what_was_and_what_will_be(crm: Stage) -> None:
    """The card's before and after come from the precondition and the arguments."""  # S17
    call = await crm.freeze(
        action("update_deal"),
        {"deal_id": await deal_id(crm), "stage": "contract sent", "amount": "48000"},
    )
    assert call.run.precondition == {
        "name": "Acme pilot",
        "stage": "qualifiedtobuy",
        "amount": "4500.00",
        "currency": "USD",
    }
    context = PreviewContext(BERLIN, call.run.precondition)
    preview = call.action.preview(call.arguments, context)
    assert preview.sentence == "Change stage and amount of the deal “Acme pilot”"
    assert [(one.name, one.value, one.before) for one in preview.details] == [
        ("Stage", "Contract sent", "Qualified to buy"),
        ("Amount", "$48,000.00", "$4,500.00"),
    ]


async def test_update_of_an_edited_deal_is_refused(crm: Stage) -> None:
    """What somebody changed after the card was shown is not written over."""  # S18
    key = await deal_id(crm)
    call = await crm.freeze(action("update_deal"), {"deal_id": key, "amount": "48000"})
    await edit(crm, "deals", key, amount="5000")
    with pytest.raises(RejectedError) as refused:
        await call.execute()
    assert refused.value.kind == "changed"
    (deal,) = [one for one in await records(crm, "deals") if one["id"] == key]
    assert deal["properties"]["amount"] == "5000"


async def test_update_leaves_other_edits_alone(crm: Stage) -> None:
    """Only the values that change must be as shown; another's edit elsewhere is no clash."""
    key = await deal_id(crm)
    call = await crm.freeze(action("update_deal"), {"deal_id": key, "amount": "48000"})
    await edit(crm, "deals", key, dealstage="contractsent")
    assert (await call.execute()).amount == "48000.00"


async def test_amount_in_another_currency_than_the_deals_is_refused(crm: Stage) -> None:
    """Five thousand euros never become five thousand dollars."""
    arguments = {"deal_id": await deal_id(crm), "amount": "5000", "currency": "EUR"}
    with pytest.raises(RejectedError, match="counts in USD"):
        await crm.freeze(action("update_deal"), arguments)


async def test_old_value_that_cannot_be_written_makes_no_undo(crm: Stage) -> None:
    """No undo is offered that would be refused."""
    call = await crm.freeze(
        action("update_deal"), {"deal_id": await deal_id(crm), "amount": "1", "stage": "closedwon"}
    )
    result = await call.execute()
    assert call.action.undo is not None
    for lacking in ({"stage": None}, {"amount": "-5.00"}):
        changed = with_precondition(call, **lacking)
        assert call.action.undo(changed.arguments, result, changed.run.precondition) is None


async def test_undo_of_a_first_amount_clears_it(crm: Stage) -> None:
    """What was empty before is empty again, not zero."""
    made = await crm.run(action("create_deal"), {"name": "Once"})
    call = await crm.freeze(action("update_deal"), {"deal_id": made.id, "amount": "7"})
    assert call.action.undo is not None
    undo = call.action.undo(call.arguments, await call.execute(), call.run.precondition)
    assert undo is not None
    assert undo.arguments["clear_amount"] is True
    await crm.run(action(undo.action), undo.arguments)
    (deal,) = [one for one in await records(crm, "deals") if one["id"] == made.id]
    assert deal["properties"]["amount"] is None


async def test_archive_of_an_edited_deal_is_refused(crm: Stage) -> None:
    """A note that somebody wrote since the card was shown keeps the deal."""  # S18
    made = await crm.run(action("create_deal"), {"name": "Once"})
    call = await crm.freeze(action("archive_deal"), {"deal_id": made.id})
    await edit(crm, "deals", made.id, description="Called them")
    with pytest.raises(RejectedError) as refused:
        await call.execute()
    assert refused.value.kind == "changed"


async def test_archived_deal_is_not_found_any_more(crm: Stage) -> None:
    """A second archive of one deal is refused when it is frozen."""
    made = await crm.run(action("create_deal"), {"name": "Once"})
    await crm.run(action("archive_deal"), {"deal_id": made.id})
    with pytest.raises(RejectedError) as refused:
        await crm.freeze(action("archive_deal"), {"deal_id": made.id})
    assert refused.value.kind == "not_found"
