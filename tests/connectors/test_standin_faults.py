import time
from pathlib import Path

import httpx2
import pytest

from connectors.hubspot.standin import build_standin
from tests.connectors.standins import HUBSPOT_PATHS, Running, connect, run_standin

CONTACTS = "/crm/objects/2026-09/contacts"
SCOPES = ("oauth", "crm.objects.contacts.read", "crm.objects.contacts.write")


async def _token(standin: Running) -> str:
    return str((await connect(standin, *SCOPES))["access_token"])


def _contact(email: str) -> dict[str, dict[str, str]]:
    return {"properties": {"email": email}}


async def _has_contact(standin: Running, email: str) -> bool:
    contacts = (await standin.look("state"))["contacts"]
    return any(contact["properties"].get("email") == email for contact in contacts)


@pytest.mark.parametrize("status", [401, 403, 429, 500])
async def test_fault_with_status_is_answered_in_the_vendors_shape(
    hubspot: Running, status: int
) -> None:
    """A fault answers instead of the API, as often as it was set, in the vendor's body."""
    token = await _token(hubspot)
    fault = {"kind": str(status), "times": 2, "retry_after_s": 3}
    await hubspot.control("faults", fault)
    async with hubspot.client(token) as http:
        answers = [await http.post(CONTACTS, json=_contact("a@b.example")) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 201]
    assert {"status", "message", "correlationId", "category"} <= answers[0].json().keys()
    assert answers[0].headers.get("retry-after") == ("3" if status == 429 else None)


async def test_fault_for_other_requests_lets_this_one_pass(hubspot: Running) -> None:
    """A fault meets only the method and the paths it names."""
    token = await _token(hubspot)
    match = {"method": "PATCH", "path_prefix": CONTACTS}
    await hubspot.control("faults", {"kind": "500", "match": match})
    await hubspot.control("faults", {"kind": "500", "match": {"path_prefix": "/oauth"}})
    async with hubspot.client(token) as http:
        assert (await http.post(CONTACTS, json=_contact("a@b.example"))).status_code == 201


async def test_reset_before_closes_the_connection_and_stores_nothing(hubspot: Running) -> None:
    """The client cannot know that nothing happened; the store does."""
    token = await _token(hubspot)
    await hubspot.control("faults", {"kind": "reset_before"})
    async with hubspot.client(token) as http:
        with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
            await http.post(CONTACTS, json=_contact("a@b.example"))
    assert not await _has_contact(hubspot, "a@b.example")


async def test_reset_after_commit_closes_the_connection_and_keeps_the_effect(
    hubspot: Running,
) -> None:
    """The effect is there although no byte of an answer arrives: the outcome is unknown."""
    token = await _token(hubspot)
    await hubspot.control("faults", {"kind": "reset_after_commit"})
    async with hubspot.client(token) as http:
        with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
            await http.post(CONTACTS, json=_contact("a@b.example"))
        assert (await http.post(CONTACTS, json=_contact("c@d.example"))).status_code == 201
    assert await _has_contact(hubspot, "a@b.example")
    log = (await hubspot.look("log"))["requests"]
    assert [entry["status"] for entry in log[-2:]] == ["reset after 201", "201"]


async def test_slow_fault_answers_after_its_delay(hubspot: Running) -> None:
    """A slow answer is late and right."""
    token = await _token(hubspot)
    await hubspot.control("faults", {"kind": "slow", "delay_s": 0.2})
    begun = time.monotonic()
    async with hubspot.client(token) as http:
        assert (await http.post(CONTACTS, json=_contact("a@b.example"))).status_code == 201
    assert time.monotonic() - begun >= 0.2


