"""Card queries: read what the cards of `bot.engine.cards` show, in one transaction."""

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from bot.engine.cards import (
    AnswerCard,
    ApprovalCard,
    ApprovalLine,
    GoalCard,
    UnknownCard,
)
from bot.engine.differences import describe_changes, differing_details
from bot.engine.estimates import estimate
from bot.engine.forecast import Forecaster
from bot.engine.halts import say_halt
from bot.engine.plans import CHANGEABLE, can_change
from bot.engine.progress import is_read
from bot.engine.question_cards import QuestionCards
from bot.engine.step_queries import StepQueries, person_name, shown_details, with_rows
from bot.engine.wait_cards import with_waits
from bot.goals.lifecycle import SETTLED
from connectors.actions import Detail, Link
from connectors.labels import Label, labels_from_json
from connectors.registry import Registry
from storage.database import Transaction
from storage.errors import NotFoundError
from storage.tables.approvals import Approval, ApprovalItem
from storage.tables.calls import Call
from storage.tables.goals import (
    DRIVEN_STATUSES,
    Goal,
    GoalKind,
    GoalStatus,
    Plan,
    Task,
    TaskStatus,
)
from storage.tables.people import Person


class CardQueries:
    """Loads typed cards. Everything on them comes from rows and declared previews (S17)."""

    def __init__(self, *, registry: Registry, forecaster: Forecaster) -> None:
        self._registry = registry
        self._steps = StepQueries(registry=registry, forecaster=forecaster)
        self.questions = QuestionCards(registry=registry, steps=self._steps)

    async def goal(self, tx: Transaction, team_id: str, goal_id: int) -> GoalCard:
        """Return a goal's card.

        Raises:
            NotFoundError: when this team has no such goal.
        """
        goal = await tx.goals.get(team_id, goal_id)
        requester = await tx.people.get(team_id, goal.requester_id)
        tasks = await tx.tasks.list_(team_id, goal_id)
        await tx.results.load(tasks)
        plan = await tx.goals.find_plan(team_id, goal_id, goal.plan_version)
        steps = [await self._steps.step(tx, goal, task, tasks, requester) for task in tasks]
        proposed = goal.status is GoalStatus.PROPOSED
        body = plan.body if plan else {}
        asking = goal.status is GoalStatus.ASKING
        question = (goal.question or {}) if asking else {}
        return GoalCard(
            goal_id=goal.id,
            requester_id=goal.requester_id,
            text=goal.text,
            status=goal.status,
            version=goal.plan_version,
            author=plan.author if plan else "",
            say=body.get("say", ""),
            steps=with_rows(
                tasks,
                await with_waits(
                    tx, goal, tasks, [step for step, _ in steps], registry=self._registry
                ),
            ),
            changes=await self._changes(tx, goal, requester),
            question=question.get("text"),
            choices=tuple(question.get("choices", ())),
            reason=goal.reason,
            zone=ZoneInfo(requester.zone),
            can_run=proposed,
            can_edit=proposed or self._has_open_write(goal, tasks),
            can_cancel=goal.status not in SETTLED and goal.kind is GoalKind.REQUEST,
            can_pause=goal.status in (GoalStatus.RUNNING, GoalStatus.WAITING),
            can_resume=goal.status is GoalStatus.PAUSED,
            estimate_s=await self._estimate(tx, goal, tasks),
            halted=await self._halted(tx, goal, tasks, ZoneInfo(requester.zone)),
            is_undo=goal.kind is GoalKind.UNDO,
            decides_alone=any(alone for _, alone in steps),
            ran_at_once=await tx.goals.find_run(team_id, goal_id, goal.plan_version) is None
            and not any(step.asked for step, _ in steps),
        )

    def _has_open_write(self, goal: Goal, tasks: Sequence[Task]) -> bool:
        """Whether a goal that has begun has a step that its requester may still change."""
        if goal.status not in CHANGEABLE or goal.kind is not GoalKind.REQUEST:
            return False
        return any(
            can_change(task, tasks, is_proposed=False) and not is_read(task, self._registry)
            for task in tasks
        )

    async def _halted(
        self, tx: Transaction, goal: Goal, tasks: Sequence[Task], zone: ZoneInfo
    ) -> str | None:
        """Return what halts every write, where a step of this goal could run but for it."""
        ready = [task for task in tasks if task.status is TaskStatus.READY]
        if goal.status not in DRIVEN_STATUSES or all(is_read(t, self._registry) for t in ready):
            return None
        return await say_halt(tx, goal.team_id, zone)

    async def _estimate(self, tx: Transaction, goal: Goal, tasks: Sequence[Task]) -> float | None:
        """Return how long what is left takes, where somebody may wait for it."""
        if goal.status in SETTLED or not tasks:
            return None
        medians = await tx.durations.medians({task.action for task in tasks})
        return estimate(tasks, medians, self._registry)

    async def _changes(self, tx: Transaction, goal: Goal, requester: Person) -> tuple[str, ...]:
        if goal.plan_version < 2:  # noqa: PLR2004 -- the first version differs from nothing
            return ()
        before = await tx.goals.find_plan(goal.team_id, goal.id, goal.plan_version - 1)
        after = await tx.goals.find_plan(goal.team_id, goal.id, goal.plan_version)
        if before is None or after is None:
            return ()
        because = after.body.get("shown_because")
        return (
            *([because] if because else []),
            *await self._differences(tx, goal, requester, before, after),
        )

    async def _differences(
        self, tx: Transaction, goal: Goal, requester: Person, before: Plan, after: Plan
    ) -> tuple[str, ...]:
        kind, _, who = after.author.partition(":")
        if kind != "person":
            name = "I"
        else:
            name = "You" if who == goal.requester_id else await person_name(tx, goal.team_id, who)
        return describe_changes(
            before.body,
            after.body,
            name=name,
            registry=self._registry,
            zone=ZoneInfo(requester.zone),
        )

    async def approval(self, tx: Transaction, team_id: str, approval_id: int) -> ApprovalCard:
        """Return an approval's card.

        Raises:
            NotFoundError: when this team has no such approval.
        """
        approval = await tx.approvals.get(team_id, approval_id)
        goal = await tx.goals.get(team_id, approval.goal_id)
        requester = await tx.people.get(team_id, goal.requester_id)
        items = await tx.approvals.list_items(team_id, approval_id)
        first = await tx.calls.get(team_id, items[0].call_id)
        connector = self._registry.stored_connector(first.body["action"].split(".")[0])
        account = ""
        if first.body["connection_id"] is not None:
            connection = await tx.connections.get(team_id, first.body["connection_id"])
            account = connection.account
        return ApprovalCard(
            approval_id=approval.id,
            goal_id=goal.id,
            requester_id=goal.requester_id,
            requester_name=requester.name,
            goal_text=goal.text,
            provider_title=connector.title,
            account=account,
            lines=tuple([await self._line(tx, approval, item) for item in items]),
            people=tuple(approval.ask["people"]),
            why=approval.ask["why"],
            deadline_at=approval.deadline_at,
            zone=await self._zone(tx, approval, requester),
        )

    async def _zone(self, tx: Transaction, approval: Approval, requester: Person) -> ZoneInfo:
        """Return the zone of whoever is asked; of several, the requester's."""
        people = approval.ask["people"]
        asked = await tx.people.find(approval.team_id, people[0]) if len(people) == 1 else None
        return ZoneInfo((asked or requester).zone)

    async def _line(self, tx: Transaction, approval: Approval, item: ApprovalItem) -> ApprovalLine:
        call = await tx.calls.get(item.team_id, item.call_id)
        task = await tx.tasks.find(item.team_id, item.task_id)
        decision = await tx.approvals.find_decision(item.team_id, item.id)
        ran_this = task is not None and task.call_id == item.call_id
        return ApprovalLine(
            item_id=item.id,
            sentence=call.preview["sentence"],
            details=shown_details(call),
            notifies=call.preview["notifies"],
            status=item.status,
            status_reason=item.status_reason,
            decided_by=await person_name(tx, item.team_id, decision.person_id)
            if decision
            else None,
            decided_at=decision.created_at if decision else None,
            reason=decision.reason if decision else None,
            links=self._steps.links(task) if task is not None and ran_this else (),
            task_status=task.status if task is not None and ran_this else None,
            difference=await self._difference(tx, approval, item, call),
        )

    async def _difference(
        self, tx: Transaction, approval: Approval, item: ApprovalItem, call: Call
    ) -> tuple[Detail, ...]:
        """Return what differs from the call that was asked about before, if one was (S18)."""
        earlier = [
            other
            for _, other in await tx.approvals.list_for_goal(approval.team_id, approval.goal_id)
            if other.task_id == item.task_id and other.id < item.id
        ]
        if not earlier:
            return ()
        before = await tx.calls.get(item.team_id, earlier[-1].call_id)
        return differing_details(before.preview, call.preview)

    async def answer(self, tx: Transaction, team_id: str, task_id: int) -> AnswerCard:
        """Return the answer that a task found.

        Raises:
            NotFoundError: when there is no such task or it has no result.
        """
        task = await tx.tasks.get(team_id, task_id)
        await tx.results.load([task])
        if task.result is None:
            raise NotFoundError("answer", task_id)
        result: Mapping[str, Any] = task.result
        call = await tx.calls.get(team_id, task.call_id or 0)
        labels = labels_from_json(call.labels)
        return AnswerCard(
            question=result["question"],
            title=result["title"],
            columns=tuple(result["columns"]),
            rows=tuple(tuple(row) for row in result["rows"]),
            total=result["total"],
            links=tuple(Link(item["text"], item["url"]) for item in result["links"]),
            outside=any(item.label is Label.OUTSIDE for item in labels.values()),
        )

    async def unknown(self, tx: Transaction, team_id: str, task_id: int) -> UnknownCard:
        """Return the card that asks what became of a call whose reply was lost.

        Raises:
            NotFoundError: when this team has no such task.
        """
        task = await tx.tasks.get(team_id, task_id)
        call = await tx.calls.get(team_id, task.call_id or 0)
        goal = await tx.goals.get(team_id, task.goal_id)
        connector = self._registry.stored_connector(task.action.split(".")[0])
        settled = None
        if task.status is not TaskStatus.UNKNOWN:
            settled = (task.failure or {}).get("message") or "It is settled."
        return UnknownCard(
            task_id=task.id,
            goal_id=task.goal_id,
            sentence=call.preview["sentence"],
            details=shown_details(call),
            provider_title=connector.title,
            look_url=connector.manifest.web_url if connector.manifest else None,
            settled=settled,
            can_run_again=goal.status not in SETTLED,
        )
