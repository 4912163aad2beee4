"""Who may decide: as the people are right now, never guests, never the left (S13, S14)."""

import pytest

from approvals.askees import may_decide, resolve
from approvals.policy import Ask
from storage.database import Database
from storage.repositories.people import PersonFacts
from storage.tables.people import Role

TEAM, DANA, MO, ADA, EVE = "T1", "U-DANA", "U-MO", "U-ADA", "U-EVE"


async def add(
    database: Database,
    person_id: str,
    *,
    role: Role = Role.MEMBER,
    team_id: str = TEAM,
    is_active: bool = True,
    is_guest: bool = False,
    is_bot: bool = False,
) -> None:
    async with database.transaction() as tx:
        await tx.people.upsert_team(team_id=team_id, name=team_id, bot_user_id="B")
        facts = PersonFacts(
            name=person_id.title(),
            email=f"{person_id[2:].lower()}@northwind.example",
            zone="UTC",
            role=role,
            is_guest=is_guest,
            is_bot=is_bot,
            is_active=is_active,
        )
        await tx.people.upsert(team_id, person_id, facts)


async def asked(database: Database, ask: Ask) -> tuple[str, ...]:
    async with database.transaction() as tx:
        found = await resolve(tx, team_id=TEAM, requester_id=DANA, ask=ask)
    assert found.why
    return tuple(sorted(found.people))


@pytest.fixture
async def people(database: Database) -> Database:
    await add(database, DANA)
    await add(database, MO, role=Role.APPROVER)
    await add(database, ADA, role=Role.ADMIN)
    return database


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (Ask(requester=True), (DANA,)),
        (Ask(people=(MO,)), (MO,)),
        (Ask(people=("Mo@Northwind.Example",)), (MO,)),
        (Ask(role="approver"), (MO,)),
        (Ask(role="admin"), (ADA,)),
        (Ask(), (ADA,)),
        (Ask(people=("U-NOBODY",)), (ADA,)),
        (Ask(people=(DANA,)), (ADA,)),
        (Ask(people=(DANA,), requester_may_decide=True), (DANA,)),
    ],
)
async def test_ask_names_people(people: Database, ask: Ask, expected: tuple[str, ...]) -> None:
    """People by id or address, roles, else the admins; the requester only where policy lets."""
    assert await asked(people, ask) == expected


@pytest.mark.parametrize("how", [{"is_active": False}, {"is_guest": True}, {"is_bot": True}])
async def test_named_person_who_may_not_decide_is_replaced_by_the_admins(
    people: Database, how: dict[str, bool]
) -> None:
    """Guests, bots and people who left decide nothing, whoever names them (S13)."""
    await add(people, MO, role=Role.APPROVER, **how)  # type: ignore[arg-type]
    assert await asked(people, Ask(people=(MO,))) == (ADA,)


async def test_person_of_another_team_is_nobody(people: Database) -> None:
    """A name counts in its own team alone (S15)."""
    await add(people, EVE, team_id="T2", role=Role.ADMIN)
    assert await asked(people, Ask(people=(EVE,))) == (ADA,)


async def test_admin_alone_decides_and_everybody_is_told_why(database: Database) -> None:
    """A team of one decides alone; a member alone decides nothing."""
    await add(database, DANA)
    assert await asked(database, Ask()) == ()
    await add(database, DANA, role=Role.ADMIN)
    async with database.transaction() as tx:
        found = await resolve(tx, team_id=TEAM, requester_id=DANA, ask=Ask(people=(MO,)))
    assert (found.people, found.alone) == ((DANA,), True)


def test_nobody_may_not_decide() -> None:
    """Whom we do not know decides nothing."""
    assert not may_decide(None)
