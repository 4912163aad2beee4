import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from storage.database import Database
from storage.errors import NotFoundError
from storage.tables.connections import Connection, ConnectionStatus, Link

TEAM, OTHER, DANA, MO = "T1", "T2", "U-DANA", "U-MO"
SOON = datetime(2031, 1, 1, tzinfo=UTC)


async def connect(
    database: Database,
    *,
    team_id: str = TEAM,
    person_id: str = DANA,
    secret: bytes = b"sealed",
    account: str = "dana@northwind.example",
) -> Connection:
    async with database.transaction() as tx:
        return await tx.connections.connect(
            team_id=team_id,
            person_id=person_id,
            provider="hubspot",
            account=account,
            scopes=["b", "a"],
            secret=secret,
            expires_at=SOON,
        )


async def test_connecting_again_replaces_the_tokens_of_the_same_row(database: Database) -> None:
    """A person has one connection to a provider; its version rises with every stored token."""
    first = await connect(database)
    async with database.transaction() as tx:
        assert await tx.connections.mark_reconnect(first)
        await tx.connections.claim_refresh(first, owner="me", lease_s=60)
    second = await connect(database, secret=b"newer")
    assert (second.id, second.version, second.secret) == (first.id, 2, b"newer")
    assert (second.status, second.lease_owner) == (ConnectionStatus.CONNECTED, None)
    assert second.scopes == ["a", "b"]


async def test_other_teams_connection_is_not_found(database: Database) -> None:
    """An id of another team is no id here."""  # S37
    connection = await connect(database)
    async with database.transaction() as tx:
        with pytest.raises(NotFoundError):
            await tx.connections.get(OTHER, connection.id)
        assert await tx.connections.find(OTHER, DANA, "hubspot") is None
        assert await tx.connections.find(TEAM, MO, "hubspot") is None
        assert await tx.connections.list_(TEAM, MO) == []


async def test_fifty_claims_give_one_lease(database: Database) -> None:
    """Of many that want to refresh a token one wins."""  # S25
    connection = await connect(database)

    async def claim(number: int) -> bool:
        async with database.transaction() as tx:
            return await tx.connections.claim_refresh(connection, owner=f"p{number}", lease_s=60)

    results = await asyncio.gather(*(claim(number) for number in range(50)))
    assert sum(results) == 1


async def test_refresh_is_saved_by_the_lease_holder_only(database: Database) -> None:
    """Somebody whose lease was taken over cannot overwrite the newer token."""  # S25
    connection = await connect(database)
    async with database.transaction() as tx:
        assert await tx.connections.claim_refresh(connection, owner="slow", lease_s=-1)
        assert await tx.connections.claim_refresh(connection, owner="quick", lease_s=60)
    for owner, saved in (("slow", False), ("quick", True), ("quick", False)):
        async with database.transaction() as tx:
            assert saved is await tx.connections.save_refresh(
                connection, owner=owner, secret=owner.encode(), expires_at=SOON
            )
    async with database.transaction() as tx:
        stored = await tx.connections.get(TEAM, connection.id)
        assert (stored.secret, stored.version, stored.lease_owner) == (b"quick", 2, None)
        assert not await tx.connections.claim_refresh(connection, owner="late", lease_s=60)
        assert not await tx.connections.mark_reconnect(connection)


async def test_release_gives_back_ones_own_lease_only(database: Database) -> None:
    """A failed refresh frees the lease for the next, but not somebody else's."""
    connection = await connect(database)
    async with database.transaction() as tx:
        await tx.connections.claim_refresh(connection, owner="me", lease_s=60)
        await tx.connections.release(connection, owner="other")
        assert not await tx.connections.claim_refresh(connection, owner="next", lease_s=60)
        await tx.connections.release(connection, owner="me")
        assert await tx.connections.claim_refresh(connection, owner="next", lease_s=60)


async def test_disconnecting_deletes_the_ciphertext(database: Database) -> None:
    """Afterwards there is nothing left to decrypt, and nothing to refresh."""  # S26
    connection = await connect(database)
    async with database.transaction() as tx:
        await tx.connections.claim_refresh(connection, owner="me", lease_s=60)
        await tx.connections.disconnect(connection)
        stored = await tx.connections.get(TEAM, connection.id)
        assert (stored.status, stored.secret) == (ConnectionStatus.DISCONNECTED, None)
        assert stored.scopes == []
        assert not await tx.connections.save_refresh(
            connection, owner="me", secret=b"late", expires_at=SOON
        )


