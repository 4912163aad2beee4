import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from tests.connectors.standins import Running, connect

CRM = "/crm/objects/2026-09"
DEALS = f"{CRM}/deals"
CONTACTS = f"{CRM}/contacts"
DEAL_PROPERTIES = "/crm/properties/2026-09/deals"
KEY = {
    "name": "countersign_key",
    "label": "Countersign key",
    "type": "string",
    "fieldType": "text",
    "groupName": "dealinformation",
    "hasUniqueValue": True,
}
SCOPES = [
    "oauth",
    *(f"crm.objects.{name}.{right}" for name in ("contacts", "companies", "deals")
      for right in ("read", "write")),
    "crm.schemas.deals.write",
    "crm.objects.owners.read",
]  # fmt: skip


@pytest.fixture
async def crm(hubspot: Running) -> AsyncIterator[httpx2.AsyncClient]:
    token = await connect(hubspot, *SCOPES)
    async with hubspot.client(token["access_token"]) as http:
        yield http


def _deal(**properties: str) -> dict[str, Any]:
    values = {"dealname": "Acme kickoff", "dealstage": "appointmentscheduled", **properties}
    return {"properties": values}


async def _search(crm: httpx2.AsyncClient, kind: str, **body: Any) -> list[dict[str, Any]]:
    answer = await crm.post(f"{CRM}/{kind}/search", json=body)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


async def _acme_id(crm: httpx2.AsyncClient) -> str:
    found = await _search(crm, "companies", query="acme")
    assert len(found) == 1
    return str(found[0]["id"])


def _codes(answer: httpx2.Response) -> list[str]:
    return [error["code"] for error in answer.json()["errors"]]


async def test_seeds_hold_acmes_two_deals(crm: httpx2.AsyncClient) -> None:
    """The demo's question has its answer: Acme's deals, by association."""
    filters = [
        {"propertyName": "associations.company", "operator": "EQ", "value": await _acme_id(crm)}
    ]
    deals = await _search(crm, "deals", filterGroups=[{"filters": filters}])
    named = {deal["properties"]["dealname"]: deal["properties"]["amount"] for deal in deals}
    assert named == {"Acme renewal": "12000", "Acme pilot": "4500"}


async def test_created_deal_is_read_at_once_and_searched_a_moment_later(
    crm: httpx2.AsyncClient,
) -> None:
    """Search lags behind writes; reading by id does not."""
    made = await crm.post(DEALS, json=_deal(amount="48000"))
    assert made.status_code == 201
    key = made.json()["id"]
    read = await crm.get(f"{DEALS}/{key}", params={"properties": "amount,dealstage,pipeline"})
    assert read.json()["properties"]["amount"] == "48000"
    assert read.json()["properties"]["pipeline"] == "default"
    assert await _search(crm, "deals", query="kickoff") == []
    await asyncio.sleep(0.35)
    assert [deal["id"] for deal in await _search(crm, "deals", query="kickoff")] == [key]


