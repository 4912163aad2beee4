"""The sealer: chains committed audit rows per team, and proves that nobody changed them (S34)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, LargeBinary, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from storage.database import Database
from storage.tables.records import AuditHead, AuditRow

GENESIS = bytes(32)
"""What the first row of a team's chain follows."""

_FIELDS = (
    AuditRow.id,
    AuditRow.team_id,
    AuditRow.at,
    AuditRow.tag,
    AuditRow.actor,
    AuditRow.goal_id,
    AuditRow.data,
    AuditRow.seq,
    AuditRow.previous_hash,
    AuditRow.hash,
)
_PAGE = 1000

_GIVEN = select(
    func.unnest(bindparam("ids", type_=ARRAY(BigInteger))).label("id"),
    func.unnest(bindparam("seqs", type_=ARRAY(BigInteger))).label("seq"),
    func.unnest(bindparam("previous", type_=ARRAY(LargeBinary))).label("previous"),
    func.unnest(bindparam("hashes", type_=ARRAY(LargeBinary))).label("hash"),
).subquery("given")

_SEAL = (
    update(AuditRow)
    .where(AuditRow.id == _GIVEN.c.id)
    .values(seq=_GIVEN.c.seq, previous_hash=_GIVEN.c.previous, hash=_GIVEN.c.hash)
    .execution_options(synchronize_session=False)
)
"""Seals any number of rows at once: four arrays, an element a row."""


