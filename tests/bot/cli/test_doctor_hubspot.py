"""Doctor makes HubSpot's creates repeatable, through an admin's own connection."""

import base64
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.cli.checks_providers import check_hubspot_keys
from bot.cli.findings import Finding, Grade
from bot.config import Settings
from bot.providers import Connections, build_connections
from connectors.breaker import Breakers
from connectors.broker import TokenBroker
from connectors.hubspot.standin import build_standin
from connectors.tokens import Tokens
from storage.crypto import Vault
from storage.database import Database
from storage.repositories.people import PersonFacts
from storage.tables.people import Role
from tests.connectors.standins import (
    CLIENT_ID,
    CLIENT_SECRET,
    HUBSPOT_PATHS,
    PUBLIC_URL,
    Running,
    connect,
    run_standin,
)

TEAM, ADA = "T0NORTH", "U0ADA"
READ = ("oauth", "crm.objects.contacts.read", "crm.objects.deals.read")
WRITE = ("crm.schemas.contacts.write", "crm.schemas.deals.write")


@pytest.fixture
def hubspot(tmp_path: Path) -> Iterator[Running]:
    with run_standin(
        build_standin, data_dir=tmp_path, paths=HUBSPOT_PATHS, is_prepared=False
    ) as running:
        yield running


@pytest.fixture
def settings(hubspot: Running) -> Settings:
    return Settings.model_validate(
        {
            "slack_bot_token": "xoxb-test",
            "slack_signing_secret": "secret",
            "countersign_url": PUBLIC_URL,
            "countersign_encryption_key": base64.b64encode(bytes(32)).decode(),
            "hubspot_client_id": CLIENT_ID,
            "hubspot_client_secret": CLIENT_SECRET,
            "hubspot_api_url": hubspot.url,
            "hubspot_auth_url": hubspot.url,
            "hubspot_web_url": hubspot.url,
        }
    )


@pytest.fixture
async def connections(settings: Settings, database: Database) -> AsyncIterator[Connections]:
    built = build_connections(settings, database)
    yield built
    await built.egress.close()


async def _connect_admin(
    database: Database, connections: Connections, hubspot: Running, *scopes: str
) -> None:
    token = await connect(hubspot, *scopes, account="ada@northwind.example")
    broker = TokenBroker(
        database=database,
        vault=Vault([bytes(32)]),
        egress=connections.egress,
        breakers=Breakers(database),
    )
    tokens = Tokens(access=token["access_token"], refresh=token["refresh_token"])
    async with database.transaction() as tx:
        facts = PersonFacts(
            name="Ada Lindqvist",
            email=None,
            zone="Europe/Stockholm",
            role=Role.ADMIN,
            is_guest=False,
            is_bot=False,
            is_active=True,
        )
        await tx.people.upsert(TEAM, ADA, facts)
        await tx.connections.connect(
            team_id=TEAM,
            person_id=ADA,
            provider="hubspot",
            account="ada@northwind.example",
            scopes=scopes,
            secret=broker.seal(tokens, team_id=TEAM, person_id=ADA, provider="hubspot"),
            expires_at=datetime.now(UTC) + timedelta(hours=1),
        )


async def _findings(
    database: Database, connections: Connections, settings: Settings, *, fix: bool
) -> list[Finding]:
    return [
        finding
        async for finding in check_hubspot_keys(
            database, connections, settings, team_id=TEAM, fix=fix
        )
    ]


async def test_fix_creates_the_missing_property(
    database: Database, connections: Connections, settings: Settings, hubspot: Running
) -> None:
    """Without the property it is a problem; `--fix` makes it, and then it is none."""
    await _connect_admin(database, connections, hubspot, *READ, *WRITE)

    before = await _findings(database, connections, settings, fix=False)
    fixed = await _findings(database, connections, settings, fix=True)
    after = await _findings(database, connections, settings, fix=False)

    assert {finding.grade for finding in before} == {Grade.PROBLEM}
    assert "doctor --fix" in before[0].remedy
    assert {finding.grade for finding in fixed + after} == {Grade.OK}


async def test_missing_scope_is_answered_with_a_link_to_grant_it(
    database: Database, connections: Connections, settings: Settings, hubspot: Running
) -> None:
    """No action asks for the scope, so doctor does, of the admin it concerns (S27)."""
    await _connect_admin(database, connections, hubspot, *READ)

    (finding,) = await _findings(database, connections, settings, fix=True)

    assert finding.grade is Grade.PROBLEM
    assert f"{PUBLIC_URL}/connect/" in finding.remedy


async def test_without_a_connected_admin_nothing_is_asked_of_hubspot(
    database: Database, connections: Connections, settings: Settings
) -> None:
    """Nobody else's connection is ever borrowed (S37)."""
    (finding,) = await _findings(database, connections, settings, fix=True)

    assert finding.grade is Grade.NOTE
    assert "no admin has connected HubSpot" in finding.text