async def test_changed_deal_is_searched_with_its_old_value_for_a_moment(
    crm: httpx2.AsyncClient,
) -> None:
    """Right after a change the index still has the value before."""
    (deal,) = await _search(crm, "deals", query="pilot")
    changes = {"properties": {"amount": "9000"}}
    changed = await crm.patch(f"{DEALS}/{deal['id']}", json=changes)
    assert changed.json()["properties"]["amount"] == "9000"
    (stale,) = await _search(crm, "deals", query="pilot")
    assert stale["properties"]["amount"] == "4500"
    await asyncio.sleep(0.35)
    (fresh,) = await _search(crm, "deals", query="pilot")
    assert fresh["properties"]["amount"] == "9000"


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        pytest.param({"colour": "red"}, "PROPERTY_DOESNT_EXIST", id="unknown property"),
        pytest.param({"dealstage": "won"}, "INVALID_OPTION", id="unknown stage"),
        pytest.param({"pipeline": "other"}, "INVALID_OPTION", id="unknown pipeline"),
        pytest.param({"amount": "$48,000"}, "INVALID_NUMBER", id="amount with a sign"),
        pytest.param({"closedate": "next week"}, "INVALID_DATE", id="no date"),
        pytest.param({"hs_object_id": "1"}, "READ_ONLY_VALUE", id="read-only property"),
        pytest.param({"dealname": ""}, "REQUIRED_PROPERTY_MISSING", id="no name"),
    ],
)
async def test_bad_property_value_is_400_and_names_the_property(
    crm: httpx2.AsyncClient, properties: dict[str, str], code: str
) -> None:
    """What HubSpot would not store is refused with its code, and nothing is stored."""
    answer = await crm.post(DEALS, json=_deal(**properties))
    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")
    assert _codes(answer) == [code]
    assert next(iter(properties)) in answer.text


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="truncated"),
        pytest.param(b'{"properties": {"amount": 48000}}', id="number for a string"),
        pytest.param(b'{"properties": "\xff"}', id="not UTF-8"),
        pytest.param(b'{"properties": {"dealname": "\\ud800"}}', id="lone surrogate"),
        pytest.param(b"[]", id="not an object"),
    ],
)
async def test_malformed_body_is_400(crm: httpx2.AsyncClient, body: bytes) -> None:
    """A body that is not what the API says is refused, never a 500."""
    answer = await crm.post(DEALS, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["status"]) == (400, "error")


async def test_second_contact_with_one_email_is_409_and_names_the_first(
    crm: httpx2.AsyncClient,
) -> None:
    """Contacts are unique by email, whatever its case."""
    answer = await crm.post(CONTACTS, json={"properties": {"email": "Jane.Doe@ACME.example"}})
    read = await crm.get(f"{CONTACTS}/jane.doe@acme.example", params={"idProperty": "email"})
    assert answer.status_code == 409
    assert answer.json()["message"] == f"Contact already exists. Existing ID: {read.json()['id']}"
    changed = await crm.patch(
        f"{CONTACTS}/john.park@acme.example",
        params={"idProperty": "email"},
        json={"properties": {"email": "jane.doe@acme.example"}},
    )
    assert changed.status_code == 409


@pytest.mark.parametrize("name", ["countersign_key", "dealname", "hs_object_id"])
async def test_upsert_by_absent_or_ordinary_property_is_400(
    crm: httpx2.AsyncClient, name: str
) -> None:
    """Without a unique property there is no create-once: HubSpot refuses the upsert."""
    inputs = [{"idProperty": name, "id": "k1", **_deal()}]
    answer = await crm.post(f"{DEALS}/batch/upsert", json={"inputs": inputs})
    assert answer.status_code == 400
    assert f"by non-unique 0-3 property {name}" in answer.json()["message"]


async def test_upsert_twice_by_unique_property_creates_once(crm: httpx2.AsyncClient) -> None:
    """The same key finds the record of the first time at once; `new` says so."""
    assert (await crm.post(DEAL_PROPERTIES, json=KEY)).status_code == 201
    inputs = [{"idProperty": "countersign_key", "id": "k1", **_deal(amount="48000")}]
    results = []
    for _ in range(2):
        answer = await crm.post(f"{DEALS}/batch/upsert", json={"inputs": inputs})
        assert answer.json()["status"] == "COMPLETE"
        results += answer.json()["results"]
    assert [one["new"] for one in results] == [True, False]
    assert results[0]["id"] == results[1]["id"]
    read = await crm.get(f"{DEALS}/k1", params={"idProperty": "countersign_key"})
    assert read.json()["id"] == results[0]["id"]


async def test_upsert_batch_with_one_bad_input_stores_nothing(
    crm: httpx2.AsyncClient, hubspot: Running
) -> None:
    """A batch is all or nothing, and no input may repeat another's key."""
    await crm.post(DEAL_PROPERTIES, json=KEY)
    good = {"idProperty": "countersign_key", "id": "k1", **_deal()}
    bad = {"idProperty": "countersign_key", "id": "k2", **_deal(dealstage="won")}
    for inputs in ([good, bad], [good, good], []):
        answer = await crm.post(f"{DEALS}/batch/upsert", json={"inputs": inputs})
        assert answer.status_code == 400
    assert len((await hubspot.look("state"))["deals"]) == 3


