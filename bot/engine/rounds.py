"""Rounds: when the planner is asked again, with what it may see, and what its answer may add."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from pydantic import JsonValue

from bot.engine.deviations import MAX_REPLANS, NEXT_ROUND, Deviation, Kind, find_deviation
from bot.engine.progress import finish, is_read
from bot.engine.versions import same_call
from bot.goals.lifecycle import ENDED_TASKS, move_goal
from bot.planning.clipping import clip_problem, clip_result
from bot.planning.outcome import LeftTask, PastTask, Progress
from bot.planning.rows import result_model
from bot.planning.valid import REF_KEY, ValidPlan, ValidTask
from connectors.actions import Idempotency
from connectors.registry import Registry
from storage.database import Transaction
from storage.queue import Priority
from storage.repositories.results import is_stored
from storage.tables.goals import Goal, GoalKind, GoalStatus, Plan, Task, TaskStatus

_CHANGED = "(changed their mind while it was under way)"
_WISHED = "The person changed their mind: the last clarification is what they want now."
_EDITED = (
    "An approver changed values of this step, and that stands. Bring the other steps that are left "
    "in line with it where they are not; give back the rest as it is."
)
_AS_EDITED = "A step was edited, so I changed the rest to fit. Look at it before it goes on."
_AS_WISHED = "You asked for a change. Look at the new plan before it goes on."

_NO_ROUND_LEFT = (
    "I looked things up and would have planned the rest from what I found; here I may plan only "
    "once. To go on, ask me in a new message, with what I found."
)

MAX_ROUNDS = 2
"""The first plan, and one that saw its results (PLAN_FORMAT)."""

_STATES = {
    TaskStatus.SUCCEEDED: "done",
    TaskStatus.UNDONE: "undone",
    TaskStatus.FAILED: "failed",
    TaskStatus.DECLINED: "rejected",
    TaskStatus.SKIPPED: "skipped",
    TaskStatus.CANCELLED: "dropped",
    TaskStatus.RUNNING: "running",
    TaskStatus.UNKNOWN: "outcome unknown",
}
_LEFT = frozenset({TaskStatus.PENDING, TaskStatus.NEEDS_APPROVAL, TaskStatus.WAITING})
"""What an answer may still bring in line with an edit."""
_MOVING = frozenset({TaskStatus.READY, TaskStatus.RUNNING})


class Rounds:
    """Sends goals back to the planner: for the next round, or once for each deviation.

    Args:
        registry: what the actions are.
        can_replan: whether the planner can go on with a plan; the offline planner cannot, so its
            goals end at once as they stand.
        max_replans: how many deviations of a goal go to the planner, at most `MAX_REPLANS`.
        max_rounds: how often a goal is planned as it should be, at most `MAX_ROUNDS`.
    """

    def __init__(
        self,
        *,
        registry: Registry,
        can_replan: bool,
        max_replans: int,
        max_rounds: int = MAX_ROUNDS,
    ) -> None:
        self._registry = registry
        self._can_replan = can_replan
        self._max_replans = min(max_replans, MAX_REPLANS)
        self._max_rounds = min(max_rounds, MAX_ROUNDS)

    async def turn(self, tx: Transaction, goal: Goal, tasks: Sequence[Task]) -> bool:
        """Ask the planner again where a goal at rest needs it; whether it does now.

        What runs finishes first, and what other branches can do without the deviation.
        """
        if not self._may_ask(goal) or any(task.status in _MOVING for task in tasks):
            return False
        if await self._is_next_round(tx, goal, tasks):
            if goal.rounds >= self._max_rounds:
                await finish(tx, goal, tasks, self._registry, said=_NO_ROUND_LEFT, is_whole=False)
            else:
                await self._ask(tx, goal, NEXT_ROUND)
            return True
        deviation = find_deviation(tasks)
        return deviation is not None and await self.deviate(tx, goal, deviation)

    async def deviate(self, tx: Transaction, goal: Goal, deviation: Deviation) -> bool:
        """Ask the planner what to do about a deviation; False where it is not asked any more."""
        if not self.may_deviate(goal):
            return False
        await self._ask(tx, goal, deviation)
        return True

    async def wish(self, tx: Transaction, goal: Goal, text: str) -> bool:
        """Ask the planner to fit in what the requester wrote; False where it is not asked any more.

        Not counted among the re-plans: a person decides how often they change their mind, and the
        goal's budgets how much of a model that may use.
        """
        if not self._may_ask(goal):
            return False
        await tx.goals.add_clarification(goal, text, asked=_CHANGED)
        await self._ask(tx, goal, Deviation(Kind.WISH, None, _WISHED))
        return True

    async def fit_edit(self, tx: Transaction, goal: Goal, edited: Task) -> bool:
        """Ask the planner to bring the rest in line with an approver's edit, if any rest is left.

        False where it is not asked: the plan goes on as it is then, with the edit. That is so for
        a paused goal, and for one that is with the planner or its requester already.

        Args:
            tx: holds the goal's row.
            goal: the task's.
            edited: as the approver left it; the planner cannot change it back.
        """
        tasks = await tx.tasks.list_(goal.team_id, goal.id)
        rest = [
            task
            for task in tasks
            if task.status in _LEFT and task.parent_key is None and task.id != edited.id
        ]
        if not rest or edited.parent_key is not None or not _takes_edit(goal):
            return False
        return await self.deviate(tx, goal, Deviation(Kind.EDITED, edited.key, _EDITED))

    def may_deviate(self, goal: Goal) -> bool:
        """Whether the planner would be asked about one more deviation of a goal."""
        return self._may_ask(goal) and goal.replans < self._max_replans

    def _may_ask(self, goal: Goal) -> bool:
        can_go_on = goal.kind is GoalKind.REQUEST and goal.stopped_because is None
        return self._can_replan and can_go_on

    async def _is_next_round(self, tx: Transaction, goal: Goal, tasks: Sequence[Task]) -> bool:
        # The plan of the last round has none after it, whatever it says.
        if goal.rounds >= MAX_ROUNDS or any(task.status not in ENDED_TASKS for task in tasks):
            return False
        plan = await tx.goals.find_plan(goal.team_id, goal.id, goal.plan_version)
        return plan is not None and not plan.body.get("final", True)

    async def _ask(self, tx: Transaction, goal: Goal, deviation: Deviation) -> None:
        is_replan = deviation.kind not in (Kind.NEXT_ROUND, Kind.WISH)
        await tx.goals.set_deviation(
            goal, deviation.to_json(), replans=goal.replans + 1 if is_replan else None
        )
        await tx.audit.record(
            team_id=goal.team_id,
            tag="engine:plan:ask_again",
            actor="system",
            goal_id=goal.id,
            data={"kind": deviation.kind.value, "task": deviation.task, "replans": goal.replans},
        )
        if goal.status is not GoalStatus.PLANNING:
            await move_goal(tx, goal, to=GoalStatus.PLANNING)
        await tx.defer(
            "plan_goal",
            once=str(goal.id),
            priority=Priority.INTERACTIVE,
            team_id=goal.team_id,
            goal_id=goal.id,
        )

    def progress(
        self, goal: Goal, deviation: Deviation, plans: Sequence[Plan], tasks: Sequence[Task]
    ) -> Progress:
        """Return what the planner may see of a goal: no token, no stranger's text."""
        whole = [task for task in tasks if task.parent_key is None]
        shown = [_past(task, self._registry) for task in whole if task.status in _STATES]
        left = [_left(task) for task in whole if task.status not in _STATES]
        is_next_round = deviation.kind is Kind.NEXT_ROUND
        problem = clip_problem(deviation.message)
        if deviation.task is not None:
            problem = f"{deviation.task}: {problem}"
        return Progress(
            problem=None if is_next_round else problem,
            past=[task for task, _ in shown],
            left=left,
            writes=[_short(name) for name in sorted(announced(plans)) if not self._is_read(name)],
            is_last=is_next_round or goal.rounds >= self._max_rounds,
            has_outside=any(outside for _, outside in shown),
        )

    def whole_plan(
        self,
        plan: ValidPlan,
        *,
        deviation: Deviation,
        plans: Sequence[Plan],
        tasks: Sequence[Task],
    ) -> ValidPlan:
        """Return an answer with what is fixed before it, and why it is to be shown, if it is.

        A write that the committed plan did not announce is shown whatever policy says (S6); so is
        every new or changed write of a re-plan. What failed is left out: the plan goes on
        without it.
        """
        kept = [
            ValidTask.from_json(task.spec)
            for task in tasks
            if task.parent_key is None
            and task.dropped_in is None
            and task.status in (TaskStatus.SUCCEEDED, TaskStatus.RUNNING, TaskStatus.UNKNOWN)
        ]
        before = {task.key: ValidTask.from_json(task.spec) for task in tasks}
        if deviation.kind is Kind.EDITED and deviation.task is not None:
            plan = _with(plan, before[deviation.task])
        new = [
            task
            for task in plan.tasks
            if task.key not in before or not same_call(before[task.key], task)
        ]
        return replace(
            plan,
            tasks=(*kept, *plan.tasks),
            writes=tuple(plans[0].body["writes"]) if plans else (),
            shown_because=self._shown_because(new, deviation, announced(plans)),
        )

    def _shown_because(
        self, new: Sequence[ValidTask], deviation: Deviation, known: frozenset[str]
    ) -> str:
        writes = [task for task in new if not self._is_read(task.action)]
        if deviation.kind is Kind.WISH:
            return _AS_WISHED
        if writes and deviation.kind is Kind.EDITED:
            return _AS_EDITED
        unannounced = [task for task in writes if task.action not in known]
        if unannounced:
            summary = self._registry.stored_action(unannounced[0].action).summary.rstrip(".")
            return f"The first plan did not say that I would do this: {_lower(summary)}."
        if writes and deviation.kind is not Kind.NEXT_ROUND:
            return "It did not go as planned, so I changed the plan. Look at it before it goes on."
        return ""

    def _is_read(self, name: str) -> bool:
        return self._registry.stored_action(name).idempotency is Idempotency.READ


