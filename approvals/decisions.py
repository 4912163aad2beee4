"""The decision service: asking people about frozen calls and taking their answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from approvals import transitions
from approvals.askees import Askees, may_decide
from approvals.policy import PolicyVerdict
from connectors.calls import FrozenCall
from storage.database import Transaction
from storage.tables.approvals import Approval, ApprovalItem, ApprovalStatus, Verdict


class Outcome(StrEnum):
    """What became of a click."""

    DECIDED = "decided"
    NOT_FOUND = "not_found"
    NOT_YOURS = "not_yours"
    LATE = "late"
    ALREADY = "already"
    TAMPERED = "tampered"


@dataclass(frozen=True, slots=True)
class DecisionOutcome:
    """What became of a click, and the item as it stands now."""

    outcome: Outcome
    item: ApprovalItem | None = None
    decision_id: int | None = None
    decided_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Frozen calls that the same people are asked about."""

    team_id: str
    goal_id: int
    plan_version: int
    requester_id: str
    verdict: PolicyVerdict
    askees: Askees
    calls: Sequence[tuple[int, int, str]]
    """(task id, call id, hash) of each."""


class DecisionService:
    """Asks, decides, expires and withdraws. Every method runs in the caller's transaction."""

    def __init__(self, *, policy_version: str) -> None:
        self._policy_version = policy_version

    async def ask(self, tx: Transaction, question: Question) -> int:
        """Store an approval and return its id; whatever asked about these tasks is superseded."""
        for task_id, _, _ in question.calls:
            earlier = await tx.approvals.latest_item(question.team_id, task_id)
            if earlier is not None and earlier.status is ApprovalStatus.PENDING:
                await self._move(tx, earlier, ApprovalStatus.SUPERSEDED, actor="system")
        ask = question.verdict.ask
        approval_id = await tx.approvals.add(
            team_id=question.team_id,
            goal_id=question.goal_id,
            plan_version=question.plan_version,
            policy_version=self._policy_version,
            rule=question.verdict.rule,
            ask={
                "people": list(question.askees.people),
                "requester_may_decide": bool(ask and ask.requester_may_decide),
                "why": question.askees.why,
                "alone": question.askees.alone,
            },
            deadline_s=question.verdict.deadline_hours * 3600,
            calls=question.calls,
        )
        await tx.audit.record(
            team_id=question.team_id,
            tag="engine:approval:ask",
            actor="system",
            goal_id=question.goal_id,
            data={
                "approval": approval_id,
                "people": list(question.askees.people),
                "alone": question.askees.alone,
                "rule": question.verdict.rule,
                "hashes": [call_hash for _, _, call_hash in question.calls],
            },
        )
        return approval_id

    async def decide(
        self,
        tx: Transaction,
        *,
        team_id: str,
        person_id: str,
        item_id: int,
        verdict: Verdict,
        reason: str | None,
    ) -> DecisionOutcome:
        """Take one person's answer for one call, once (S11 to S13).

        Checks, in this order: it exists in this team, the person may decide, it is still
        pending, the deadline has not passed, the call is the one that was shown.
        """
        item = await tx.approvals.find_item(team_id, item_id)
        if item is None:
            return DecisionOutcome(Outcome.NOT_FOUND)
        refusal = await self._refusal(tx, item, person_id)
        if refusal is not None:
            return refusal
        after = ApprovalStatus.APPROVED if verdict is Verdict.APPROVE else ApprovalStatus.REJECTED
        if not await self._move(tx, item, after, actor=person_id, reason=reason):
            fresh = await tx.approvals.find_item(team_id, item_id)
            return await self._already(tx, fresh or item)
        decision_id = await tx.approvals.add_decision(
            item=item, person_id=person_id, verdict=verdict, reason=reason
        )
        return DecisionOutcome(Outcome.DECIDED, item, decision_id, person_id)

    async def _refusal(
        self, tx: Transaction, item: ApprovalItem, person_id: str
    ) -> DecisionOutcome | None:
        """Return why this person cannot decide this item now, or None when they can."""
        approval = await tx.approvals.get(item.team_id, item.approval_id)
        if not await self.authorised(tx, approval, person_id):
            return DecisionOutcome(Outcome.NOT_YOURS, item)
        if item.status is not ApprovalStatus.PENDING:
            return await self._already(tx, item)
        if await tx.approvals.is_overdue(approval):
            await self._move(tx, item, ApprovalStatus.EXPIRED, actor="system")
            return DecisionOutcome(Outcome.LATE, item)
        if not await self._same_call(tx, item):
            return DecisionOutcome(Outcome.TAMPERED, item)
        return None

    async def authorised(self, tx: Transaction, approval: Approval, person_id: str) -> bool:
        """Whether this person may decide this approval right now."""
        person = await tx.people.find(approval.team_id, person_id)
        return person_id in approval.ask["people"] and may_decide(person)

    async def withdraw(
        self,
        tx: Transaction,
        item: ApprovalItem,
        *,
        reason: str,
        superseded: bool = False,
    ) -> bool:
        """Take an item back: its call changed, its goal ended, or policy became stricter."""
        if item.status not in (ApprovalStatus.PENDING, ApprovalStatus.APPROVED):
            return False
        after = ApprovalStatus.SUPERSEDED if superseded else ApprovalStatus.WITHDRAWN
        return await self._move(tx, item, after, actor="system", reason=reason)

    async def expire(self, tx: Transaction, item: ApprovalItem) -> bool:
        """Mark an overdue item expired, which is not "rejected"."""
        return await self._move(tx, item, ApprovalStatus.EXPIRED, actor="system")

    async def use(self, tx: Transaction, item: ApprovalItem) -> bool:
        """Spend an approved item on its one execution."""
        return await self._move(tx, item, ApprovalStatus.USED, actor="system")

    async def _same_call(self, tx: Transaction, item: ApprovalItem) -> bool:
        call = await tx.calls.get(item.team_id, item.call_id)
        frozen = FrozenCall.model_validate(call.body)
        return frozen.hash == item.call_hash == call.hash

    async def _already(self, tx: Transaction, item: ApprovalItem) -> DecisionOutcome:
        decision = await tx.approvals.find_decision(item.team_id, item.id)
        late = item.status is ApprovalStatus.EXPIRED
        return DecisionOutcome(
            Outcome.LATE if late else Outcome.ALREADY,
            item,
            decided_by=decision.person_id if decision else None,
        )

    async def _move(
        self,
        tx: Transaction,
        item: ApprovalItem,
        after: ApprovalStatus,
        *,
        actor: str,
        reason: str | None = None,
    ) -> bool:
        before = item.status
        transitions.check(before=before, after=after)
        if not await tx.approvals.move_item(item, to=after, reason=reason):
            return False
        await tx.audit.record(
            team_id=item.team_id,
            tag=f"{'slack' if actor != 'system' else 'engine'}:approval:{after.value}",
            actor=actor,
            goal_id=item.goal_id,
            data={
                "approval": item.approval_id,
                "item": item.id,
                "hash": item.call_hash,
                "from": before.value,
                "reason": reason,
            },
        )
        return True
