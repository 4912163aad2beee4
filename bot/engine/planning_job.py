"""`plan_goal`: ask the planner about one goal and store what it answers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from approvals.decisions import DecisionService
from bot.engine.budgets import Budgets
from bot.engine.cancelling import cancel_goal
from bot.engine.deviations import Deviation, Kind
from bot.engine.drive import defer_drive
from bot.engine.plan_again import PlanAgain, ask, literal_labels
from bot.engine.plans import adopt
from bot.engine.rounds import Rounds
from bot.engine.thinking import think
from bot.goals.lifecycle import move_goal
from bot.planning.outcome import (
    Asked,
    CancelRequested,
    Clarification,
    Declined,
    NothingLeft,
    Planned,
    Planner,
    PlanOutcome,
    PlanRequest,
    SmallTalk,
)
from bot.planning.parse.addresses import Colleague
from connectors.registry import Registry
from storage import outbox
from storage.database import Database, Transaction
from storage.tables.goals import Goal, GoalStatus


@dataclass(frozen=True, slots=True)
class _Begun:
    """A goal as it was when its planner was asked; a changed one drops the answer."""

    request: PlanRequest
    requester_id: str
    version: int
    deviation: Deviation | None

    def is_still(self, goal: Goal) -> bool:
        return (
            goal.status is GoalStatus.PLANNING
            and goal.plan_version == self.version
            and goal.deviation == (self.deviation.to_json() if self.deviation else None)
            and len(goal.clarifications) == len(self.request.clarifications)
        )


class PlanningJob:
    """Plans goals. Running it twice for one goal stores one plan."""

    def __init__(
        self,
        *,
        database: Database,
        planner: Planner,
        registry: Registry,
        decisions: DecisionService,
        rounds: Rounds,
        budgets: Budgets,
        now: Callable[[], datetime],
        stale_s: float,
    ) -> None:
        self._database = database
        self._planner = planner
        self._registry = registry
        self._decisions = decisions
        self._budgets = budgets
        self._now = now
        self._stale_s = stale_s
        self._again = PlanAgain(
            registry=registry, decisions=decisions, rounds=rounds, budgets=budgets
        )

    async def plan_goal(self, team_id: str, goal_id: int) -> None:
        """Ask the planner, outside of any transaction, and store its answer."""
        begun = await self._begin(team_id, goal_id)
        if begun is None:
            return
        outcome = await think(
            self._planner.plan(begun.request),
            self._database,
            team_id=team_id,
            goal_id=goal_id,
            stale_s=self._stale_s,
        )
        async with self._database.transaction() as tx:
            goal = await tx.goals.lock(team_id, goal_id)
            if not begun.is_still(goal):
                return
            if begun.deviation is None:
                await self._store(tx, goal, begun, outcome)
            else:
                await self._again.store(tx, goal, begun.deviation, begun.request, outcome)
            await outbox.touch(tx, team_id=team_id, noun="goal", subject=goal_id, priority=2)

    async def _begin(self, team_id: str, goal_id: int) -> _Begun | None:
        async with self._database.transaction() as tx:
            goal = await tx.goals.lock(team_id, goal_id)
            if goal.status is GoalStatus.RECEIVED:
                await move_goal(tx, goal, to=GoalStatus.PLANNING)
            if goal.status is not GoalStatus.PLANNING:
                return None
            if goal.plan_version > 0 and goal.deviation is None:
                return None
            deviation = Deviation.from_json(goal.deviation) if goal.deviation else None
            if not await self._may_ask(tx, goal, deviation):
                return None
            requester = await tx.people.get(team_id, goal.requester_id)
            people = await tx.people.list_active(team_id)
            progress = await self._again.progress(tx, goal, deviation) if deviation else None
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
            progress=progress,
        )
        return _Begun(request, goal.requester_id, goal.plan_version, deviation)

    async def _may_ask(self, tx: Transaction, goal: Goal, deviation: Deviation | None) -> bool:
        """Whether the budgets let the planner be asked; where not, the goal ends.

        A goal that somebody only wants more of goes on as it was.
        """
        if deviation is None or deviation.kind is not Kind.WISH:
            return await self._budgets.cover_request(tx, goal)
        spent = await self._budgets.spent(tx, goal)
        if spent is None:
            return True
        await self._again.refuse_wish(tx, goal, spent)
        await outbox.touch(tx, team_id=goal.team_id, noun="goal", subject=goal.id, priority=2)
        return False

    async def _store(
        self,
        tx: Transaction,
        goal: Goal,
        begun: _Begun,
        outcome: PlanOutcome,
    ) -> None:
        match outcome:
            case Planned(plan, author):
                labels = literal_labels(plan, begun.request, self._registry)
                await adopt(tx, goal, plan, author=author, labels=labels)
                await tx.goals.begin_round(goal)
                await defer_drive(tx, goal.team_id, goal.id)
            case Asked(question):
                await ask(tx, goal, question)
            case NothingLeft(reason):
                await move_goal(tx, goal, to=GoalStatus.FAILED, reason=reason)
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
                    actor=begun.requester_id,
                    reason="You cancelled it.",
                )


def _with_examples(reason: str, examples: tuple[str, ...]) -> str:
    if not examples:
        return reason
    lines = "\n".join(f"• {example}" for example in examples[:5])
    return f"{reason}\nThings I understand:\n{lines}"
