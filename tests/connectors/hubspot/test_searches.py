import asyncio
from collections.abc import AsyncIterator

import pytest

from connectors.errors import ReconnectRequiredError, RetryLaterError
from connectors.hubspot.client import MANIFEST
from tests.connectors.hubspot.crm import action, open_crm
from tests.connectors.stage import Stage, open_stage
from tests.connectors.standins import Running


@pytest.fixture
async def crm(hubspot: Running) -> AsyncIterator[Stage]:
    async with open_crm(hubspot, has_keys=False) as stage:
        yield stage


async def test_deals_of_a_company_are_those_tied_to_it(crm: Stage) -> None:
    """The demo's question is answered with money as text, stages by name, and links."""
    found = await crm.run(action("search_deals"), {"company": "acme"})
    seen = {(deal.name, deal.amount, deal.currency, deal.stage) for deal in found.deals}
    assert seen == {
        ("Acme renewal", "12000.00", "USD", "Contract sent"),
        ("Acme pilot", "4500.00", "USD", "Qualified to buy"),
    }
    assert found.total == 2
    links = action("search_deals").links(found)
    assert [link.text for link in links] == [deal.name for deal in found.deals]
    assert all(link.url.startswith(crm.context.web_url) for link in links)


async def test_deals_are_found_by_words_of_their_name(crm: Stage) -> None:
    """A query looks into names, of all companies."""
    found = await crm.run(action("search_deals"), {"query": "rollout"})
    assert [deal.name for deal in found.deals] == ["Globex rollout"]


async def test_query_and_company_both_hold(crm: Stage) -> None:
    """Words and company narrow each other."""
    arguments = {"query": "rollout", "company": "Acme"}
    assert (await crm.run(action("search_deals"), arguments)).deals == []


@pytest.mark.parametrize("name", ["search_deals", "search_contacts"])
async def test_unknown_company_finds_nothing(crm: Stage, name: str) -> None:
    """A company that does not exist never widens the search to everything."""
    found = await crm.run(action(name), {"company": "Initech"})
    assert found.total == 0


async def test_contacts_of_a_company_are_those_tied_to_it(crm: Stage) -> None:
    """Who do we know there is answered with names and addresses."""
    found = await crm.run(action("search_contacts"), {"company": "Acme"})
    assert {contact.name for contact in found.contacts} == {"Jane Doe", "John Park"}


@pytest.mark.parametrize("query", ["jane.doe@acme.example", "Jane Doe"])
async def test_contact_is_found_by_address_and_by_name(crm: Stage, query: str) -> None:
    """Either of what people write finds the person."""
    found = await crm.run(action("search_contacts"), {"query": query})
    assert [contact.email for contact in found.contacts] == ["jane.doe@acme.example"]


async def test_exact_name_comes_first(crm: Stage) -> None:
    """A plan takes the first row, so the deal of exactly this name leads."""
    for name in ("Kickoff in spring", "KICKOFF"):
        await crm.run(action("create_deal"), {"name": name})
    await asyncio.sleep(0.35)
    found = await crm.run(action("search_deals"), {"query": "kickoff"})
    assert [deal.name for deal in found.deals] == ["KICKOFF", "Kickoff in spring"]


async def test_failed_search_may_be_repeated(crm: Stage) -> None:
    """A search is a POST that only reads, so a lost reply is no unknown outcome."""
    await crm.break_("reset_after_commit", method="POST")
    with pytest.raises(RetryLaterError):
        await crm.run(action("search_companies"), {"query": "Acme"})


async def test_deals_of_a_company_need_both_scopes(hubspot: Running) -> None:
    """Without the right to see companies the person is asked for exactly that."""  # S27
    scope = "crm.objects.deals.read"
    search = action("search_deals")
    async with open_stage(hubspot, MANIFEST, "oauth", scope) as stage:
        assert (await stage.run(search, {"query": "pilot"})).total == 1
        with pytest.raises(ReconnectRequiredError) as refused:
            await stage.run(search, {"company": "Acme"})
    assert refused.value.missing_scopes == {"crm.objects.companies.read"}
    asked = search.scopes(search.arguments.model_validate({"company": "Acme"}))
    assert asked == {scope, "crm.objects.companies.read"}
