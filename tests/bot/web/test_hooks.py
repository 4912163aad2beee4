"""Webhooks in: verified, taken once, and never more than a reason to look."""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from bot.web.hooks import MAX_BODY_BYTES, Hooks, ensure_hooks
from connectors.google_calendar.actions import CONNECTOR as GOOGLE_CALENDAR
from connectors.hubspot.actions import CONNECTOR as HUBSPOT
from connectors.hubspot.webhook import sign
from connectors.registry import Registry
from storage.database import Database
from storage.tables.waits import WaitEnding
from tests.connectors.plumbing import settings_at
from tests.connectors.standins import CLIENT_SECRET

TEAM, DANA = "T1", "U-DANA"
URL = "http://countersign.test"
CHANGED = {
    "eventId": 100,
    "subscriptionType": "deal.propertyChange",
    "objectId": 77,
    "occurredAt": 1_700_000_000_000,
    "propertyName": "dealstage",
}


@dataclass
class Desk:
    """The hooks of one team, with a wait for deal 77."""

    database: Database
    client: httpx2.AsyncClient
    path: str

    async def post(
        self,
        content: Any = None,
        *,
        path: str | None = None,
        secret: str = CLIENT_SECRET,
        age_s: float = 0,
        headers: dict[str, str] | None = None,
    ) -> int:
        """Post as HubSpot does; return the status."""
        where = path or self.path
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        stamp = str(int((time.time() - age_s) * 1000))
        signed = {
            "x-hubspot-request-timestamp": stamp,
            "x-hubspot-signature-v3": sign("POST", f"{URL}{where}", body, stamp, secret),
        }
        answer = await self.client.post(where, content=body, headers=signed | (headers or {}))
        return answer.status_code

    async def looks(self) -> int:
        """Return how many looks wait, and forget them."""
        async with self.database.transaction() as tx:
            connection = await tx.session.connection()
            gone = await connection.exec_driver_sql(
                "DELETE FROM procrastinate_jobs WHERE task_name = 'check_wait'"
            )
            return int(gone.rowcount)


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    registry = Registry([HUBSPOT, GOOGLE_CALENDAR])
    hooks = Hooks(
        database=database,
        registry=registry,
        providers={"hubspot": settings_at("http://127.0.0.1:9")},
        public_url=URL,
        now=lambda: datetime.now(UTC),
    )
    async with database.transaction() as tx:
        path = (await ensure_hooks(tx, registry, TEAM))["hubspot"]
        for subject, ending in (("77", None), ("77", WaitEnding.CANCELLED), ("78", None)):
            await tx.waits.add(
                ending=ending,
                team_id=TEAM,
                goal_id=1,
                task_id=len(subject) + int(subject) + (ending is None),
                person_id=DANA,
                due_at=datetime(2030, 1, 1, tzinfo=UTC),
                connector="hubspot",
                event="deal_changes",
                subject=subject,
            )
    transport = httpx2.ASGITransport(app=Starlette(routes=hooks.routes()))
    async with httpx2.AsyncClient(transport=transport, base_url=URL, trust_env=False) as client:
        yield Desk(database, client, path)


async def test_signed_delivery_has_its_subject_looked_at_once(desk: Desk) -> None:
    """A delivery is taken once; only the open waits for the ids that it names are looked at."""
    assert await desk.post([CHANGED]) == 202  # S32
    assert await desk.looks() == 1
    assert await desk.post([CHANGED]) == 202
    assert await desk.looks() == 0
    assert await desk.post([{**CHANGED, "eventId": 101}]) == 202
    assert await desk.looks() == 1


async def test_delivery_moves_nothing_by_itself(desk: Desk) -> None:
    """Whatever it says, a delivery ends no wait: its content is from outside."""  # S4, S32
    await desk.post([{**CHANGED, "propertyValue": "closedwon"}])
    async with desk.database.reading() as tx:
        waits = await tx.waits.list_(TEAM, 1)
    assert [wait.ending for wait in waits] == [None, WaitEnding.CANCELLED, None]


