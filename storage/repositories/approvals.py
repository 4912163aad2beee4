"""Approvals, their items and the decisions of people."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, exists, func, literal, not_, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from storage.errors import NotFoundError
from storage.repositories.conditions import halted
from storage.repositories.direct import Direct, selected
from storage.repositories.rows import update_object
from storage.repositories.tasks import seconds
from storage.tables.approvals import Approval, ApprovalItem, ApprovalStatus, Decision, Verdict
from storage.tables.halts import EVERY_TEAM

_LATEST = selected(
    ApprovalItem, "WHERE team_id = %(team)s AND task_id = %(task)s ORDER BY id DESC LIMIT 1"
)


class ApprovalRepository:
    def __init__(self, session: AsyncSession, direct: Direct) -> None:
        self._session = session
        self._direct = direct

    async def add(
        self,
        *,
        team_id: str,
        goal_id: int,
        plan_version: int,
        policy_version: str,
        rule: str,
        ask: dict[str, Any],
        deadline_s: float,
        calls: Sequence[tuple[int, int, str]],
    ) -> int:
        """Store an approval of (task id, call id, hash), due in so many seconds; return its id."""
        rows = await self._session.scalars(
            insert(Approval)
            .values(
                team_id=team_id,
                goal_id=goal_id,
                plan_version=plan_version,
                policy_version=policy_version,
                rule=rule,
                ask=ask,
                deadline_at=func.now() + seconds(deadline_s),
            )
            .returning(Approval.id)
        )
        approval_id = rows.one()
        await self._session.execute(
            insert(ApprovalItem),
            [
                {
                    "approval_id": approval_id,
                    "team_id": team_id,
                    "goal_id": goal_id,
                    "task_id": task_id,
                    "call_id": call_id,
                    "call_hash": call_hash,
                    "status": ApprovalStatus.PENDING,
                }
                for task_id, call_id, call_hash in calls
            ],
        )
        return approval_id

    async def find(self, team_id: str, approval_id: int) -> Approval | None:
        return await self._session.scalar(
            select(Approval).where(Approval.team_id == team_id, Approval.id == approval_id)
        )

    async def get(self, team_id: str, approval_id: int) -> Approval:
        """Return an approval.

        Raises:
            NotFoundError: when this team has none of that id.
        """
        approval = await self.find(team_id, approval_id)
        if approval is None:
            raise NotFoundError("approval", approval_id)
        return approval

    async def find_item(self, team_id: str, item_id: int) -> ApprovalItem | None:
        return await self._session.scalar(
            select(ApprovalItem)
            .where(ApprovalItem.team_id == team_id, ApprovalItem.id == item_id)
            .execution_options(populate_existing=True)
        )

    async def list_items(self, team_id: str, approval_id: int) -> Sequence[ApprovalItem]:
        rows = await self._session.scalars(
            select(ApprovalItem)
            .where(ApprovalItem.team_id == team_id, ApprovalItem.approval_id == approval_id)
            .order_by(ApprovalItem.id)
            .execution_options(populate_existing=True)
        )
        return rows.all()

    async def latest_item(self, team_id: str, task_id: int) -> ApprovalItem | None:
        """Return the newest item that asks about a task."""
        wanted = {"team": team_id, "task": task_id}
        return await self._direct.object(ApprovalItem, _LATEST, wanted)

    async def list_for_goal(
        self, team_id: str, goal_id: int
    ) -> Sequence[tuple[Approval, ApprovalItem]]:
        rows = await self._session.execute(
            select(Approval, ApprovalItem)
            .join(ApprovalItem, ApprovalItem.approval_id == Approval.id)
            .where(Approval.team_id == team_id, Approval.goal_id == goal_id)
            .order_by(ApprovalItem.id)
            .execution_options(populate_existing=True)
        )
        return [(row[0], row[1]) for row in rows]

    async def list_pending_for(
        self, team_id: str, person_id: str
    ) -> Sequence[tuple[Approval, ApprovalItem]]:
        """Return what waits for a person's decision, oldest first."""
        rows = await self._session.execute(
            select(Approval, ApprovalItem)
            .join(ApprovalItem, ApprovalItem.approval_id == Approval.id)
            .where(
                Approval.team_id == team_id,
                ApprovalItem.status == ApprovalStatus.PENDING,
                Approval.ask["people"].contains([person_id]),
            )
            .order_by(ApprovalItem.id)
        )
        return [(row[0], row[1]) for row in rows]

    async def is_overdue(self, approval: Approval) -> bool:
        """Whether an approval's deadline has passed, by the database's clock; not in a halt."""
        is_past = literal(approval.deadline_at) <= func.clock_timestamp()
        found = select(and_(is_past, not_(halted(approval.team_id))))
        return bool(await self._session.scalar(found))

    async def list_overdue(self, *, limit: int = 200) -> Sequence[tuple[Approval, ApprovalItem]]:
        rows = await self._session.execute(
            select(Approval, ApprovalItem)
            .join(
                ApprovalItem,
                and_(
                    ApprovalItem.approval_id == Approval.id,
                    ApprovalItem.status == ApprovalStatus.PENDING,
                ),
            )
            .where(Approval.deadline_at <= func.now(), not_(halted(Approval.team_id)))
            .limit(limit)
        )
        return [(row[0], row[1]) for row in rows]

    async def extend_open(self, team_id: str, *, since: datetime) -> Sequence[tuple[str, int]]:
        """Give what is undecided the time back that passed since; return (team, approval).

        Args:
            team_id: one team's, or `EVERY_TEAM`.
            since: what was asked later than this gets back what passed since it was asked.
        """
        undecided = exists().where(
            ApprovalItem.approval_id == Approval.id, ApprovalItem.status == ApprovalStatus.PENDING
        )
        rows = await self._session.execute(
            update(Approval)
            .where(undecided, or_(Approval.team_id == team_id, literal(team_id) == EVERY_TEAM))
            .values(
                deadline_at=Approval.deadline_at
                + (func.now() - func.greatest(since, Approval.created_at))
            )
            .returning(Approval.team_id, Approval.id)
            .execution_options(synchronize_session=False)
        )
        return [(row.team_id, row.id) for row in rows]

    async def move_item(
        self, item: ApprovalItem, *, to: ApprovalStatus, reason: str | None = None
    ) -> bool:
        """Compare-and-set the status that `item` was read with (S11): one statement, one winner."""
        moved = await self._session.execute(
            update(ApprovalItem)
            .where(
                ApprovalItem.team_id == item.team_id,
                ApprovalItem.id == item.id,
                ApprovalItem.status == item.status,
            )
            .values(status=to, status_reason=reason, updated_at=func.now())
            .returning(*ApprovalItem.__table__.columns)
            .execution_options(synchronize_session=False)
        )
        return update_object(item, moved.mappings().one_or_none())

    async def add_decision(
        self,
        *,
        item: ApprovalItem,
        person_id: str,
        verdict: Verdict,
        reason: str | None,
    ) -> int:
        rows = await self._session.scalars(
            insert(Decision)
            .values(
                team_id=item.team_id,
                goal_id=item.goal_id,
                approval_id=item.approval_id,
                item_id=item.id,
                call_hash=item.call_hash,
                person_id=person_id,
                verdict=verdict,
                reason=reason,
            )
            .returning(Decision.id)
        )
        return rows.one()

    async def find_decision(self, team_id: str, item_id: int) -> Decision | None:
        return await self._session.scalar(
            select(Decision).where(Decision.team_id == team_id, Decision.item_id == item_id)
        )

    async def list_decisions(self, team_id: str, goal_id: int) -> Sequence[Decision]:
        rows = await self._session.scalars(
            select(Decision)
            .where(Decision.team_id == team_id, Decision.goal_id == goal_id)
            .order_by(Decision.id)
        )
        return rows.all()
