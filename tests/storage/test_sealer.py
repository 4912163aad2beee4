import asyncio

import pytest
from sqlalchemy import text

from storage.database import Database
from storage.sealer import VerifyReport, seal, verify

TEAM, OTHER = "T1", "T2"


async def record(database: Database, count: int, *, team_id: str = TEAM) -> None:
    async with database.transaction() as tx:
        for number in range(count):
            await tx.audit.record(
                team_id=team_id,
                tag="test:row:add",
                actor="U1",
                goal_id=number,
                data={"amount": "48000.00", "big": 2**60, "name": "Zoë", "share": 0.1},
            )


async def tamper(database: Database, *statements: str) -> None:
    async with database.transaction() as tx:
        for statement in statements:
            await tx.session.execute(text(statement))


async def check(database: Database, team_id: str | None = None) -> VerifyReport:
    async with database.transaction() as tx:
        return await verify(tx.session, team_id=team_id)


async def test_untouched_log_verifies_and_tells_its_unsealed_tail(database: Database) -> None:
    """Sealed rows verify; what was not sealed yet is counted, not vouched for."""  # S34
    await record(database, 5)
    assert await seal(database) == 5
    await record(database, 2)
    report = await check(database)
    assert (report.is_intact, report.rows, report.unsealed_tail) == (True, 5, 2)


async def test_empty_log_verifies(database: Database) -> None:
    """Nothing recorded is nothing wrong."""
    assert await seal(database) == 0
    report = await check(database)
    assert (report.is_intact, report.teams) == (True, ())


EDITS = {
    "data": ('UPDATE audit SET data = data || \'{"amount": "1.00"}\' WHERE seq = 3', 3),
    "actor": ("UPDATE audit SET actor = 'U9' WHERE seq = 1", 1),
    "time": ("UPDATE audit SET at = at + interval '1 microsecond' WHERE seq = 5", 5),
    "goal": ("UPDATE audit SET goal_id = NULL WHERE seq = 4", 4),
    "tag": ("UPDATE audit SET tag = 'test:row:drop' WHERE seq = 2", 2),
    "team": ("UPDATE audit SET team_id = 'T9', seq = 1 WHERE seq = 2", 2),
    "hash": ("UPDATE audit SET hash = sha256('x') WHERE seq = 2", 2),
    "deletion": ("DELETE FROM audit WHERE seq = 3", 3),
    "deletion of the first": ("DELETE FROM audit WHERE seq = 1", 1),
    "truncation": ("DELETE FROM audit WHERE seq > 3", 4),
    "truncation of all": ("DELETE FROM audit", 1),
    "unsealed again": ("UPDATE audit SET seq = NULL WHERE seq = 5", 5),
    "head removed": ("DELETE FROM audit_heads", 1),
    "head moved back": ("UPDATE audit_heads SET seq = 4", 5),
}


@pytest.mark.parametrize(("statement", "bad"), EDITS.values(), ids=EDITS.keys())
async def test_change_is_found_at_its_sequence_number(
    database: Database, statement: str, bad: int
) -> None:
    """Any edit, deletion or truncation is named by the first number that is wrong."""  # S34
    await record(database, 5)
    await seal(database)
    await tamper(database, statement)
    report = await check(database, TEAM)
    assert report.first_bad_seq == bad
    assert report.teams[0].problem


async def test_reordering_is_found(database: Database) -> None:
    """Two rows that changed places are found at the earlier place."""  # S34
    await record(database, 5)
    await seal(database)
    await tamper(
        database,
        "UPDATE audit SET seq = -2 WHERE seq = 2",
        "UPDATE audit SET seq = 2 WHERE seq = 4",
        "UPDATE audit SET seq = 4 WHERE seq = -2",
    )
    assert (await check(database)).first_bad_seq == 2


async def test_resealing_after_a_deletion_does_not_hide_it(database: Database) -> None:
    """The sealer goes on from the head, so a hole stays a hole."""
    await record(database, 4)
    await seal(database)
    await tamper(database, "DELETE FROM audit WHERE seq = 4")
    await record(database, 2)
    await seal(database)
    assert (await check(database)).first_bad_seq == 4


async def test_teams_have_chains_of_their_own(database: Database) -> None:
    """What happens to one team's log says nothing about another's."""
    await record(database, 3)
    await record(database, 2, team_id=OTHER)
    assert await seal(database) == 5
    await tamper(database, "DELETE FROM audit WHERE team_id = 'T2' AND seq = 1")
    assert (await check(database, TEAM)).is_intact
    assert (await check(database, OTHER)).first_bad_seq == 1


async def test_several_sealers_make_one_chain(database: Database) -> None:
    """Replicas may seal at once: no number is given twice and none is left out."""  # S34
    await record(database, 120)
    while True:
        async with asyncio.TaskGroup() as group:
            turns = [group.create_task(seal(database, batch=7)) for _ in range(6)]
        if not sum(turn.result() for turn in turns):
            break
    report = await check(database)
    assert (report.is_intact, report.rows, report.unsealed_tail) == (True, 120, 0)


async def test_row_committed_late_is_sealed_late(database: Database) -> None:
    """A transaction that was open while others were sealed loses nothing."""
    async with database.transaction() as slow:
        await slow.audit.record(team_id=TEAM, tag="test:row:slow", actor="U1", data={})
        await record(database, 3)
        assert await seal(database) == 3
    assert await seal(database) == 1
    assert (await check(database)).is_intact


async def test_long_log_is_read_in_pages(database: Database) -> None:
    """A log longer than one page verifies from its first to its last row."""
    await record(database, 1100)
    assert await seal(database, batch=2000) == 1100
    assert (await check(database)).rows == 1100
    await tamper(database, "UPDATE audit SET actor = 'U2' WHERE seq = 1050")
    assert (await check(database)).first_bad_seq == 1050