@pytest.mark.parametrize(
    "about",
    [
        {"objectId": 5},
        {"subscriptionType": "contact.propertyChange"},
        {"subscriptionType": "object.propertyChange", "objectTypeId": "0-1"},
    ],
    ids=["another-deal", "a-contact", "a-contact-of-the-newer-platform"],
)
async def test_what_nobody_waits_for_is_taken_in_silence(desk: Desk, about: Any) -> None:
    """Ids are typed: contact 77 is not deal 77."""  # S5
    assert await desk.post([{**CHANGED, **about}]) == 202
    assert await desk.looks() == 0


async def test_newer_platform_names_deals_by_type(desk: Desk) -> None:
    """Both forms of HubSpot's notifications are read."""
    about = {"subscriptionType": "object.propertyChange", "objectTypeId": "0-3"}
    assert await desk.post([{**CHANGED, **about}]) == 202
    assert await desk.looks() == 1


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"secret": "another"}, 401),
        ({"age_s": 301}, 401),
        ({"age_s": -301}, 401),
        ({"headers": {"x-hubspot-signature-v3": "="}}, 401),
        ({"headers": {"x-hubspot-request-timestamp": "now"}}, 401),
        ({"headers": {"x-hubspot-request-timestamp": "9" * 40}}, 401),
        ({"path": "/hooks/hubspot/" + "a" * 32}, 404),
        ({"path": "/hooks/hubspot/short"}, 404),
        ({"path": "/hooks/hubspot/" + "%00" * 24}, 404),
        ({"path": "/hooks/google_calendar/" + "a" * 32}, 404),
        ({"path": "/hooks/nobody/" + "a" * 32}, 404),
    ],
    ids=str,
)
async def test_delivery_that_is_not_genuine_is_refused(  # S32
    desk: Desk, how: dict[str, Any], status: int
) -> None:
    """No signature of HubSpot's within five minutes, or no address of ours: nothing is taken."""
    assert await desk.post([CHANGED], **how) == status
    assert await desk.looks() == 0


async def test_changed_byte_breaks_the_signature(desk: Desk) -> None:
    """The signature covers the raw body."""  # S32
    body = json.dumps([CHANGED]).encode()
    stamp = str(int(time.time() * 1000))
    signature = sign("POST", f"{URL}{desk.path}", body, stamp, CLIENT_SECRET)
    headers = {"x-hubspot-request-timestamp": stamp, "x-hubspot-signature-v3": signature}
    forged = body.replace(b"77", b"78")
    answer = await desk.client.post(desk.path, content=forged, headers=headers)
    assert answer.status_code == 401
    assert await desk.looks() == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{}", 400),
        (b"[", 400),
        (b"\xff\xfe", 400),
        (b"[" * 5000, 400),
        (b'[{"eventId": "x"}]', 400),
        (b'[{"eventId": 1, "subscriptionType": "deal.x", "objectId": 1e400}]', 400),
        (b" " * (MAX_BODY_BYTES + 1), 413),
        (b"[]", 202),
    ],
    ids=["empty", "object", "broken", "encoding", "deep", "types", "number", "large", "nothing"],
)
async def test_malformed_body_gets_no_server_error(desk: Desk, body: bytes, status: int) -> None:
    """Even signed nonsense is answered with a 4xx."""  # S33
    assert await desk.post(body) == status
    assert await desk.looks() == 0


@given(body=st.binary(max_size=300), stamp=st.text(max_size=20), signature=st.text(max_size=60))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_forged_delivery_never_causes_a_look(
    desk: Desk, body: bytes, stamp: str, signature: str
) -> None:
    """Without the secret nothing is taken, whatever the bytes."""  # S32, S33
    headers = [
        (b"x-hubspot-request-timestamp", stamp.encode("utf-8", "replace")),
        (b"x-hubspot-signature-v3", signature.encode("utf-8", "replace")),
    ]
    clean = [(name, value.replace(b"\n", b"").replace(b"\r", b"")) for name, value in headers]
    answer = await desk.client.post(desk.path, content=body, headers=clean)
    assert answer.status_code == 401
    assert await desk.looks() == 0
