from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.clients import ConnectionClients
from connectors.errors import ReconnectRequiredError
from storage.database import Database
from storage.errors import NotFoundError
from storage.tables.connections import Connection
from tests.connectors.plumbing import (
    CONTACTS,
    DANA,
    DEALS,
    HUBSPOT,
    MO,
    TEAM,
    Plumbing,
    settings_at,
)

NOBODY_THERE = "http://127.0.0.1:9"


@pytest.fixture
async def plumbing(database: Database) -> AsyncIterator[Plumbing]:
    made = Plumbing(database, settings_at(NOBODY_THERE))
    yield made
    await made.close()


def clients(plumbing: Plumbing) -> ConnectionClients:
    return ConnectionClients(
        database=plumbing.database, clients=plumbing.clients, providers=plumbing.providers
    )


async def open_(
    plumbing: Plumbing,
    connection: Connection,
    *,
    team_id: str = TEAM,
    person_id: str = DANA,
    scopes: frozenset[str] = frozenset({DEALS}),
) -> str:
    context = await clients(plumbing).open(
        team_id=team_id,
        person_id=person_id,
        connection_id=connection.id,
        scopes=scopes,
        send_before=None,
    )
    return context.account


async def test_own_connection_with_its_scopes_opens(plumbing: Plumbing) -> None:
    """A person's call runs through their own connection, as its account."""
    connection = await plumbing.store()
    assert await open_(plumbing, connection) == connection.account


@given(asker=st.sampled_from([DANA, MO]), owner=st.sampled_from([DANA, MO]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_connection_opens_for_its_person_only(
    plumbing: Plumbing, asker: str, owner: str
) -> None:
    """Person A's plan can never use B's connection."""  # S37
    connection = await plumbing.store(person_id=owner)
    if asker == owner:
        assert await open_(plumbing, connection, person_id=asker) == connection.account
    else:
        with pytest.raises(ReconnectRequiredError):
            await open_(plumbing, connection, person_id=asker)


async def test_connection_of_another_team_is_not_found(plumbing: Plumbing) -> None:
    """An id from another team opens nothing."""  # S37
    connection = await plumbing.store()
    with pytest.raises(NotFoundError):
        await open_(plumbing, connection, team_id="T2")


async def test_missing_scope_is_named(plumbing: Plumbing) -> None:
    """What was not granted is asked for, and nothing else."""  # S27
    connection = await plumbing.store(scopes=(DEALS,))
    with pytest.raises(ReconnectRequiredError) as caught:
        await open_(plumbing, connection, scopes=frozenset({DEALS, CONTACTS}))
    assert caught.value.missing_scopes == {CONTACTS}
    assert caught.value.provider == HUBSPOT.name


async def test_connection_that_ended_does_not_open(plumbing: Plumbing) -> None:
    """Disconnected, or refused by the provider: the person is asked to connect."""  # S26
    connection = await plumbing.store()
    async with plumbing.database.transaction() as tx:
        await tx.connections.mark_reconnect(connection)
    with pytest.raises(ReconnectRequiredError):
        await open_(plumbing, connection)
    async with plumbing.database.transaction() as tx:
        await tx.connections.disconnect(connection)
    with pytest.raises(ReconnectRequiredError):
        await open_(plumbing, connection)
