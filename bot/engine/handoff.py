"""Handing over: what a defect of ours stopped goes to named people, with everything they need."""

from approvals.decisions import DecisionService
from bot.engine.asks import ask_human
from bot.engine.cancelling import drop_open_tasks
from bot.engine.cards import HandoffCard
from bot.goals.clicks import Answer, Click
from bot.goals.lifecycle import SETTLED, move_goal, move_task
from connectors.actions import Idempotency
from connectors.registry import Registry
from storage import outbox
from storage.database import Database, Transaction
from storage.errors import NotFoundError
from storage.tables.calls import AttemptStatus
from storage.tables.goals import Goal, GoalStatus, Task, TaskStatus
from storage.tables.people import Role
from storage.tables.recovery import Handoff

BROKE = "Something went wrong on my side."
MOST_ADMINS = 3
"""More people would each think that another one looks."""

_LEFT_TO_REQUESTER = frozenset({GoalStatus.ASKING, GoalStatus.PROPOSED, GoalStatus.PAUSED})
"""A person's next word drives such a goal again: what broke it is met then, or is over."""

_STOPPED = f"{BROKE} I have told an admin; what was done before stays done."


async def hand_off(tx: Transaction, goal: Goal, task: Task | None, *, reference: str) -> None:
    """Put a step, or a whole goal, to its requester and to admins.

    The requester of a step whose outcome is unknown is asked about it by another card already.
    """
    handoff_id = await tx.handoffs.add(
        team_id=goal.team_id,
        goal_id=goal.id,
        task_id=task.id if task else None,
        reference=reference,
    )
    admins = await tx.people.list_by_role(goal.team_id, Role.ADMIN)
    people = {person.person_id for person in admins[:MOST_ADMINS]}
    if task is None or task.status is not TaskStatus.UNKNOWN:
        people.add(goal.requester_id)
    await tx.audit.record(
        team_id=goal.team_id,
        tag="engine:handoff:open",
        actor="system",
        goal_id=goal.id,
        data={"handoff": handoff_id, "reference": reference, "task": task.key if task else None},
    )
    for person_id in sorted(people):
        await outbox.show(
            tx,
            team_id=goal.team_id,
            noun="handoff",
            subject=handoff_id,
            channel_id=person_id,
            priority=3,
        )


class HandoffService:
    """Stops goals that we cannot run, and takes the word of whoever looked."""

    def __init__(
        self,
        *,
        database: Database,
        registry: Registry,
        decisions: DecisionService,
        grace_s: float,
    ) -> None:
        self._database = database
        self._registry = registry
        self._decisions = decisions
        self._grace_s = grace_s

    async def close(self, click: Click, handoff_id: int) -> Answer:
        """Close a hand-over: its requester or an admin looked."""
        async with self._database.transaction() as tx:
            handoff = await tx.handoffs.get(click.team_id, handoff_id)
            goal = await tx.goals.get(click.team_id, handoff.goal_id)
            person = await tx.people.get(click.team_id, click.person_id)
            if person.person_id != goal.requester_id and person.role is not Role.ADMIN:
                return Answer("Only an admin, or whoever asked for it, can settle this.", ok=False)
            if not await tx.handoffs.settle(click.team_id, handoff_id, by=click.person_id):
                return Answer("This was settled already; nothing changed.", ok=False)
            await tx.audit.record(
                team_id=click.team_id,
                tag="slack:handoff:settle",
                actor=click.person_id,
                goal_id=goal.id,
                data={"handoff": handoff_id},
            )
            await outbox.touch(
                tx, team_id=click.team_id, noun="handoff", subject=handoff_id, priority=1
            )
        return Answer("Noted, thank you.")

    async def stop_goal(self, *, reference: str, team_id: str, goal_id: int) -> None:
        """End a goal that can be neither planned nor driven, once, and hand it over.

        A call that may have been sent becomes unknown, never failed; one that another process is
        just making is left to it. A goal that waits for its requester's word is left as it is.
        """
        async with self._database.transaction() as tx:
            try:
                goal = await tx.goals.lock(team_id, goal_id)
            except NotFoundError:
                return
            await self._end_dead_calls(tx, goal)
            if goal.status in SETTLED or goal.status in _LEFT_TO_REQUESTER:
                return
            await drop_open_tasks(
                tx, goal, decisions=self._decisions, actor="system", reason="the goal was stopped"
            )
            if goal.status is GoalStatus.RECEIVED:
                await move_goal(tx, goal, to=GoalStatus.PLANNING)
            if goal.status is GoalStatus.WAITING:
                await move_goal(tx, goal, to=GoalStatus.RUNNING)
            await move_goal(tx, goal, to=GoalStatus.FAILED, reason=_STOPPED)
            await hand_off(tx, goal, None, reference=reference)
            await outbox.touch(tx, team_id=team_id, noun="goal", subject=goal_id, priority=2)

    async def card(self, tx: Transaction, team_id: str, handoff_id: int) -> HandoffCard:
        """Return what the people read to whom something was handed over.

        Raises:
            NotFoundError: when this team has no such hand-over.
        """
        handoff = await tx.handoffs.get(team_id, handoff_id)
        goal = await tx.goals.get(team_id, handoff.goal_id)
        requester = await tx.people.get(team_id, goal.requester_id)
        task = await tx.tasks.find(team_id, handoff.task_id) if handoff.task_id else None
        call = await tx.calls.find(team_id, task.call_id) if task and task.call_id else None
        title = url = None
        if task is not None:
            connector = self._registry.stored_connector(task.action.split(".")[0])
            title = connector.title
            url = connector.manifest.web_url if connector.manifest else None
        return HandoffCard(
            handoff_id=handoff.id,
            requester=requester.name,
            asked=goal.text,
            step=call.preview["sentence"] if call else None,
            position=task.position + 1 if task else None,
            is_unknown=task is not None and task.status is TaskStatus.UNKNOWN,
            is_failed=task is not None and (task.failure or {}).get("code") == "system",
            provider_title=title,
            look_url=url,
            reference=handoff.reference,
            settled_by=await _name(tx, handoff),
        )

    async def _end_dead_calls(self, tx: Transaction, goal: Goal) -> None:
        dead = await tx.tasks.claim_abandoned(
            goal.team_id, goal.id, grace_s=self._grace_s, owner="handoff", lease_s=0.0
        )
        for task in dead:
            attempt = await tx.calls.latest_attempt(goal.team_id, task.id)
            if attempt is None:
                continue
            is_read = Idempotency(attempt.idempotency) is Idempotency.READ
            await tx.calls.finish_attempt(
                team_id=goal.team_id,
                attempt_id=attempt.id,
                status=AttemptStatus.FAILED if is_read else AttemptStatus.UNKNOWN,
                error={"code": "system", "message": BROKE},
            )
            if is_read:
                failure = {"code": "system", "message": BROKE}
                await move_task(tx, task, to=TaskStatus.FAILED, failure=failure)
            else:
                await ask_human(tx, goal, task, BROKE)


async def _name(tx: Transaction, handoff: Handoff) -> str | None:
    if handoff.settled_by is None:
        return None
    person = await tx.people.find(handoff.team_id, handoff.settled_by)
    return person.name if person else "somebody"
