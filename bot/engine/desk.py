"""The approval desk: what an approver's clicks do to goals."""

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from approvals.decisions import DecisionOutcome, DecisionService, Outcome
from bot.engine.cards import PlanForm
from bot.engine.doubt import is_in_doubt
from bot.engine.drive import defer_drive
from bot.engine.forms import step_form
from bot.engine.plans import read_edit
from bot.engine.revisions import Change, revise
from bot.engine.rounds import Rounds
from bot.goals.clicks import Answer, Click, FieldErrors
from bot.goals.lifecycle import SETTLED, move_task
from connectors.registry import Registry
from storage import outbox
from storage.database import Database, Transaction
from storage.tables.approvals import ApprovalItem, ApprovalStatus, Verdict
from storage.tables.goals import Goal, TaskStatus

_GONE = Answer("I cannot find that request any more.", ok=False)
_NOT_YOURS = Answer("Only the people who were asked can decide this.", ok=False)
_LATE = Answer("The time to decide is over; it expired and nothing was run.", ok=False)
_IN_DOUBT = (
    "An earlier try of this call may have worked, so it can only be repeated as it is. "
    "Approve it or reject it."
)
_CLOSED = "This was {status} already; nothing changed."


class ApprovalDesk:
    """Takes decisions and edits; the engine goes on from there."""

    def __init__(
        self,
        *,
        database: Database,
        decisions: DecisionService,
        registry: Registry,
        rounds: Rounds,
    ) -> None:
        self._database = database
        self._rounds = rounds
        self._decisions = decisions
        self._registry = registry

    async def decide(
        self, click: Click, item_id: int, verdict: Verdict, reason: str | None
    ) -> Answer:
        """Take one answer for one frozen call; every click is answered, also the late one."""
        async with self._database.transaction() as tx:
            goal = await self._lock(tx, click.team_id, item_id)
            if goal is None:
                return _GONE
            outcome = await self._decide(tx, goal, click, item_id, verdict, reason)
            await self._redraw(tx, goal, outcome.item)
            who = await _name(tx, click.team_id, outcome.decided_by)
        return _answer(outcome, who)

    async def decide_all(
        self, click: Click, approval_id: int, verdict: Verdict, reason: str | None
    ) -> Answer:
        """Take one answer for every call of an approval that is still open.

        Each is decided by itself and bound to its own hash; what was decided before stays.
        """
        async with self._database.transaction() as tx:
            items = await self._lock_all(tx, click.team_id, approval_id)
            if not items:
                return _GONE
            goal = await tx.goals.lock(click.team_id, items[0].goal_id)
            outcomes = [
                await self._decide(tx, goal, click, item.id, verdict, reason) for item in items
            ]
            await self._redraw(tx, goal, items[0])
            decided = [item for item in outcomes if item.outcome is Outcome.DECIDED]
            said = next((item for item in outcomes if item not in decided), None)
            who = await _name(tx, click.team_id, said.decided_by if said else None)
        if said is None or (decided and said.outcome is Outcome.ALREADY):
            return Answer("Done.")
        return _answer(said, who)

    async def tell_open(self, click: Click, approval_id: int) -> str | Answer:
        """Return what is open of an approval, in words, or why this click cannot decide it."""
        async with self._database.transaction() as tx:
            items = await self._lock_all(tx, click.team_id, approval_id)
            open_items = [item for item in items if item.status is ApprovalStatus.PENDING]
            if not items:
                return _GONE
            _, problem = await self._editable(tx, click, (open_items or items)[0].id)
            if problem is not None:
                return problem
            call = await tx.calls.get(click.team_id, open_items[0].call_id)
        sentence: str = call.preview["sentence"]
        others = len(open_items) - 1
        return f"{sentence}, and {others} more" if others else sentence

    async def expire_due(self) -> int:
        """Expire what was not decided in time; return how many."""
        async with self._database.transaction() as tx:
            overdue = await tx.approvals.list_overdue()
        for _, item in overdue:
            async with self._database.transaction() as tx:
                goal = await tx.goals.lock(item.team_id, item.goal_id)
                fresh = await tx.approvals.find_item(item.team_id, item.id)
                if fresh is None or fresh.status is not ApprovalStatus.PENDING:
                    continue
                await self._decisions.expire(tx, fresh)
                await self._decline(tx, goal, fresh, "expired", None)
                await self._redraw(tx, goal, fresh)
        return len(overdue)

    async def form(self, click: Click, item_id: int) -> PlanForm | Answer:
        """Return the edit form of one asked call."""
        async with self._database.transaction() as tx:
            goal = await self._lock(tx, click.team_id, item_id)
            if goal is None:
                return _GONE
            item, problem = await self._editable(tx, click, item_id)
            if problem is not None or item is None:
                return problem or _GONE
            task = await tx.tasks.get(goal.team_id, item.task_id)
            call = await tx.calls.get(goal.team_id, item.call_id)
            requester = await tx.people.get(goal.team_id, goal.requester_id)
            step = step_form(
                self._registry.stored_action(task.action),
                key=task.key,
                title=call.preview["sentence"],
                arguments=call.body["arguments"],
                fixed=frozenset(),
                can_drop=False,
                zone=ZoneInfo(requester.zone),
            )
        return PlanForm(goal.id, goal.plan_version, item_id, (step,))

    async def edit(
        self, click: Click, item_id: int, values: Mapping[str, str]
    ) -> Answer | FieldErrors:
        """Make a new call from an approver's edit; it goes through policy again (S16).

        A planner brings the rest of the plan in line with it, where it is asked.
        """
        async with self._database.transaction() as tx:
            goal = await self._lock(tx, click.team_id, item_id)
            if goal is None:
                return _GONE
            item, problem = await self._editable(tx, click, item_id)
            if problem is not None or item is None:
                return problem or _GONE
            tasks = await tx.tasks.list_(goal.team_id, goal.id)
            await tx.results.load(tasks)
            task = next(entry for entry in tasks if entry.id == item.task_id)
            requester = await tx.people.get(goal.team_id, goal.requester_id)
            changed, errors = read_edit(
                task, tasks, values, self._registry, ZoneInfo(requester.zone)
            )
            if errors:
                return errors
            if not changed:
                return Answer("Nothing was changed; the request stands as it is.")
            if await is_in_doubt(tx, task):
                return Answer(_IN_DOUBT, ok=False)
            change = Change(frozenset(), {task.key: changed})
            await revise(tx, goal, tasks, change, person_id=click.person_id)
            who = await _name(tx, click.team_id, click.person_id)
            await self._decisions.withdraw(tx, item, reason=f"edited by {who}", superseded=True)
            await move_task(tx, task, to=TaskStatus.READY, actor=click.person_id)
            if not await self._rounds.fit_edit(tx, goal, task):
                await defer_drive(tx, goal.team_id, goal.id)
            await self._redraw(tx, goal, item)
        return Answer("The changed call goes through the policy again; a new card follows.")

    async def _decide(
        self,
        tx: Transaction,
        goal: Goal,
        click: Click,
        item_id: int,
        verdict: Verdict,
        reason: str | None,
    ) -> DecisionOutcome:
        outcome = await self._decisions.decide(
            tx,
            team_id=click.team_id,
            person_id=click.person_id,
            item_id=item_id,
            verdict=verdict,
            reason=reason,
        )
        if outcome.outcome is Outcome.DECIDED and outcome.item is not None:
            await self._follow(tx, goal, outcome.item, click.person_id, reason)
        elif outcome.outcome is Outcome.LATE and outcome.item is not None:
            await self._decline(tx, goal, outcome.item, "expired", None)
        return outcome

    async def _lock_all(
        self, tx: Transaction, team_id: str, approval_id: int
    ) -> Sequence[ApprovalItem]:
        """Return an approval's items, with their goal's row held; none where there is none."""
        items = await tx.approvals.list_items(team_id, approval_id)
        if items:
            await tx.goals.lock(team_id, items[0].goal_id)
            items = await tx.approvals.list_items(team_id, approval_id)
        return items

    async def _lock(self, tx: Transaction, team_id: str, item_id: int) -> Goal | None:
        item = await tx.approvals.find_item(team_id, item_id)
        if item is None:
            return None
        return await tx.goals.lock(team_id, item.goal_id)

    async def _editable(
        self, tx: Transaction, click: Click, item_id: int
    ) -> tuple[ApprovalItem | None, Answer | None]:
        item = await tx.approvals.find_item(click.team_id, item_id)
        if item is None:
            return None, _GONE
        approval = await tx.approvals.get(click.team_id, item.approval_id)
        if not await self._decisions.authorised(tx, approval, click.person_id):
            return item, _NOT_YOURS
        if item.status is ApprovalStatus.PENDING and await tx.approvals.is_overdue(approval):
            return item, _LATE
        if item.status is not ApprovalStatus.PENDING:
            return item, Answer(_CLOSED.format(status=item.status.value), ok=False)
        return item, None

    async def _follow(
        self, tx: Transaction, goal: Goal, item: ApprovalItem, person_id: str, reason: str | None
    ) -> None:
        if item.status is not ApprovalStatus.APPROVED:
            await self._decline(tx, goal, item, "rejected", reason, person_id=person_id)
            return
        task = await tx.tasks.get(goal.team_id, item.task_id)
        if goal.status not in SETTLED and task.status is TaskStatus.NEEDS_APPROVAL:
            await move_task(tx, task, to=TaskStatus.READY, actor=person_id, not_before=None)
            await defer_drive(tx, goal.team_id, goal.id)

    async def _decline(
        self,
        tx: Transaction,
        goal: Goal,
        item: ApprovalItem,
        how: str,
        reason: str | None,
        *,
        person_id: str = "system",
    ) -> None:
        task = await tx.tasks.get(goal.team_id, item.task_id)
        if task.status is not TaskStatus.NEEDS_APPROVAL:
            return
        person = await tx.people.find(goal.team_id, person_id)
        await move_task(
            tx,
            task,
            to=TaskStatus.DECLINED,
            actor=person_id,
            failure={
                "code": how,
                "message": _declined(how, person.name if person else None, reason),
                "reason": reason,
                "by": person_id,
            },
        )
        await defer_drive(tx, goal.team_id, goal.id)

    async def _redraw(self, tx: Transaction, goal: Goal, item: ApprovalItem | None) -> None:
        if item is not None:
            approval = await tx.approvals.get(goal.team_id, item.approval_id)
            await outbox.touch(
                tx, team_id=goal.team_id, noun="approval", subject=approval.id, priority=1
            )
            for person_id in approval.ask["people"]:
                await outbox.touch(tx, team_id=goal.team_id, noun="home", subject=person_id)
        await outbox.touch(tx, team_id=goal.team_id, noun="goal", subject=goal.id)


def _declined(how: str, name: str | None, reason: str | None) -> str:
    if how == "expired":
        return "Nobody decided in time, so it was not run. Ask again if it is still wanted."
    because = f": “{reason}”" if reason else ""
    return f"{name or 'An approver'} rejected it{because}. Nothing was done."


async def _name(tx: Transaction, team_id: str, person_id: str | None) -> str | None:
    """Return how a person is called: texts carry names, never ids."""
    person = await tx.people.find(team_id, person_id) if person_id else None
    return person.name if person else None


def _answer(outcome: DecisionOutcome, who: str | None) -> Answer:
    match outcome.outcome:
        case Outcome.DECIDED:
            return Answer("Done.")
        case Outcome.NOT_FOUND:
            return _GONE
        case Outcome.NOT_YOURS:
            return _NOT_YOURS
        case Outcome.LATE:
            return _LATE
        case Outcome.TAMPERED:
            return Answer("What was shown is not what would run; nothing was run.", ok=False)
        case Outcome.ALREADY:
            status = outcome.item.status.value if outcome.item else "decided"
            by = f" by {who}" if who else ""
            return Answer(f"This was {status}{by} already; nothing changed.", ok=False)