def _takes_edit(goal: Goal) -> bool:
    """Whether asking the planner now neither wakes a goal nor replaces what it is asked."""
    if goal.status is GoalStatus.PLANNING:
        return goal.deviation is None
    return goal.status in (GoalStatus.PROPOSED, GoalStatus.RUNNING, GoalStatus.WAITING)


def _with(plan: ValidPlan, fixed: ValidTask) -> ValidPlan:
    """Return a plan with a task as it is, whatever the plan says of it."""
    tasks = tuple(fixed if task.key == fixed.key else task for task in plan.tasks)
    return replace(plan, tasks=tasks if fixed in tasks else (fixed, *tasks))


def announced(plans: Sequence[Plan]) -> frozenset[str]:
    """Return the qualified write and read actions of the committed plan: version 1 and `writes`.

    What a person took out of it since is not announced any more.
    """
    if not plans:
        return frozenset()
    first = plans[0].body
    known = _actions(first) | set(first["writes"])
    for before, after in pairwise(plans):
        if after.author.startswith("person:"):
            known -= _actions(before.body) - _actions(after.body)
    return frozenset(known)


def _actions(body: Mapping[str, Any]) -> set[str]:
    return {task["action"] for task in body["tasks"]}


def _past(task: Task, registry: Registry) -> tuple[PastTask, bool]:
    action = registry.stored_action(task.action)
    has_result = task.status is TaskStatus.SUCCEEDED and task.result is not None
    model = result_model(action.result, is_for_each=task.spec.get("for_each") is not None)
    clipped = None
    if has_result and task.result is not None and not is_stored(task.result):
        clipped = clip_result(task.key, task.result, model)
    message = (task.failure or {}).get("message")
    past = PastTask(
        key=task.key,
        action=_short(task.action),
        arguments=_as_planned(task.spec["arguments"]),
        state=_STATES[task.status],
        result=clipped.value if clipped else None,
        problem=clip_problem(str(message)) if message else None,
        sees=model if has_result and not action.is_removed else None,
        is_read=is_read(task, registry),
    )
    return past, bool(clipped and clipped.has_outside)


def _left(task: Task) -> LeftTask:
    spec = ValidTask.from_json(task.spec)
    name = _short(task.action)
    call: JsonValue = {
        "id": task.key,
        "call": {name: _as_planned(dict(spec.arguments))},
        "after": list(spec.after),
        "for_each": spec.for_each.model_dump(mode="json") if spec.for_each else None,
        "when": spec.when.model_dump(mode="json") if spec.when else None,
        "wait": spec.wait.model_dump(mode="json", by_alias=True) if spec.wait else None,
        "why": spec.why,
    }
    return LeftTask(task.key, call, (name,))


def _as_planned(value: JsonValue) -> JsonValue:
    """Return a stored argument as a plan writes it: references without their mark."""
    if isinstance(value, dict):
        if value.keys() == {REF_KEY}:
            return value[REF_KEY]
        return {key: _as_planned(item) for key, item in value.items()}
    return [_as_planned(item) for item in value] if isinstance(value, list) else value


def _short(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def _lower(text: str) -> str:
    return f"{text[:1].lower()}{text[1:]}"
