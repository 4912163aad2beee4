"""The gate: policy's verdict on frozen calls, and what it takes to let one run."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from approvals import permits
from approvals.askees import Askees, may_decide, resolve
from approvals.decisions import DecisionService, Question
from approvals.permits import Wanted
from approvals.policy import Answer, Ask, Policy, PolicyVerdict
from bot.engine.coverage import covers
from bot.engine.prepare import Prepared
from bot.goals.lifecycle import Move, move_task, move_tasks
from connectors.actions import Preview
from connectors.execute import Permit
from connectors.labels import labels_to_json
from storage import outbox
from storage.database import Transaction
from storage.instants import Deadline
from storage.tables.approvals import ApprovalItem, ApprovalStatus
from storage.tables.calls import Attempt, AttemptStatus
from storage.tables.goals import Goal, PlanRun, TaskStatus
from storage.tables.people import Person


@dataclass(frozen=True, slots=True)
class Cleared:
    """A call that may run: its permit is for the attempt, which is committed as running."""

    prepared: Prepared
    permit: Permit
    attempt: Attempt
    send_before: Deadline
    """The end of the attempt's lease: nothing is sent later."""


@dataclass(frozen=True, slots=True)
class _Asking:
    prepared: Prepared
    call_id: int
    verdict: PolicyVerdict
    askees: Askees


class Gate:
    """Judges frozen calls in the transaction that holds their goal."""

    def __init__(self, *, policy: Policy, decisions: DecisionService, lease_s: float) -> None:
        self._policy = policy
        self._decisions = decisions
        self._lease_s = lease_s

    async def pass_all(
        self,
        tx: Transaction,
        goal: Goal,
        *,
        requester: Person,
        prepared: Sequence[Prepared],
    ) -> list[Cleared]:
        """Return the calls that may run now; the others wait for people or end, with a card."""
        call_ids = await self._store(tx, goal, prepared)
        cleared: list[tuple[Prepared, Wanted]] = []
        asking: list[_Asking] = []
        role = requester.role.value
        verdicts = [self._policy.judge(item.subject(requester_role=role)) for item in prepared]
        run = None
        if any(verdict.answer is Answer.ASK for verdict in verdicts):
            run = await tx.goals.find_run(goal.team_id, goal.id, goal.plan_version)
        for item, verdict in zip(prepared, verdicts, strict=True):
            call_id = call_ids[item.task.id]
            grounds: str | Askees | None
            if verdict.answer is Answer.DENY or not may_act(requester):
                await self._refuse(tx, item, verdict)
                continue
            grounds = await self._grounds(tx, goal, item, verdict, run=run)
            if isinstance(grounds, str):
                cleared.append((item, self._wanted(item, call_id, grounds)))
            elif grounds.people:
                asking.append(_Asking(item, call_id, verdict, grounds))
            else:
                await self._nobody(tx, item, grounds)
        await self._ask(tx, goal, asking)
        return await clear(tx, cleared, lease_s=self._lease_s)

    async def _grounds(
        self,
        tx: Transaction,
        goal: Goal,
        item: Prepared,
        verdict: PolicyVerdict,
        *,
        run: PlanRun | None,
    ) -> str | Askees:
        """Return why the call may run, or who must be asked."""
        if verdict.answer is Answer.ALLOW:
            return f"policy:{verdict.rule}"
        ask = verdict.ask or Ask()
        if ask.requester and run is not None and covers(run, item):
            return f"run:{run.id}"
        askees = await resolve(tx, team_id=goal.team_id, requester_id=goal.requester_id, ask=ask)
        approved = await self._approved(tx, item, askees)
        if approved is not None:
            return approved
        return askees

    async def _approved(self, tx: Transaction, item: Prepared, askees: Askees) -> str | None:
        """Return the decision that lets exactly this call run, if there is one (S10, S13)."""
        asked = await tx.approvals.latest_item(item.task.team_id, item.task.id)
        if asked is None:
            return None
        same = asked.call_hash == item.call.hash
        if asked.status not in (ApprovalStatus.APPROVED, ApprovalStatus.USED):
            return None
        decision = await tx.approvals.find_decision(asked.team_id, asked.id)
        holds = (
            same
            and decision is not None
            and decision.person_id in askees.people
            and await self._still_may(tx, asked, decision.person_id)
        )
        if asked.status is ApprovalStatus.USED:
            repeats = holds and await self._did_nothing(tx, item)
            return f"decision:{decision.id}" if repeats and decision else None
        if holds and decision is not None:
            await self._decisions.use(tx, asked)
            return f"decision:{decision.id}"
        reason = (
            "what it would change has changed since it was shown"
            if not same
            else "the policy asks somebody else now"
        )
        await self._decisions.withdraw(tx, asked, reason=reason)
        await outbox.touch(tx, team_id=asked.team_id, noun="approval", subject=asked.approval_id)
        return None

    async def _did_nothing(self, tx: Transaction, item: Prepared) -> bool:
        """Whether the last try at this very call ended without a known effect."""
        attempt = await tx.calls.latest_attempt(item.task.team_id, item.task.id)
        return attempt is not None and attempt.status is AttemptStatus.FAILED

    async def _still_may(self, tx: Transaction, asked: ApprovalItem, person_id: str) -> bool:
        approval = await tx.approvals.get(asked.team_id, asked.approval_id)
        return await self._decisions.authorised(tx, approval, person_id)

    async def _store(
        self, tx: Transaction, goal: Goal, prepared: Sequence[Prepared]
    ) -> Mapping[int, int]:
        """Store the frozen calls; return task id → call id."""
        return await tx.calls.add_many(
            goal.team_id,
            goal.id,
            [
                {
                    "task_id": item.task.id,
                    "hash": item.call.hash,
                    "body": item.call.model_dump(),
                    "labels": labels_to_json({**item.labels, **item.shown_labels}),
                    "preview": preview_to_json(item.preview),
                }
                for item in prepared
            ],
        )

    def _wanted(self, item: Prepared, call_id: int, grounds: str) -> Wanted:
        return Wanted(
            call=item.call,
            call_id=call_id,
            idempotency=item.idempotency,
            grounds=grounds,
            owner=item.task.lease_owner or "drive",
        )

    async def _refuse(self, tx: Transaction, item: Prepared, verdict: PolicyVerdict) -> None:
        message = verdict.reason or "Your account may not run this any more."
        asked = await tx.approvals.latest_item(item.task.team_id, item.task.id)
        if asked is not None and await self._decisions.withdraw(tx, asked, reason=message):
            await outbox.touch(
                tx, team_id=asked.team_id, noun="approval", subject=asked.approval_id
            )
        await move_task(
            tx,
            item.task,
            to=TaskStatus.FAILED,
            audit={"rule": verdict.rule},
            failure={"code": "denied", "message": message},
        )

    async def _nobody(self, tx: Transaction, item: Prepared, askees: Askees) -> None:
        message = (
            "Nobody may countersign this yet, so it was not run. "
            "Ask whoever installed Countersign to name an admin (COUNTERSIGN_ADMINS)."
        )
        await move_task(
            tx,
            item.task,
            to=TaskStatus.FAILED,
            audit={"why": askees.why},
            failure={"code": "nobody_to_ask", "message": message},
        )

    async def _ask(self, tx: Transaction, goal: Goal, asking: Sequence[_Asking]) -> None:
        """Put calls to people: asks for the same people that arise together are one card."""
        groups: dict[tuple[Any, ...], list[_Asking]] = defaultdict(list)
        for item in asking:
            groups[item.askees.people, item.verdict.rule, item.verdict.deadline_hours].append(item)
        for members in groups.values():
            first = members[0]
            approval_id = await self._decisions.ask(
                tx,
                Question(
                    team_id=goal.team_id,
                    goal_id=goal.id,
                    plan_version=goal.plan_version,
                    requester_id=goal.requester_id,
                    verdict=first.verdict,
                    askees=first.askees,
                    calls=[(m.prepared.task.id, m.call_id, m.prepared.call.hash) for m in members],
                ),
            )
            for member in members:
                await move_task(
                    tx,
                    member.prepared.task,
                    to=TaskStatus.NEEDS_APPROVAL,
                    call_id=member.call_id,
                    audit={"approval": approval_id},
                )
            for person_id in first.askees.people:
                await outbox.show(
                    tx,
                    team_id=goal.team_id,
                    noun="approval",
                    subject=approval_id,
                    channel_id=person_id,
                    priority=2,
                )
                await outbox.touch(tx, team_id=goal.team_id, noun="home", subject=person_id)