async def test_unique_value_of_another_record_is_refused(crm: httpx2.AsyncClient) -> None:
    """A unique property keeps its promise on plain create, too."""
    await crm.post(DEAL_PROPERTIES, json=KEY)
    assert (await crm.post(DEALS, json=_deal(countersign_key="k1"))).status_code == 201
    answer = await crm.post(DEALS, json=_deal(countersign_key="k1"))
    assert (answer.status_code, _codes(answer)) == (400, ["CONFLICTING_UNIQUE_VALUE"])


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({}, 409, id="taken name"),
        pytest.param({"name": "other", "groupName": "nowhere"}, 400, id="unknown group"),
        pytest.param({"name": "Upper Case"}, 400, id="bad name"),
    ],
)
async def test_property_that_cannot_be_made_is_refused(
    crm: httpx2.AsyncClient, changes: dict[str, str], status: int
) -> None:
    """Property names are unique and have a form; groups must exist."""
    await crm.post(DEAL_PROPERTIES, json=KEY)
    assert (await crm.post(DEAL_PROPERTIES, json=KEY | changes)).status_code == status


async def test_property_needs_the_schema_scope(hubspot: Running) -> None:
    """Who may write deals may not thereby add fields."""
    token = await connect(hubspot, "oauth", "crm.objects.deals.read", "crm.objects.deals.write")
    async with hubspot.client(token["access_token"]) as http:
        assert (await http.post(DEAL_PROPERTIES, json=KEY)).status_code == 403
        assert (await http.get(f"{DEAL_PROPERTIES}/dealname")).status_code == 200
        assert (await http.get(f"{DEAL_PROPERTIES}/countersign_key")).status_code == 404


async def test_archived_deal_is_404_and_archiving_again_is_no_error(
    crm: httpx2.AsyncClient,
) -> None:
    """DELETE archives: the record is readable only as archived, and not found by search."""
    (deal,) = await _search(crm, "deals", query="pilot")
    path = f"{DEALS}/{deal['id']}"
    assert [(await crm.delete(path)).status_code for _ in range(2)] == [204, 204]
    gone = await crm.get(path)
    assert (gone.status_code, gone.json()["category"]) == (404, "OBJECT_NOT_FOUND")
    assert (await crm.get(path, params={"archived": "true"})).json()["archived"] is True
    assert (await crm.patch(path, json=_deal())).status_code == 404
    await asyncio.sleep(0.35)
    assert await _search(crm, "deals", query="pilot") == []


async def test_deal_is_associated_on_create_or_later(crm: httpx2.AsyncClient) -> None:
    """Both ways tie deal and company, and the tie is read from either end."""
    acme = await _acme_id(crm)
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 5}]
    ties = [{"to": {"id": acme}, "types": types}]
    first = (await crm.post(DEALS, json={**_deal(), "associations": ties})).json()["id"]
    second = (await crm.post(DEALS, json=_deal())).json()["id"]
    link = f"{DEALS}/{second}/associations/default/companies/{acme}"
    tied = await crm.put(link)
    assert (tied.status_code, tied.json()["status"]) == (200, "COMPLETE")
    for key in (first, second):
        read = await crm.get(f"{DEALS}/{key}", params={"associations": "companies"})
        assert read.json()["associations"]["companies"]["results"][0]["id"] == acme
    listed = await crm.get(f"{CRM}/companies/{acme}/associations/deals")
    ids = {str(one["toObjectId"]) for one in listed.json()["results"]}
    assert {first, second} <= ids


async def test_association_with_nothing_creates_nothing(
    crm: httpx2.AsyncClient, hubspot: Running
) -> None:
    """A create whose association fails is undone as a whole."""
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 5}]
    ties = [{"to": {"id": "404"}, "types": types}]
    answer = await crm.post(DEALS, json={**_deal(), "associations": ties})
    assert answer.status_code == 404
    assert len((await hubspot.look("state"))["deals"]) == 3


