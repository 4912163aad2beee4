"""The database: one engine, and the one place where a transaction is committed."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any

from pydantic_core import from_json
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import configure_mappers

from storage.absence import Absence
from storage.pending import Pending, Priority
from storage.repositories.approvals import ApprovalRepository
from storage.repositories.audit import AuditRepository
from storage.repositories.breakers import BreakerRepository
from storage.repositories.calls import CallRepository
from storage.repositories.connections import ConnectionRepository
from storage.repositories.digests import DigestRepository
from storage.repositories.direct import Direct
from storage.repositories.durations import DurationRepository
from storage.repositories.goals import GoalRepository
from storage.repositories.halts import HaltRepository
from storage.repositories.handoffs import HandoffRepository
from storage.repositories.hooks import HookRepository
from storage.repositories.inbox import InboxRepository
from storage.repositories.links import LinkRepository
from storage.repositories.outbox import OutboxRepository
from storage.repositories.people import PersonRepository
from storage.repositories.remarks import RemarkRepository
from storage.repositories.results import ResultRepository
from storage.repositories.tasks import TaskRepository
from storage.repositories.tidy import TidyRepository
from storage.repositories.undos import UndoRepository
from storage.repositories.usage import UsageRepository
from storage.repositories.waits import WaitRepository
from storage.tables.goals import Goal


class Transaction:
    """The repositories of one transaction, and what it writes at its end (`storage.pending`)."""

    def __init__(self, session: AsyncSession, direct: Direct, pending: Pending) -> None:
        self.session = session
        self.direct = direct
        self.pending = pending

    @cached_property
    def approvals(self) -> ApprovalRepository:
        return ApprovalRepository(self.session, self.direct)

    @cached_property
    def audit(self) -> AuditRepository:
        return AuditRepository(self.session, self.pending)

    @cached_property
    def breakers(self) -> BreakerRepository:
        return BreakerRepository(self.session)

    @cached_property
    def calls(self) -> CallRepository:
        return CallRepository(self.session, self.direct)

    @cached_property
    def connections(self) -> ConnectionRepository:
        return ConnectionRepository(self.session, self.direct)

    @cached_property
    def digests(self) -> DigestRepository:
        return DigestRepository(self.session)

    @cached_property
    def durations(self) -> DurationRepository:
        return DurationRepository(self.session)

    @cached_property
    def goals(self) -> GoalRepository:
        return GoalRepository(self.session, self.direct)

    @cached_property
    def halts(self) -> HaltRepository:
        return HaltRepository(self.session)

    @cached_property
    def handoffs(self) -> HandoffRepository:
        return HandoffRepository(self.session)

    @cached_property
    def hooks(self) -> HookRepository:
        return HookRepository(self.session)

    @cached_property
    def inbox(self) -> InboxRepository:
        return InboxRepository(self.session)

    @cached_property
    def links(self) -> LinkRepository:
        return LinkRepository(self.session)

    @cached_property
    def outbox(self) -> OutboxRepository:
        return OutboxRepository(self.session, self.direct)

    @cached_property
    def people(self) -> PersonRepository:
        return PersonRepository(self.session, self.direct)

    @cached_property
    def remarks(self) -> RemarkRepository:
        return RemarkRepository(self.session)

    @cached_property
    def results(self) -> ResultRepository:
        return ResultRepository(self.session)

    @cached_property
    def tasks(self) -> TaskRepository:
        return TaskRepository(self.session, self.direct)

    @cached_property
    def tidy(self) -> TidyRepository:
        return TidyRepository(self.session)

    @cached_property
    def undos(self) -> UndoRepository:
        return UndoRepository(self.direct)

    @cached_property
    def usage(self) -> UsageRepository:
        return UsageRepository(self.direct)

    @cached_property
    def waits(self) -> WaitRepository:
        return WaitRepository(self.session)

    async def open_goal(self, team_id: str, goal_id: int) -> Goal:
        """Return a goal with its row held, as `goals.lock` does, and read what a drive needs of it.

        Its tasks, its attempts and its requester, in the same round trip.

        Raises:
            NotFoundError: when this team has none of that id.
        """
        goals, *rest = await self.direct.rows_of(
            [
                self.goals.locking(team_id, goal_id),
                self.tasks.listing(team_id, goal_id),
                self.calls.listing(team_id, goal_id),
                self.people.asking_for(team_id, goal_id),
            ]
        )
        goal = self.goals.hold(team_id, goal_id, goals)
        self.tasks.keep(team_id, goal_id, rest[0])
        self.calls.keep(team_id, goal_id, rest[1])
        self.people.keep(rest[2])
        return goal

    async def defer(
        self,
        job: str,
        *,
        once: str | None = None,
        priority: Priority = Priority.NORMAL,
        **arguments: Any,
    ) -> None:
        """Put a job into the queue; it exists only if this transaction commits, from then on.

        A job like it that is deferred in the same transaction is the same job.

        Args:
            job: the job's name, see `bot.worker`.
            once: a queueing lock: while a job of this name with it waits, another is not added;
                one of another name, which another version may have left, is in nobody's way. The
                caller must hold the row that the job reads `FOR UPDATE` (ARCHITECTURE.md,
                section 2).
            priority: who waits for it; a job that waits already is moved forward to it.
            arguments: ids only.
        """
        lock = None if once is None else f"{job}:{once}"
        self.pending.defer(job, arguments, once=lock, priority=priority)


class Database:
    """Opens transactions on one PostgreSQL. Nothing else in the project commits."""

    def __init__(self, url: str, *, pool_size: int = 20) -> None:
        # Before the first object is made past the session (`storage.repositories.direct`).
        configure_mappers()
        self.url = url
        self._engine = create_async_engine(
            sqlalchemy_url(url),
            pool_size=pool_size,
            # An overflow would be closed after each use: under load a new connection a transaction.
            max_overflow=0,
            # The connection used last has the statements prepared, and PostgreSQL its caches warm.
            pool_use_lifo=True,
            pool_pre_ping=False,
            # A session ends its own transaction; rolling back once more finds nothing to do.
            pool_reset_on_return=None,
            hide_parameters=True,
            json_deserializer=from_json,
        )
        self._unbound = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self.calm_redraws: Callable[[str, str], None] | None = None
        """Is told the team and channel of each redraw that nobody waits for, once it is committed.

        Where nobody listens, in a process without a pump, a job goes to one that has one.
        """
        self.absence = Absence()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Yield the repositories; commit at the end, roll back on an error. No network inside.

        Raises:
            DatabaseAwayError: the database does not answer, or has no room to write.
        """
        with self.absence.told():
            async with self._engine.connect() as connection:
                session = AsyncSession(connection, expire_on_commit=False)
                direct = Direct(connection, session)
                pending = Pending(direct, tell=self.calm_redraws)
                try:
                    yield Transaction(session, direct, pending)
                    await pending.write()
                    await direct.commit()
                finally:
                    await direct.roll_back()
        pending.committed()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """Yield the repositories for reads alone, without BEGIN and COMMIT around them.

        Every statement sees what is committed when it starts, as in `transaction`, and costs a
        third. Nothing is held, so nothing that was read may be relied on afterwards.
        """
        with self.absence.told():
            async with self._unbound.connect() as connection:
                session = AsyncSession(connection, expire_on_commit=False)
                direct = Direct(connection, session)
                pending = Pending(direct)
                try:
                    yield Transaction(session, direct, pending)
                    await pending.write()
                finally:
                    await direct.roll_back()

    async def close(self) -> None:
        await self._engine.dispose()


def sqlalchemy_url(url: str) -> str:
    """Return `url` for SQLAlchemy with psycopg 3, whatever driver it names."""
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def conninfo(url: str) -> str:
    """Return `url` for libpq."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
