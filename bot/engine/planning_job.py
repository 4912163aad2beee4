"""`plan_goal`: ask the planner about one goal and store what it answers."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from approvals.decisions import DecisionService
from bot.engine.drive import defer_drive
from bot.engine.goals import cancel_goal
from bot.engine.plans import adopt
from bot.goals.lifecycle import move_goal
from bot.planning.outcome import (
    Asked,
    CancelRequested,
    Clarification,
    Declined,
    Planned,
    Planner,
    PlanOutcome,
    PlanRequest,
    SmallTalk,
)
from bot.planning.parse.addresses import Colleague
from bot.planning.provenance import label_literals
from bot.planning.valid import ValidPlan
from connectors.labels import Labels
from connectors.registry import Registry
from storage import outbox
from storage.database import Database, Transaction
from storage.tables.goals import Goal, GoalStatus
from storage.tables.people import Person


class PlanningJob:
    """Plans goals. Running it twice for one goal stores one plan."""

    def __init__(
        self,
        *,
        database: Database,
        planner: Planner,
        registry: Registry,
        decisions: DecisionService,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._planner = planner
        self._registry = registry
        self._decisions = decisions
        self._now = now

    async def plan_goal(self, team_id: str, goal_id: int) -> None:
        """Ask the planner, outside of any transaction, and store its answer."""
        begun = await self._begin(team_id, goal_id)
        if begun is None:
            return
        request, requester = begun
        outcome = await self._planner.plan(request)
        async with self._database.transaction() as tx:
            goal = await tx.goals.lock(team_id, goal_id)
            if goal.status is not GoalStatus.PLANNING or goal.plan_version > 0:
                return
            await self._store(tx, goal, requester, request, outcome)
            await outbox.touch(tx, team_id=team_id, noun="goal", subject=goal_id, priority=2)

    async def _begin(self, team_id: str, goal_id: int) -> tuple[PlanRequest, Person] | None:
        async with self._database.transaction() as tx:
            goal = await tx.goals.lock(team_id, goal_id)
            if goal.status is GoalStatus.RECEIVED:
                await move_goal(tx, goal, to=GoalStatus.PLANNING)
            if goal.status is not GoalStatus.PLANNING or goal.plan_version > 0:
                return None
            requester = await tx.people.get(team_id, goal.requester_id)
            people = await tx.people.list_active(team_id)
        clarifications: list[dict[str, Any]] = goal.clarifications
        request = PlanRequest(
            text=goal.text,
            zone=ZoneInfo(requester.zone),
            now=self._now(),
            person_name=requester.name,
            team_id=team_id,
            goal_id=goal_id,
            people=[
                Colleague(person.person_id, person.name, person.email)
                for person in people
                if person.email and not person.is_bot
            ],
            clarifications=[
                Clarification(item["question"], item["answer"]) for item in clarifications
            ],
        )
        return request, requester

    async def _store(
        self,
        tx: Transaction,
        goal: Goal,
        requester: Person,
        request: PlanRequest,
        outcome: PlanOutcome,
    ) -> None:
        match outcome:
            case Planned(plan, author):
                await adopt(tx, goal, plan, author=author, labels=self._labels(plan, request))
                await defer_drive(tx, goal.team_id, goal.id)
            case Asked(question):
                await tx.goals.set_question(
                    goal, {"text": question.text, "choices": list(question.choices)}
                )
                await move_goal(tx, goal, to=GoalStatus.ASKING)
            case Declined(reason, examples):
                await move_goal(
                    tx, goal, to=GoalStatus.FAILED, reason=_with_examples(reason, examples)
                )
            case SmallTalk():
                await move_goal(
                    tx, goal, to=GoalStatus.CANCELLED, reason="There was no task in it."
                )
            case CancelRequested():
                await cancel_goal(
                    tx,
                    goal,
                    decisions=self._decisions,
                    actor=requester.person_id,
                    reason="You cancelled it.",
                )

    def _labels(self, plan: ValidPlan, request: PlanRequest) -> dict[str, Labels]:
        """Return where each literal of a plan came from, judged by the requester's own words."""
        return {
            task.key: label_literals(
                task.arguments,
                action=self._registry.action(task.action),
                text=request.said,
                now=request.now,
                zone=request.zone,
                people=request.people,
            )
            for task in plan.tasks
        }


def _with_examples(reason: str, examples: tuple[str, ...]) -> str:
    if not examples:
        return reason
    lines = "\n".join(f"• {example}" for example in examples[:5])
    return f"{reason}\nThings I understand:\n{lines}"