@pytest.mark.parametrize(
    ("operator", "values", "names"),
    [
        ("EQ", {"value": "4500"}, ["Acme pilot"]),
        ("GT", {"value": "4500"}, ["Acme renewal", "Globex rollout"]),
        ("BETWEEN", {"value": "5000", "highValue": "20000"}, ["Acme renewal"]),
        ("IN", {"values": ["4500", "30000"]}, ["Acme pilot", "Globex rollout"]),
        ("NOT_HAS_PROPERTY", {}, []),
    ],
)
async def test_search_filters_compare_numbers_as_numbers(
    crm: httpx2.AsyncClient, operator: str, values: dict[str, Any], names: list[str]
) -> None:
    """Operators mean what HubSpot's documentation says."""
    filters = [{"propertyName": "amount", "operator": operator, **values}]
    found = await _search(crm, "deals", filterGroups=[{"filters": filters}])
    assert sorted(deal["properties"]["dealname"] for deal in found) == names


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"limit": 201}, id="page too long"),
        pytest.param({"after": "x"}, id="bad cursor"),
        pytest.param({"sorts": ["-colour"]}, id="sort by nothing"),
        pytest.param(
            {
                "filterGroups": [
                    {"filters": [{"propertyName": "x", "operator": "EQ", "value": "1"}]}
                ]
            },
            id="filter by nothing",
        ),
        pytest.param(
            {"filterGroups": [{"filters": [{"propertyName": "amount", "operator": "IN"}]}]},
            id="no values",
        ),
        pytest.param({"filterGroups": [{"filters": []}] * 6}, id="too many groups"),
    ],
)
async def test_bad_search_is_400(crm: httpx2.AsyncClient, body: dict[str, Any]) -> None:
    """A search that HubSpot would refuse is refused."""
    assert (await crm.post(f"{DEALS}/search", json=body)).status_code == 400


async def test_search_pages_by_after_in_the_order_asked(crm: httpx2.AsyncClient) -> None:
    """`after` goes on where the last page ended."""
    names: list[str] = []
    body: dict[str, Any] = {"limit": 2, "sorts": [{"propertyName": "amount"}]}
    while True:
        page = (await crm.post(f"{DEALS}/search", json=body)).json()
        assert page["total"] == 3
        names += [deal["properties"]["dealname"] for deal in page["results"]]
        if "paging" not in page:
            break
        body["after"] = page["paging"]["next"]["after"]
    assert names == ["Acme pilot", "Acme renewal", "Globex rollout"]


async def test_record_link_opens_a_page_with_its_values(crm: httpx2.AsyncClient) -> None:
    """The link in a result works, and what people typed is shown as text."""
    made = await crm.post(DEALS, json=_deal(dealname="<b>Big</b> deal"))
    page = await crm.get(made.json()["url"])
    assert page.status_code == 200
    assert "&lt;b&gt;Big&lt;/b&gt; deal" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert (await crm.get(made.json()["url"] + "0")).status_code == 404
    assert "deal" in (await crm.get("/")).text


async def test_owner_is_found_by_email(crm: httpx2.AsyncClient) -> None:
    """Every account of the stand-in is an owner."""
    answer = await crm.get("/crm/owners/2026-09", params={"email": "mo@northwind.example"})
    assert [owner["firstName"] for owner in answer.json()["results"]] == ["Mo"]


async def test_unknown_path_or_method_is_refused_in_hubspots_shape(
    crm: httpx2.AsyncClient,
) -> None:
    """Old API versions are not there, and say so in the usual body."""
    missing = await crm.get("/crm/v3/objects/deals")
    wrong = await crm.put(f"{DEALS}/1")
    assert [answer.status_code for answer in (missing, wrong)] == [404, 405]
    assert missing.json()["status"] == wrong.json()["status"] == "error"
    assert (await crm.get(f"{CRM}/pets/1")).status_code == 400