async def clear(
    tx: Transaction, passed: Sequence[tuple[Prepared, Wanted]], *, lease_s: float
) -> list[Cleared]:
    """Commit attempts as running with their permits; what is sent comes after the commit."""
    begun = await permits.issue(tx, [wanted for _, wanted in passed], lease_s=lease_s)
    cleared = [
        Cleared(item, made.permit, made.attempt, made.send_before)
        for (item, _), made in zip(passed, begun, strict=True)
    ]
    await move_tasks(
        tx,
        [
            Move(
                item.task,
                {
                    "call_id": wanted.call_id,
                    "lease_owner": wanted.owner,
                    "lease_until": made.attempt.lease_until,
                },
                {
                    "hash": made.permit.call_hash,
                    "grounds": wanted.grounds,
                    "attempt": made.attempt.number,
                },
            )
            for (item, wanted), made in zip(passed, begun, strict=True)
        ],
        to=TaskStatus.RUNNING,
    )
    return cleared


def may_act(requester: Person) -> bool:
    """Whether a requester's calls may still run: not deactivated since (S13)."""
    return may_decide(requester)


def preview_to_json(preview: Preview) -> dict[str, Any]:
    return {
        "sentence": preview.sentence,
        "notifies": preview.notifies,
        "details": [
            {
                "name": detail.name,
                "value": detail.value,
                "before": detail.before,
                "pointer": detail.pointer,
            }
            for detail in preview.details
        ],
    }
