"""Goals, their plans and the Runs of plans."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, exists, func, not_, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.errors import NotFoundError
from storage.repositories import goals_sql as sql
from storage.repositories.conditions import halted, noted
from storage.repositories.direct import Direct, Row, Wish, as_json, plain, renew
from storage.tables.goals import Goal, GoalKind, GoalStatus, Plan, PlanRun, Task, TaskStatus
from storage.tables.waits import Wait

OPEN_STATUSES = (
    GoalStatus.RECEIVED,
    GoalStatus.PLANNING,
    GoalStatus.ASKING,
    GoalStatus.PROPOSED,
    GoalStatus.RUNNING,
    GoalStatus.WAITING,
    GoalStatus.PAUSED,
)


class GoalRepository:
    """Reads and changes goals; `lock` is what every writer of a goal takes first."""

    def __init__(self, session: AsyncSession, direct: Direct) -> None:
        self._session = session
        self._direct = direct
        self._held: dict[tuple[str, int], Goal] = {}

    async def add(
        self,
        *,
        team_id: str,
        requester_id: str,
        channel_id: str,
        thread_ts: str,
        source_key: str,
        text: str,
        kind: GoalKind = GoalKind.REQUEST,
        status: GoalStatus = GoalStatus.RECEIVED,
    ) -> int | None:
        """Return the new goal's id, or None when its source already became a goal."""
        added: int | None = await self._direct.value(
            sql.ADD,
            {
                "team_id": team_id,
                "requester_id": requester_id,
                "channel_id": channel_id,
                "thread_ts": thread_ts,
                "source_key": source_key,
                "text": text,
                "kind": kind.value,
                "status": status.value,
            },
        )
        return added

    async def find(self, team_id: str, goal_id: int) -> Goal | None:
        return await self._direct.object(Goal, sql.FIND, {"team": team_id, "goal": goal_id})

    async def get(self, team_id: str, goal_id: int) -> Goal:
        """Return a goal.

        Raises:
            NotFoundError: when this team has none of that id.
        """
        goal = await self.find(team_id, goal_id)
        if goal is None:
            raise NotFoundError("goal", goal_id)
        return goal

    async def lock(self, team_id: str, goal_id: int) -> Goal:
        """Return a goal with its row held until commit; whoever defers `drive` does this first.

        Raises:
            NotFoundError: when this team has none of that id.
        """
        held = self._held.get((team_id, goal_id))
        if held is not None:
            return held
        return self.hold(team_id, goal_id, await self._direct.rows(*self.locking(team_id, goal_id)))

    def locking(self, team_id: str, goal_id: int) -> Wish:
        """Return the statement that holds a goal's row; `hold` takes what it returns."""
        return sql.LOCK, {"team": team_id, "goal": goal_id}

    def hold(self, team_id: str, goal_id: int, rows: Sequence[Row]) -> Goal:
        """Return the goal that is held from here on.

        Raises:
            NotFoundError: when this team has none of that id.
        """
        goal = next(iter(self._direct.made(Goal, rows)), None)
        if goal is None:
            raise NotFoundError("goal", goal_id)
        self._held[team_id, goal_id] = goal
        return goal

    async def find_by_source(self, team_id: str, source_key: str) -> Goal | None:
        return await self._direct.object(
            Goal, sql.BY_SOURCE, {"team": team_id, "source": source_key}
        )

    async def find_asking(self, team_id: str, channel_id: str, thread_ts: str) -> Goal | None:
        """Return the newest goal of a thread that waits for its requester's answer."""
        return await self._session.scalar(
            select(Goal)
            .where(
                Goal.team_id == team_id,
                Goal.channel_id == channel_id,
                Goal.thread_ts == thread_ts,
                Goal.status == GoalStatus.ASKING,
            )
            .order_by(Goal.id.desc())
            .limit(1)
        )

    async def find_open_in_thread(
        self, team_id: str, channel_id: str, thread_ts: str
    ) -> Goal | None:
        """Return the newest open goal of a thread."""
        return await self._session.scalar(
            select(Goal)
            .where(
                Goal.team_id == team_id,
                Goal.channel_id == channel_id,
                Goal.thread_ts == thread_ts,
                Goal.status.in_(OPEN_STATUSES),
            )
            .order_by(Goal.id.desc())
            .limit(1)
        )

    async def list_settled_in_thread(
        self, team_id: str, channel_id: str, thread_ts: str
    ) -> Sequence[Goal]:
        """Return the goals of a thread that came from a message and have ended, newest first."""
        rows = await self._session.scalars(
            select(Goal)
            .where(
                Goal.team_id == team_id,
                Goal.channel_id == channel_id,
                Goal.thread_ts == thread_ts,
                Goal.kind == GoalKind.REQUEST,
                Goal.settled_at.is_not(None),
            )
            .order_by(Goal.id.desc())
            .limit(10)
        )
        return rows.all()

    async def list_for(self, team_id: str, person_id: str, *, limit: int = 20) -> Sequence[Goal]:
        """Return a person's goals, newest first."""
        rows = await self._session.scalars(
            select(Goal)
            .where(Goal.team_id == team_id, Goal.requester_id == person_id)
            .order_by(Goal.id.desc())
            .limit(limit)
        )
        return rows.all()

    async def list_open(self, team_id: str, person_id: str) -> Sequence[Goal]:
        """Return a person's goals that have not ended."""
        rows = await self._session.scalars(
            select(Goal)
            .where(
                Goal.team_id == team_id,
                Goal.requester_id == person_id,
                Goal.status.in_(OPEN_STATUSES),
            )
            .order_by(Goal.id)
        )
        return rows.all()

    async def list_stale(self, *, older_than_s: float, limit: int = 200) -> Sequence[Goal]:
        """Return goals that ought to move and that nobody has touched for a while.

        A waiting goal is none of them: it costs nothing until what it waits for happens. Nor is a
        running one whose steps a halt keeps from being claimed, or a planned one that rests.
        """
        resting = and_(
            Goal.status == GoalStatus.PLANNING, Goal.is_resting, Goal.deviation.is_(None)
        )
        held = and_(
            Goal.status == GoalStatus.RUNNING,
            halted(Goal.team_id),
            exists().where(
                Task.team_id == Goal.team_id,
                Task.goal_id == Goal.id,
                Task.status == TaskStatus.READY,
            ),
        )
        rows = await self._session.scalars(
            select(Goal)
            .where(
                Goal.status.in_((GoalStatus.RECEIVED, GoalStatus.PLANNING, GoalStatus.RUNNING)),
                Goal.updated_at < func.now() - func.make_interval(0, 0, 0, 0, 0, 0, older_than_s),
                not_(held),
                not_(resting),
            )
            .order_by(Goal.updated_at)
            .limit(limit)
        )
        return rows.all()

    async def move(
        self,
        goal: Goal,
        *,
        to: GoalStatus,
        reason: str | None = None,
        settled: bool = False,
    ) -> bool:
        """Compare-and-set the status that `goal` was read with; False when somebody was first."""
        moved = await self._direct.row(
            sql.MOVE,
            {
                "team": goal.team_id,
                "id": goal.id,
                "before": goal.status.value,
                "status": to.value,
                "reason": reason,
                "settled": settled,
            },
        )
        return self._refresh(goal, moved)

    async def touch(self, team_id: str, goal_id: int) -> None:
        await self._session.execute(
            update(Goal)
            .where(Goal.team_id == team_id, Goal.id == goal_id)
            .values(updated_at=func.now())
            .execution_options(synchronize_session=False)
        )

    async def rest(self, goal: Goal, *, is_resting: bool) -> None:
        """Store whether a goal being planned waits for people alone."""
        if goal.is_resting is not is_resting:
            await self._change(goal, is_resting=is_resting)

    async def set_question(self, goal: Goal, question: dict[str, Any] | None) -> None:
        """Store what the requester is asked before a plan can be made."""
        await self._change(goal, question=question)

    async def add_clarification(self, goal: Goal, answer: str, *, asked: str | None = None) -> None:
        """Add what the requester answered to the goal's question, or said about it otherwise."""
        question = (goal.question or {}).get("text", "") if asked is None else asked
        pair = {"question": question, "answer": answer}
        await self._change(goal, clarifications=[*goal.clarifications, pair])

    async def begin_round(self, goal: Goal) -> None:
        """Count the round that a planner's answer begins, and forget why it was asked."""
        await self._change(goal, rounds=goal.rounds + 1, deviation=None)

    async def set_deviation(
        self, goal: Goal, deviation: dict[str, Any] | None, *, replans: int | None = None
    ) -> None:
        """Store why the planner is asked again, or that nothing is asked any more."""
        counted = {} if replans is None else {"replans": replans}
        await self._change(goal, deviation=deviation, **counted)

    async def set_budget(
        self, goal: Goal, *, stopped_because: str | None = None, told: bool = False
    ) -> None:
        """Store that a budget ended a goal, which no planner is asked about then, or is near."""
        if stopped_because is not None:
            await self._change(goal, stopped_because=stopped_because, deviation=None)
        if told:
            await self._change(goal, budget_told=True)

    async def list_overdue(
        self, *, older_than_s: float, untold: str | None = None, limit: int = 200
    ) -> Sequence[Goal]:
        """Return open goals that are older than that and did not wait by plan meanwhile.

        A goal that waits now, or whose last wait ended less than that ago, is none of them; nor
        is one that a person paused, or that was stopped already.

        Args:
            older_than_s: counted from the goal's message.
            untold: only goals without a note whose subject is this text and the goal's id.
            limit: how many at most, the oldest first.
        """
        since = func.now() - func.make_interval(0, 0, 0, 0, 0, 0, older_than_s)
        waited = exists().where(
            Wait.goal_id == Goal.id, or_(Wait.ended_at.is_(None), Wait.ended_at > since)
        )
        rows = await self._session.scalars(
            select(Goal)
            .where(
                Goal.settled_at.is_(None),
                Goal.created_at < since,
                Goal.status != GoalStatus.PAUSED,
                Goal.stopped_because.is_(None),
                not_(waited),
                true() if untold is None else not_(noted(untold)),
            )
            .order_by(Goal.created_at)
            .limit(limit)
        )
        return rows.all()

    async def mark_started(self, goal: Goal) -> None:
        """Remember that the plan as it is now was shown and run, or needed no showing."""
        await self._change(goal, started_version=goal.plan_version)

    async def _change(self, goal: Goal, **values: Any) -> None:
        changed = await self._direct.row(
            sql.change(frozenset(values)),
            {"team": goal.team_id, "goal": goal.id, **plain(Goal, values)},
        )
        self._refresh(goal, changed)

    def _refresh(self, goal: Goal, row: Row | None) -> bool:
        """Bring a goal up to date, and the object that `lock` gave for it; False without a row."""
        if row is None:
            return False
        held = self._held.get((goal.team_id, goal.id))
        if held is not None and held is not goal:
            renew(held, row)
        renew(goal, row)
        return True

    async def add_plan(self, goal: Goal, *, body: dict[str, Any], author: str) -> int:
        """Store the next version of a goal's plan and return its number."""
        version = goal.plan_version + 1
        changed = await self._direct.row(
            sql.ADD_PLAN,
            {
                "team": goal.team_id,
                "goal": goal.id,
                "version": version,
                "body": as_json(body),
                "author": author,
            },
        )
        self._refresh(goal, changed)
        return version

    async def find_plan(self, team_id: str, goal_id: int, version: int) -> Plan | None:
        wanted = {"team": team_id, "goal": goal_id, "version": version}
        return await self._direct.object(Plan, sql.PLAN, wanted)

    async def list_plans(self, team_id: str, goal_id: int) -> Sequence[Plan]:
        """Return every version of a goal's plan, the first one first."""
        rows = await self._session.scalars(
            select(Plan)
            .where(Plan.team_id == team_id, Plan.goal_id == goal_id)
            .order_by(Plan.version)
        )
        return rows.all()

    async def add_run(
        self, goal: Goal, *, version: int, person_id: str, shown: dict[str, Any]
    ) -> int | None:
        """Record a person's Run with the values on the card; None when it was run already."""
        added: int | None = await self._direct.value(
            sql.ADD_RUN,
            {
                "team": goal.team_id,
                "goal": goal.id,
                "version": version,
                "person": person_id,
                "shown": as_json(shown),
            },
        )
        return added

    async def find_run(self, team_id: str, goal_id: int, version: int) -> PlanRun | None:
        """Return the newest Run at or before a version.

        It answers for the values that it showed; a later version that an approver's edit made
        leaves the other steps as they were.
        """
        wanted = {"team": team_id, "goal": goal_id, "version": version}
        return await self._direct.object(PlanRun, sql.RUN, wanted)
