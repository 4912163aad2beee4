"""Digests: when each person's comes, which were sent, and what happened to people's goals."""

from collections.abc import Sequence
from datetime import datetime, time

from sqlalchemy import and_, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables.goals import Goal, GoalStatus, Task, TaskStatus
from storage.tables.people import Person
from storage.tables.records import DigestRun, DigestSubscription

_ENDED_WELL = (GoalStatus.DONE, GoalStatus.PARTLY_DONE)
_OPEN = (
    GoalStatus.RECEIVED,
    GoalStatus.PLANNING,
    GoalStatus.ASKING,
    GoalStatus.PROPOSED,
    GoalStatus.RUNNING,
    GoalStatus.WAITING,
    GoalStatus.PAUSED,
)
MOST_LINES = 50
"""No digest reads more goals than this; nobody reads a longer one."""


class DigestRepository:
    """Keeps subscriptions and runs, and reads what a digest tells."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def ensure(
        self,
        *,
        team_id: str,
        person_id: str,
        zone: str,
        at: time,
        weekdays: Sequence[int],
        next_at: datetime,
    ) -> DigestSubscription:
        """Return a person's subscription, held until commit; add it when there is none."""
        await self._session.execute(
            insert(DigestSubscription)
            .values(
                team_id=team_id,
                person_id=person_id,
                zone=zone,
                at=at,
                weekdays=list(weekdays),
                enabled=True,
                next_at=next_at,
            )
            .on_conflict_do_nothing(index_elements=["team_id", "person_id"])
        )
        rows = await self._session.scalars(
            select(DigestSubscription)
            .where(DigestSubscription.team_id == team_id, DigestSubscription.person_id == person_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        return rows.one()

    async def find(self, team_id: str, person_id: str) -> DigestSubscription | None:
        return await self._session.scalar(
            select(DigestSubscription).where(
                DigestSubscription.team_id == team_id, DigestSubscription.person_id == person_id
            )
        )

    async def change(
        self,
        subscription: DigestSubscription,
        *,
        zone: str,
        at: time,
        weekdays: Sequence[int],
        enabled: bool,
        next_at: datetime,
    ) -> None:
        """Store new times; the caller holds the row."""
        await self._session.execute(
            update(DigestSubscription)
            .where(
                DigestSubscription.team_id == subscription.team_id,
                DigestSubscription.id == subscription.id,
            )
            .values(zone=zone, at=at, weekdays=list(weekdays), enabled=enabled, next_at=next_at)
            .execution_options(synchronize_session=False)
        )
        await self._session.refresh(subscription)

    async def claim_due(self, now: datetime) -> DigestSubscription | None:
        """Return one subscription whose time has come, held until commit, or None.

        Another replica skips a held row; whoever holds it moves `next_at` on before the commit,
        so a slot is served once.
        """
        return await self._session.scalar(
            select(DigestSubscription)
            .where(DigestSubscription.enabled, DigestSubscription.next_at <= now)
            .order_by(DigestSubscription.next_at, DigestSubscription.id)
            .limit(1)
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        )

    async def list_unfitting(self, *, limit: int = 200) -> Sequence[Person]:
        """Return members without a subscription, or whose profile names another zone now."""
        fitting = exists().where(
            DigestSubscription.team_id == Person.team_id,
            DigestSubscription.person_id == Person.person_id,
            DigestSubscription.zone == Person.zone,
        )
        rows = await self._session.scalars(
            select(Person)
            .where(Person.is_active, ~Person.is_bot, ~Person.is_guest, ~fitting)
            .order_by(Person.team_id, Person.person_id)
            .limit(limit)
        )
        return rows.all()

    async def add_run(
        self, subscription: DigestSubscription, *, slot: str, since: datetime
    ) -> DigestRun | None:
        """Record that a slot is served; None when it was before."""
        return await self._session.scalar(
            insert(DigestRun)
            .values(
                team_id=subscription.team_id,
                person_id=subscription.person_id,
                subscription_id=subscription.id,
                slot=slot,
                since=since,
            )
            .on_conflict_do_nothing(index_elements=["subscription_id", "slot"])
            .returning(DigestRun)
        )

    async def find_run(self, team_id: str, run_id: int) -> DigestRun | None:
        return await self._session.scalar(
            select(DigestRun).where(DigestRun.team_id == team_id, DigestRun.id == run_id)
        )

    async def last_run(self, team_id: str, person_id: str) -> DigestRun | None:
        return await self._session.scalar(
            select(DigestRun)
            .where(DigestRun.team_id == team_id, DigestRun.person_id == person_id)
            .order_by(DigestRun.id.desc())
            .limit(1)
        )

    async def list_goals(
        self, team_id: str, person_id: str, *, since: datetime, until: datetime
    ) -> Sequence[Goal]:
        """Return a person's open goals and those that ended in between, oldest first."""
        rows = await self._session.scalars(
            select(Goal)
            .where(
                Goal.team_id == team_id,
                Goal.requester_id == person_id,
                or_(
                    Goal.status.in_(_OPEN),
                    and_(
                        Goal.status.in_((*_ENDED_WELL, GoalStatus.FAILED)),
                        Goal.settled_at > since,
                        Goal.settled_at <= until,
                    ),
                ),
            )
            .order_by(Goal.id)
            .limit(MOST_LINES)
        )
        return rows.all()

    async def list_tasks(self, team_id: str, goal_ids: Sequence[int]) -> Sequence[Task]:
        """Return what hinders goals, and what waits for a time: tasks in one of those states."""
        rows = await self._session.scalars(
            select(Task)
            .where(
                Task.team_id == team_id,
                Task.goal_id.in_(goal_ids),
                or_(
                    Task.status.in_(
                        (
                            TaskStatus.NEEDS_CONNECTION,
                            TaskStatus.ASKING,
                            TaskStatus.NEEDS_APPROVAL,
                            TaskStatus.UNKNOWN,
                            TaskStatus.DECLINED,
                            TaskStatus.FAILED,
                        )
                    ),
                    Task.not_before.is_not(None),
                ),
            )
            .order_by(Task.goal_id, Task.position)
        )
        return rows.all()
