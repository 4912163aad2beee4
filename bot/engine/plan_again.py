"""Planning again: a later round's or a re-plan's answer, brought into a goal that has a plan."""

from dataclasses import replace

from approvals.decisions import DecisionService
from bot.engine import progress
from bot.engine.budgets import Budgets
from bot.engine.deviations import MAX_REPLANS, Deviation, Kind
from bot.engine.drive import defer_drive
from bot.engine.loops import is_loop
from bot.engine.rounds import Rounds
from bot.engine.versions import ExpandedListError, NewVersion, apply_version
from bot.goals.lifecycle import move_goal
from bot.planning.outcome import (
    Asked,
    Declined,
    NothingLeft,
    Planned,
    PlanOutcome,
    PlanRequest,
    Progress,
)
from bot.planning.plan import Question
from bot.planning.provenance import MADE_BY_MODEL, label_literals
from bot.planning.valid import ValidPlan
from connectors.labels import Label, Labels, Provenance
from connectors.registry import Registry
from storage import outbox
from storage.database import Transaction
from storage.tables.goals import Goal, GoalStatus

_LOOP = (
    "I would have done the same thing again that did not work, so I stopped here. "
    "Tell me in a new message how to go on."
)
_AGAIN = (
    "It would do again what was done or tried already. If you want that, send it as a new message."
)
_STUCK = "I could not plan how to go on from there. Tell me in a new message what is still to do."
_SAW_OUTSIDE = Provenance(Label.OUTSIDE, "planner, which saw names that strangers wrote")


class PlanAgain:
    """Stores what a planner answers about a goal that has a plan already."""

    def __init__(
        self, *, registry: Registry, decisions: DecisionService, rounds: Rounds, budgets: Budgets
    ) -> None:
        self._registry = registry
        self._decisions = decisions
        self._rounds = rounds
        self._budgets = budgets

    async def progress(self, tx: Transaction, goal: Goal, deviation: Deviation) -> Progress:
        """Return what the planner may see of the goal."""
        tasks = await tx.tasks.list_(goal.team_id, goal.id)
        await tx.results.load(tasks)
        plans = await tx.goals.list_plans(goal.team_id, goal.id)
        seen = self._rounds.progress(goal, deviation, plans, tasks)
        return replace(seen, budget=await self._budgets.near(tx, goal))

    async def store(
        self,
        tx: Transaction,
        goal: Goal,
        deviation: Deviation,
        request: PlanRequest,
        outcome: PlanOutcome,
    ) -> None:
        """Bring the answer into the goal; an answer that is none ends in a partial result."""
        match outcome:
            case Planned(plan, author):
                await self._planned(tx, goal, deviation, request, plan, author)
            case Asked(question):
                await ask(tx, goal, question)
            case NothingLeft(say):
                await self._conclude(tx, goal, deviation, said=say, is_whole=True)
            case Declined(reason):
                await self._conclude(tx, goal, deviation, said=reason)
            case _:
                await self._conclude(tx, goal, deviation, said=_STUCK)

    async def _planned(
        self,
        tx: Transaction,
        goal: Goal,
        deviation: Deviation,
        request: PlanRequest,
        plan: ValidPlan,
        author: str,
    ) -> None:
        tasks = await tx.tasks.list_(goal.team_id, goal.id)
        await tx.results.load(tasks)
        is_wish = deviation.kind is Kind.WISH
        if is_loop(plan, tasks, self._registry):
            said = _AGAIN if is_wish else _LOOP
            await self._conclude(tx, goal, deviation, said=said, reason="loop")
            return
        plans = await tx.goals.list_plans(goal.team_id, goal.id)
        whole = self._rounds.whole_plan(plan, deviation=deviation, plans=plans, tasks=tasks)
        count = len({task.key for task in whole.tasks} | {t.key for t in tasks if not t.parent_key})
        if is_wish and (over := self._budgets.too_many(count)):
            await self._conclude(tx, goal, deviation, said=over, reason="budget")
            return
        if not await self._budgets.cover_tasks(tx, goal, tasks=count):
            return
        new = NewVersion(
            plan=whole,
            author=author,
            labels=literal_labels(plan, request, self._registry),
            reason="its requester changed the plan" if is_wish else "the plan changed",
        )
        try:
            await apply_version(tx, goal, tasks, new, decisions=self._decisions)
        except ExpandedListError:
            await self._conclude(tx, goal, deviation, said=_STUCK)
            return
        if deviation.kind is Kind.NEXT_ROUND:
            await tx.goals.begin_round(goal)
        else:
            await tx.goals.set_deviation(goal, None)
        await defer_drive(tx, goal.team_id, goal.id)

    async def _conclude(
        self,
        tx: Transaction,
        goal: Goal,
        deviation: Deviation,
        *,
        said: str,
        is_whole: bool = False,
        reason: str = "declined",
    ) -> None:
        """Go on without another plan: what is left runs, then the goal ends as it stands.

        A plan that saw no way to its second round is not done, even if nothing failed.
        """
        await tx.audit.record(
            team_id=goal.team_id,
            tag="engine:plan:stay",
            actor="system",
            goal_id=goal.id,
            data={"why": reason, "kind": deviation.kind.value},
        )
        if deviation.kind is Kind.WISH:
            await self.refuse_wish(tx, goal, said)
            return
        await tx.goals.set_deviation(goal, None, replans=MAX_REPLANS)
        await move_goal(tx, goal, to=GoalStatus.RUNNING)
        if deviation.kind is not Kind.NEXT_ROUND:
            await defer_drive(tx, goal.team_id, goal.id)
            return
        await tx.goals.begin_round(goal)
        tasks = await tx.tasks.list_(goal.team_id, goal.id)
        await progress.finish(tx, goal, tasks, self._registry, said=said, is_whole=is_whole)

    async def refuse_wish(self, tx: Transaction, goal: Goal, said: str) -> None:
        """Go on with the plan as it was, judged anew, and tell its requester why."""
        await tx.goals.set_deviation(goal, None)
        await defer_drive(tx, goal.team_id, goal.id)
        await outbox.show(
            tx,
            team_id=goal.team_id,
            noun="note",
            subject=f"wish:{goal.id}:{len(goal.clarifications)}",
            channel_id=goal.channel_id,
            thread_ts=goal.thread_ts,
            data={"text": f"I could not fit that in, so the plan stays as it was. {said}"},
            priority=1,
        )


async def ask(tx: Transaction, goal: Goal, question: Question) -> None:
    """Put a planner's question to the goal's requester."""
    await tx.goals.set_question(goal, {"text": question.text, "choices": list(question.choices)})
    await move_goal(tx, goal, to=GoalStatus.ASKING)


def literal_labels(plan: ValidPlan, request: PlanRequest, registry: Registry) -> dict[str, Labels]:
    """Return where each literal of an answer came from, judged by the requester's own words.

    What a planner added that had seen a stranger's words counts as the stranger's (S3).
    """
    saw = request.progress is not None and request.progress.has_outside
    found: dict[str, Labels] = {}
    for task in plan.tasks:
        labels = label_literals(
            task.arguments,
            action=registry.action(task.action),
            text=request.said,
            now=request.now,
            zone=request.zone,
            people=request.people,
        )
        found[task.key] = {
            at: _SAW_OUTSIDE if saw and item == MADE_BY_MODEL else item
            for at, item in labels.items()
        }
    return found