async def test_accounts_are_counted_per_team_and_person(database: Database) -> None:
    """The same account connected by somebody else is noticed, in any case of letters."""
    await connect(database)
    await connect(database, team_id=OTHER)
    async with database.transaction() as tx:
        count = tx.connections.count_of_account
        assert await count(TEAM, "hubspot", "Dana@Northwind.example") == 1
        assert await count(TEAM, "hubspot", "dana@northwind.example", without=DANA) == 0
        assert await count(TEAM, "hubspot", "dana@northwind.example", without=MO) == 1
        assert await count(TEAM, "google_calendar", "dana@northwind.example") == 0
        mine = await tx.connections.find(TEAM, DANA, "hubspot")
        assert mine is not None
        await tx.connections.disconnect(mine)
        assert await count(TEAM, "hubspot", "dana@northwind.example") == 0


async def add_state(database: Database, name: str, *, lives_s: float = 600) -> None:
    async with database.transaction() as tx:
        await tx.connections.add_state(
            state_hash=name,
            team_id=TEAM,
            person_id=DANA,
            provider="hubspot",
            scopes=["a"],
            secret=b"verifier",
            browser_hash="b",
            goal_id=None,
            lives_s=lives_s,
        )


async def test_state_is_spent_once_however_many_try(database: Database) -> None:
    """Of many callbacks with one state one is taken."""  # S24
    await add_state(database, "h1")

    async def consume() -> bool:
        async with database.transaction() as tx:
            return await tx.connections.consume_state("h1") is not None

    assert sum(await asyncio.gather(*(consume() for _ in range(20)))) == 1


async def test_state_that_ended_is_not_spent(database: Database) -> None:
    """After ten minutes a state is only good for saying why."""  # S24
    await add_state(database, "h2", lives_s=-1)
    async with database.transaction() as tx:
        assert await tx.connections.consume_state("h2") is None
        assert await tx.connections.consume_state("unknown") is None
        found = await tx.connections.find_state("h2")
        assert found is not None
        assert found.used_at is None


async def test_confirmation_needs_a_callback_and_counts_once(database: Database) -> None:
    """Fetched tokens are confirmed once; without a callback there is nothing to confirm."""  # S24
    await add_state(database, "h3")
    async with database.transaction() as tx:
        assert await tx.connections.confirm_state("h3") is None
        assert await tx.connections.consume_state("h3") is not None
        await tx.connections.keep_fetched("h3", secret=b"tokens")
    async with database.transaction() as tx:
        begun = await tx.connections.confirm_state("h3")
        assert begun is not None
        assert begun.secret == b"tokens"
        assert await tx.connections.confirm_state("h3") is None


async def test_old_states_and_links_are_forgotten(database: Database) -> None:
    """What ended is deleted, with the secrets in it."""
    for name, lives_s in (("old", -90_000), ("new", 600)):
        await add_state(database, name, lives_s=lives_s)
        async with database.transaction() as tx:
            await tx.links.add(
                token_hash=name,
                team_id=TEAM,
                person_id=DANA,
                kind="connect",
                data={"provider": "hubspot"},
                lives_s=lives_s,
            )
    async with database.transaction() as tx:
        await tx.connections.delete_old_states()
        await tx.links.delete_old()
        assert await tx.connections.find_state("old") is None
        assert await tx.connections.find_state("new") is not None
        assert await tx.session.get(Link, "old") is None
        assert await tx.session.get(Link, "new") is not None


async def test_link_is_found_by_its_kind_while_it_lives(database: Database) -> None:
    """A link opens what it was made for, and ends."""
    async with database.transaction() as tx:
        await tx.links.add(
            token_hash="h",
            team_id=TEAM,
            person_id=DANA,
            kind="connect",
            data={"provider": "hubspot"},
            lives_s=60,
        )
        assert await tx.links.find("h", kind="goal") is None
        found = await tx.links.find("h", kind="connect")
        assert found is not None
        assert found.data == {"provider": "hubspot"}
        await tx.session.execute(update(Link).values(expires_at=Link.created_at - timedelta(1)))
        assert await tx.links.find("h", kind="connect") is None