async def test_slow_request_of_a_client_that_left_takes_effect(hubspot: Running) -> None:
    """Like a vendor's: what has arrived is done, whether somebody waits for the answer or not."""
    token = await _token(hubspot)
    await hubspot.control("faults", {"kind": "slow", "delay_s": 0.2})
    async with hubspot.client(token) as http:
        with pytest.raises(httpx2.ReadTimeout):
            await http.post(CONTACTS, json=_contact("a@b.example"), timeout=0.05)
    until = time.monotonic() + 5
    while not await _has_contact(hubspot, "a@b.example"):
        assert time.monotonic() < until, "it never took effect"


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        pytest.param("{}", "application/json", 400, id="no kind"),
        pytest.param('{"kind":"flood"}', "application/json", 400, id="unknown kind"),
        pytest.param('{"kind":"500"}', "text/plain", 415, id="what a web page could send"),
        pytest.param("{", "application/json", 400, id="no JSON"),
    ],
)
async def test_bad_control_request_is_refused(
    hubspot: Running, body: str, content_type: str, status: int
) -> None:
    """A control call that is not understood changes nothing and says so."""
    async with hubspot.client() as http:
        headers = {"Content-Type": content_type}
        answer = await http.post("/_control/faults", content=body, headers=headers)
    assert answer.status_code == status


async def test_reset_forgets_records_tokens_and_faults(hubspot: Running) -> None:
    """After a reset the stand-in is as on its first day."""
    before = await hubspot.look("state")
    token = await _token(hubspot)
    async with hubspot.client(token) as http:
        await http.post(CONTACTS, json=_contact("a@b.example"))
        await hubspot.control("faults", {"kind": "500"})
        await hubspot.control("reset")
        assert (await http.get(f"{CONTACTS}/1")).status_code == 401
    after = await hubspot.look("state")
    assert len(after["contacts"]) == len(before["contacts"])
    assert after["tokens"] == {"grants": 0, "access_tokens": 0, "refresh_tokens": 0}


async def test_second_start_finds_yesterdays_records_and_tokens(tmp_path: Path) -> None:
    """Records, grants and the log survive a restart on another port."""
    with run_standin(build_standin, data_dir=tmp_path, paths=HUBSPOT_PATHS) as first:
        token = await _token(first)
        async with first.client(token) as http:
            await http.post(CONTACTS, json=_contact("a@b.example"))
    with run_standin(build_standin, data_dir=tmp_path, paths=HUBSPOT_PATHS) as second:
        async with second.client(token) as http:
            found = await http.get(f"{CONTACTS}/a@b.example", params={"idProperty": "email"})
        log = (await second.look("log"))["requests"]
    assert found.status_code == 200
    assert [entry["method"] for entry in log].count("POST") == 3


async def test_log_names_account_status_and_idempotency_key(hubspot: Running) -> None:
    """The log tells a test who did what how often, and under which key."""
    token = await _token(hubspot)
    wanted = {"idProperty": "email", "id": "a@b.example", "properties": {}}
    async with hubspot.client(token) as http:
        await http.post(f"{CONTACTS}/batch/upsert", json={"inputs": [wanted]})
    entry = (await hubspot.look("log"))["requests"][-1]
    assert entry["account"] == "dana@northwind.example"
    assert (entry["method"], entry["status"]) == ("POST", "200")
    assert entry["keys"] == ["email=a@b.example"]


async def test_more_requests_than_published_are_429_and_can_be_allowed(tmp_path: Path) -> None:
    """The vendor's limit is enforced unless the configuration says otherwise."""
    last = []
    for is_limited in (True, False):
        folder = tmp_path / str(is_limited)
        with run_standin(
            build_standin, data_dir=folder, is_rate_limited=is_limited, paths=HUBSPOT_PATHS
        ) as running:
            async with running.client(await _token(running)) as http:
                for _ in range(110):
                    answer = await http.get("/account-info/2026-09/details")
                    assert answer.status_code == 200
                last.append(await http.get("/account-info/2026-09/details"))
    refused, allowed = last
    assert (refused.status_code, allowed.status_code) == (429, 200)
    assert refused.json()["policyName"] == "TEN_SECONDLY_ROLLING"
    assert 1 <= int(refused.headers["retry-after"]) <= 10
    assert refused.headers["x-hubspot-ratelimit-remaining"] == "0"
