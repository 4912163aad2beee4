"""Tasks: claimed by leases, moved by compare-and-set."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import and_, delete, func, not_, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import ClauseElement

from storage.errors import NotFoundError
from storage.repositories import tasks_sql as sql
from storage.repositories.conditions import halted
from storage.repositories.direct import (
    Direct,
    Row,
    Wish,
    given_rows,
    plain,
    renew,
)
from storage.tables.calls import Attempt, AttemptStatus
from storage.tables.connections import Connection, ConnectionStatus
from storage.tables.goals import Goal, GoalStatus, Task, TaskStatus
from storage.tables.halts import EVERY_TEAM


def seconds(amount: float) -> Any:
    """Return a PostgreSQL interval of so many seconds."""
    return func.make_interval(0, 0, 0, 0, 0, 0, amount)


_ENDS = frozenset(
    {
        TaskStatus.SUCCEEDED,
        TaskStatus.SKIPPED,
        TaskStatus.FAILED,
        TaskStatus.DECLINED,
        TaskStatus.CANCELLED,
    }
)


_CONNECTS = text("tasks.failure ->> 'code' = 'needs_connection'")
"""What a task says that waits for a connection: the condition of an index, as it is there."""


class TaskRepository:
    """Reads, claims and changes tasks. The caller holds the goal's row.

    So nobody else changes them meanwhile: what was read once in a transaction is kept, and kept
    true by what this repository changes.
    """

    def __init__(self, session: AsyncSession, direct: Direct) -> None:
        self._session = session
        self._direct = direct
        self._lists: dict[tuple[str, int], Sequence[Task]] = {}

    async def add_many(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Store new tasks; all rows have the same columns."""
        if rows:
            self._lists.clear()
            whole = [{"tries": 0, **row} for row in rows]
            await self._direct.rows(sql.add(tuple(whole[0])), given_rows(whole))

    async def list_(self, team_id: str, goal_id: int) -> Sequence[Task]:
        """Return a goal's tasks in plan order, as they are now."""
        known = self._lists.get((team_id, goal_id))
        if known is None:
            rows = await self._direct.rows(*self.listing(team_id, goal_id))
            known = self.keep(team_id, goal_id, rows)
        return known

    def listing(self, team_id: str, goal_id: int) -> Wish:
        """Return the statement that lists a goal's tasks; `keep` takes what it returns."""
        return sql.LIST, {"team": team_id, "goal": goal_id}

    def keep(self, team_id: str, goal_id: int, rows: Sequence[Row]) -> Sequence[Task]:
        """Return the tasks that were listed, which `list_` gives from here on."""
        known = self._lists[team_id, goal_id] = self._direct.made(Task, rows)
        return known

    async def find(self, team_id: str, task_id: int) -> Task | None:
        known = self._known(team_id, task_id)
        if known is not None:
            return known
        return await self._direct.object(Task, sql.FIND, {"team": team_id, "task": task_id})

    def _known(self, team_id: str, task_id: int) -> Task | None:
        """Return a task of a list that was read in this transaction."""
        lists = (tasks for (team, _), tasks in self._lists.items() if team == team_id)
        return next((task for tasks in lists for task in tasks if task.id == task_id), None)

    async def get(self, team_id: str, task_id: int) -> Task:
        """Return a task.

        Raises:
            NotFoundError: when this team has none of that id.
        """
        task = await self.find(team_id, task_id)
        if task is None:
            raise NotFoundError("task", task_id)
        return task

    async def remove(self, team_id: str, task_ids: Sequence[int]) -> None:
        """Drop tasks that never ran, when a new plan version replaces them."""
        self._lists.clear()
        await self._session.execute(
            delete(Task)
            .where(Task.team_id == team_id, Task.id.in_(task_ids))
            .execution_options(synchronize_session=False)
        )

    async def update(self, team_id: str, task_id: int, **values: Any) -> None:
        """Change fields other than the status."""
        self._lists.clear()
        await self._session.execute(
            update(Task)
            .where(Task.team_id == team_id, Task.id == task_id)
            .values(**values)
            .execution_options(synchronize_session=False)
        )

    async def move(self, task: Task, *, to: TaskStatus, **values: Any) -> bool:
        """Compare-and-set the status that `task` was read with; False when somebody was first.

        Ends the claim unless the move keeps one by giving `lease_owner`, and tells when the task
        ended by the database's clock.
        """
        values.setdefault("lease_owner", None)
        values.setdefault("lease_until", None)
        if to in _ENDS:
            values.pop("finished_at", None)
        row = await self._move(task, {"status": to, **values}, ends=to in _ENDS)
        if row is None:
            return False
        self._renew(task, row)
        return True

    async def move_many(
        self, moves: Sequence[tuple[Task, Mapping[str, Any]]], *, to: TaskStatus
    ) -> Sequence[Task]:
        """Do the same for several tasks of one team at once; return those that moved.

        Each comes with its own values of the same columns; none of them an instant that the
        database computes.
        """
        if len(moves) == 1:
            [(task, values)] = moves
            return [task] if await self.move(task, to=to, **values) else []
        if not moves:
            return []
        changes = [
            {"lease_owner": None, "lease_until": None, **values, "status": to.value}
            for _, values in moves
        ]
        found = {task.id: task for task, _ in moves}
        rows = await self._direct.rows(
            sql.move_many(tuple(changes[0]), ends=to in _ENDS),
            {
                "team": moves[0][0].team_id,
                **given_rows(
                    {**change, "id": task.id, "before": task.status.value}
                    for change, (task, _) in zip(changes, moves, strict=True)
                ),
            },
        )
        return [self._renew(found[row[0]], row) for row in rows]

    async def succeed(self, ended: Sequence[tuple[Task, int, Mapping[str, Any]]]) -> Sequence[Task]:
        """End running tasks of one team, each with its running attempt and its result.

        Return those that ended: what was taken over meanwhile stays as it is.
        """
        rows = await self._direct.rows(
            sql.SUCCEED,
            {
                "team": ended[0][0].team_id,
                **given_rows(
                    {"id": task.id, "attempt_id": attempt_id, "result": result}
                    for task, attempt_id, result in ended
                ),
            },
        )
        width = len(Task.__table__.columns)
        self._direct.made(Attempt, [row[width:] for row in rows])
        found = {task.id: task for task, _, _ in ended}
        return [self._renew(found[row[0]], row[:width]) for row in rows]

    def _renew(self, task: Task, row: Row) -> Task:
        """Bring a task up to date, and the object of it that a list of this transaction has."""
        known = self._known(task.team_id, task.id)
        if known is not None and known is not task:
            renew(known, row)
        renew(task, row)
        return task

    async def _move(self, task: Task, values: dict[str, Any], *, ends: bool) -> Row | None:
        if any(isinstance(value, ClauseElement) for value in values.values()):
            # An instant that the database computes.
            moved = await self._session.execute(
                update(Task)
                .where(Task.team_id == task.team_id, Task.id == task.id, Task.status == task.status)
                .values(**values, **({"finished_at": func.now()} if ends else {}))
                .returning(*Task.__table__.columns)
                .execution_options(synchronize_session=False)
            )
            row = moved.one_or_none()
            return None if row is None else tuple(row)
        return await self._direct.row(
            sql.move(frozenset(values), ends=ends),
            {
                "team": task.team_id,
                "id": task.id,
                "before": task.status.value,
                **plain(Task, values),
            },
        )

    async def hold(self, team_id: str, task_id: int, *, at_most_s: float) -> bool:
        """Note since when a task waits for its provider; False once that has been too long."""
        self._lists.clear()
        first = func.coalesce(Task.held_since, func.now())
        return bool(
            await self._session.scalar(
                update(Task)
                .where(Task.team_id == team_id, Task.id == task_id)
                .values(held_since=first)
                .returning(Task.held_since > func.now() - seconds(at_most_s))
                .execution_options(synchronize_session=False)
            )
        )

    async def claim(
        self,
        team_id: str,
        goal_id: int,
        *,
        keys: Sequence[str],
        owner: str,
        lease_s: float,
        most: int | None = None,
        reads: Collection[str] = (),
    ) -> Sequence[Task]:
        """Take the ready tasks among `keys` whose time has come and that no live drive holds.

        At most `most` of them, those that come first in `keys`; None takes them all. While the
        team is halted only those among `reads` are taken, the keys of tasks that only read.
        """
        return await self._direct.objects(
            Task,
            sql.CLAIM,
            {
                "team": team_id,
                "goal": goal_id,
                "keys": list(keys),
                "reads": list(reads),
                "every_team": EVERY_TEAM,
                "owner": owner,
                "lease_s": lease_s,
                "most": most,
            },
        )

    async def claim_abandoned(
        self, team_id: str, goal_id: int, *, grace_s: float, owner: str, lease_s: float
    ) -> Sequence[Task]:
        """Take running tasks whose attempt's lease ended more than `grace_s` ago.

        Until then the old attempt could still send, so a look-up would prove nothing.
        """
        dead = select(Attempt.task_id).where(
            Attempt.team_id == team_id,
            Attempt.goal_id == goal_id,
            Attempt.status == AttemptStatus.RUNNING,
            Attempt.lease_until < func.now() - seconds(grace_s),
        )
        rows = await self._session.scalars(
            update(Task)
            .where(
                Task.team_id == team_id,
                Task.goal_id == goal_id,
                Task.status == TaskStatus.RUNNING,
                Task.id.in_(dead),
                or_(Task.lease_until.is_(None), Task.lease_until < func.now() - seconds(grace_s)),
            )
            .values(lease_owner=owner, lease_until=func.now() + seconds(lease_s))
            .returning(Task)
            .execution_options(synchronize_session=False, populate_existing=True)
        )
        return rows.all()

    async def list_due_goals(
        self, *, grace_s: float, reads: Collection[str] = (), limit: int = 200
    ) -> Sequence[tuple[str, int]]:
        """Return (team, goal) of goals with a task whose time came or whose claim died.

        While a team is halted only its `reads` come due, the names of actions that only read.

        A claim of a ready task is over with its lease: nothing was sent for it yet, and whoever
        claimed it notices before it sends. A running one may have sent up to `grace_s` later; of
        a goal that has ended only such a one counts, because its outcome is owed. A goal with a
        ready task is planning or running, never waiting (`progress.settle`, `defer_drive`).
        """
        due = (
            select(Goal.team_id, Goal.id.label("goal_id"))
            .join(Task, and_(Task.goal_id == Goal.id, Task.team_id == Goal.team_id))
            .where(
                Goal.status.in_((GoalStatus.PLANNING, GoalStatus.RUNNING)),
                Task.status == TaskStatus.READY,
                or_(Task.lease_until.is_(None), Task.lease_until < func.now()),
                or_(Task.not_before.is_(None), Task.not_before <= func.now()),
                or_(Task.action.in_(reads), not_(halted(Task.team_id))),
            )
        )
        gone = func.now() - seconds(grace_s)
        dead = (
            select(Attempt.team_id, Attempt.goal_id)
            .join(Task, and_(Task.id == Attempt.task_id, Task.team_id == Attempt.team_id))
            .where(
                Attempt.status == AttemptStatus.RUNNING,
                Attempt.lease_until < gone,
                Task.status == TaskStatus.RUNNING,
                or_(Task.lease_until.is_(None), Task.lease_until < gone),
            )
        )
        rows = await self._session.execute(due.union(dead).limit(limit))
        return [(row.team_id, row.goal_id) for row in rows]

    async def list_needing_connection(
        self, team_id: str, person_id: str
    ) -> Sequence[tuple[int, Task]]:
        """Return (goal id, task) of a person's tasks that wait for a connection."""
        rows = await self._session.execute(
            select(Goal.id, Task)
            .join(Goal, and_(Goal.id == Task.goal_id, Goal.team_id == Task.team_id))
            .where(
                Task.team_id == team_id,
                Goal.requester_id == person_id,
                _CONNECTS,
                Task.status == TaskStatus.NEEDS_CONNECTION,
            )
            .order_by(Task.id)
        )
        return [(row[0], row[1]) for row in rows]

    async def list_unconnectable(
        self, *, providers: Sequence[str], limit: int = 200
    ) -> Sequence[tuple[Goal, Task]]:
        """Return tasks that wait for a connection to a provider other than these."""
        rows = await self._session.execute(
            select(Goal, Task)
            .join(Goal, and_(Goal.id == Task.goal_id, Goal.team_id == Task.team_id))
            .where(
                _CONNECTS,
                Task.status == TaskStatus.NEEDS_CONNECTION,
                func.split_part(Task.action, ".", 1).not_in(providers),
            )
            .order_by(Task.id)
            .limit(limit)
        )
        return [(row[0], row[1]) for row in rows]

    async def list_connected_waiting(
        self, *, limit: int = 200
    ) -> Sequence[tuple[Connection, int, Task]]:
        """Return (connection, goal id, task) where a task waits although there is a connection."""
        rows = await self._session.execute(
            select(Connection, Goal.id, Task)
            .join(Goal, and_(Goal.id == Task.goal_id, Goal.team_id == Task.team_id))
            .join(
                Connection,
                and_(
                    Connection.team_id == Task.team_id,
                    Connection.person_id == Goal.requester_id,
                    Connection.provider == func.split_part(Task.action, ".", 1),
                ),
            )
            .where(
                _CONNECTS,
                Task.status == TaskStatus.NEEDS_CONNECTION,
                Connection.status == ConnectionStatus.CONNECTED,
            )
            .limit(limit)
        )
        return [(row[0], row[1], row[2]) for row in rows]