@dataclass(frozen=True, slots=True)
class TeamReport:
    """What verifying one team's chain found.

    Attributes:
        rows: how many sealed rows were read.
        unsealed: how many committed rows wait for the sealer; nothing protects them yet.
        first_bad_seq: the first sequence number that is not as it was sealed; None when all are.
        problem: what is wrong there, in words.
    """

    team_id: str
    rows: int
    unsealed: int
    first_bad_seq: int | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What verifying the chains found."""

    teams: tuple[TeamReport, ...]

    @property
    def rows(self) -> int:
        return sum(team.rows for team in self.teams)

    @property
    def unsealed_tail(self) -> int:
        return sum(team.unsealed for team in self.teams)

    @property
    def first_bad_seq(self) -> int | None:
        """The first bad sequence number of the first team that has one."""
        bad = (team.first_bad_seq for team in self.teams if team.first_bad_seq is not None)
        return next(bad, None)

    @property
    def is_intact(self) -> bool:
        return self.first_bad_seq is None


async def seal(database: Database, *, batch: int = 500) -> int:
    """Chain committed rows of every team, at most `batch` each; return how many.

    Safe to run on several replicas: a team that another one is sealing is left to it. Rows get
    their sequence number when they are sealed, so one that was committed late comes later.
    """
    async with database.transaction() as tx:
        waiting = select(AuditRow.team_id).where(AuditRow.seq.is_(None)).distinct()
        teams = (await tx.session.scalars(waiting.order_by(AuditRow.team_id))).all()
    sealed = 0
    for team_id in teams:
        async with database.transaction() as tx:
            sealed += await _seal_team(tx.session, team_id, batch)
    return sealed


async def _seal_team(session: AsyncSession, team_id: str, batch: int) -> int:
    lock = func.pg_try_advisory_xact_lock(func.hashtextextended(f"audit:{team_id}", 0))
    if not await session.scalar(select(lock)):
        return 0
    seq, previous = await _head(session, team_id)
    rows = await session.execute(
        select(*_FIELDS)
        .where(AuditRow.team_id == team_id, AuditRow.seq.is_(None))
        .order_by(AuditRow.id)
        .limit(batch)
    )
    sealed: dict[str, list[Any]] = {"ids": [], "seqs": [], "previous": [], "hashes": []}
    for row in rows.mappings():
        seq += 1
        digest = row_hash(row, seq=seq, previous=previous)
        for name, value in zip(sealed, (row["id"], seq, previous, digest), strict=True):
            sealed[name].append(value)
        previous = digest
    if sealed["ids"]:
        await session.execute(_SEAL, sealed)
        await _store_head(session, team_id, seq, previous)
    return len(sealed["ids"])


async def _head(session: AsyncSession, team_id: str) -> tuple[int, bytes]:
    found = await session.execute(
        select(AuditHead.seq, AuditHead.hash).where(AuditHead.team_id == team_id)
    )
    row = found.one_or_none()
    return (0, GENESIS) if row is None else (row.seq, row.hash)


async def _store_head(session: AsyncSession, team_id: str, seq: int, digest: bytes) -> None:
    await session.execute(
        insert(AuditHead)
        .values(team_id=team_id, seq=seq, hash=digest)
        .on_conflict_do_update(index_elements=["team_id"], set_={"seq": seq, "hash": digest})
    )


def row_hash(row: Mapping[Any, Any], *, seq: int, previous: bytes) -> bytes:
    """Return the SHA-256 of a row's canonical JSON, its place in the chain included.

    JSON with sorted keys and no spaces is canonical enough here: PostgreSQL's jsonb has already
    dropped what could be written in two ways, and RFC 8785 would refuse its large numbers.
    """
    at: datetime = row["at"]
    content = {
        "id": row["id"],
        "team_id": row["team_id"],
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "tag": row["tag"],
        "actor": row["actor"],
        "goal_id": row["goal_id"],
        "data": row["data"],
        "seq": seq,
        "previous": previous.hex(),
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()


async def verify(session: AsyncSession, *, team_id: str | None = None) -> VerifyReport:
    """Check the chain of one team, or of all, from its first row to its stored head.

    An edit, a deletion, a new order and a cut before the head are found. Somebody who can also
    rewrite the head can cut the end off; only a copy of the head elsewhere would tell.
    """
    teams = select(AuditRow.team_id).union(select(AuditHead.team_id))
    known = (await session.scalars(teams)).all()
    wanted = sorted(team for team in known if team_id in (None, team))
    return VerifyReport(tuple([await _verify_team(session, team) for team in wanted]))


async def _verify_team(session: AsyncSession, team_id: str) -> TeamReport:
    unsealed = await session.scalar(
        select(func.count())
        .select_from(AuditRow)
        .where(AuditRow.team_id == team_id, AuditRow.seq.is_(None))
    )
    end, digest = await _head(session, team_id)
    seq, previous, problem = 0, GENESIS, None
    while page := await _page(session, team_id, after=seq):
        for row in page:
            problem = _problem(row, seq=seq + 1, previous=previous)
            if problem is not None:
                return TeamReport(team_id, seq, unsealed or 0, seq + 1, problem)
            seq, previous = seq + 1, row["hash"]
    if (seq, previous) == (end, digest):
        return TeamReport(team_id, seq, unsealed or 0, None, None)
    first_bad = min(seq, end) + 1 if seq != end else seq
    problem = f"the chain ends at {seq}, its head says {end}"
    return TeamReport(team_id, seq, unsealed or 0, first_bad, problem)


async def _page(session: AsyncSession, team_id: str, *, after: int) -> list[Mapping[Any, Any]]:
    rows = await session.execute(
        select(*_FIELDS)
        .where(AuditRow.team_id == team_id, AuditRow.seq > after)
        .order_by(AuditRow.seq)
        .limit(_PAGE)
    )
    return list(rows.mappings())


def _problem(row: Mapping[Any, Any], *, seq: int, previous: bytes) -> str | None:
    """Return what is wrong with a sealed row that should be number `seq`; None when nothing is."""
    if row["seq"] != seq:
        return "a row is missing"
    if row["previous_hash"] != previous:
        return "it does not follow the row before it"
    if row["hash"] != row_hash(row, seq=seq, previous=previous):
        return "its content is not what was sealed"
    return None
