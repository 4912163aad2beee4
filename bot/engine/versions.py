"""Plan versions: the tasks of a goal brought in line with a new version of its plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from approvals.decisions import DecisionService
from bot.engine.asks import ask_human
from bot.engine.doubt import is_in_doubt
from bot.goals.lifecycle import ENDED_TASKS, move_task
from bot.planning.valid import ValidPlan, ValidTask
from connectors.labels import Labels, labels_to_json
from storage import outbox
from storage.database import Transaction
from storage.tables.goals import Goal, Task, TaskStatus

_FIXED = ENDED_TASKS | {TaskStatus.RUNNING, TaskStatus.UNKNOWN}
"""What happened or may be happening: no new version changes it."""

_UNTOUCHED = frozenset({TaskStatus.PENDING, TaskStatus.READY})


class ExpandedListError(Exception):
    """A list whose rows were made already can only stay as it is or be left out."""


@dataclass(frozen=True, slots=True)
class NewVersion:
    """The next version of a goal's plan.

    Attributes:
        plan: the whole of it, in order: what is finished or runs stands in it unchanged.
        author: `offline`, `model:<name>` or `person:<id>`.
        labels: task key → where each literal came from, for the new and the changed tasks.
        reason: why approvals of what changed are withdrawn, in words for the approver
            ("Dana changed the plan").
    """

    plan: ValidPlan
    author: str
    labels: Mapping[str, Labels]
    reason: str


async def apply_version(
    tx: Transaction,
    goal: Goal,
    tasks: Sequence[Task],
    new: NewVersion,
    *,
    decisions: DecisionService,
    actor: str = "system",
) -> int:
    """Store a plan's next version, bring the goal's tasks in line with it; return its number.

    - What ended, runs or is `unknown` stays as it is. A version that leaves it out goes on
      without it: `dropped_in` says so, and it does not count in how the goal ends.
    - A task whose action, arguments, condition, list and dependencies are the same stays where it
      is, and so does its approval.
    - A changed task goes back to pending; its approval is withdrawn with a word to the approver.
    - A task that is left out is cancelled, its approval withdrawn, and its rows go with it.
    - A task that is new is added.
    - A changed or dropped task whose earlier try may have worked is put to a human.

    It does not judge the plan (the validator does), does not move the goal, and defers nothing:
    the caller holds the goal's row, says where the goal goes next, and nudges it.

    Raises:
        ExpandedListError: a list whose rows exist already is changed; give it another key.

    Args:
        tx: holds the goal's row.
        goal: has a plan.
        tasks: all of the goal's, read in this transaction.
        new: the version, and who made it.
        decisions: withdraws approvals.
        actor: the person whose wish it is, or `system`.
    """
    by_key = {task.key: task for task in tasks}
    for spec in new.plan.tasks:
        _refuse_changed_list(by_key.get(spec.key), spec)
    version = await tx.goals.add_plan(goal, body=new.plan.to_json(), author=new.author)
    change = _Change(tx, goal, version, new, decisions, actor)
    for position, spec in enumerate(new.plan.tasks):
        row = by_key.get(spec.key)
        if row is not None:
            await change.keep(row, spec, position=position)
    added = [
        task_row(goal, spec, position=position, version=version, labels=new.labels.get(spec.key))
        for position, spec in enumerate(new.plan.tasks)
        if spec.key not in by_key
    ]
    await tx.tasks.add_many(added)
    await change.drop(tasks)
    await tx.audit.record(
        team_id=goal.team_id,
        tag="engine:plan:revise",
        actor=actor,
        goal_id=goal.id,
        data={
            "version": version,
            "author": new.author,
            "added": [row["key"] for row in added],
            "changed": change.changed,
            "dropped": change.dropped,
        },
    )
    return version


def _refuse_changed_list(task: Task | None, spec: ValidTask) -> None:
    """Refuse before anything is written: rows that exist belong to the list as it was."""
    if task is None or task.status is not TaskStatus.WAITING or not task.spec.get("for_each"):
        return
    if not same_call(ValidTask.from_json(task.spec), spec):
        raise ExpandedListError(task.key)


class _Change:
    """One new version on its way into the tasks."""

    def __init__(
        self,
        tx: Transaction,
        goal: Goal,
        version: int,
        new: NewVersion,
        decisions: DecisionService,
        actor: str,
    ) -> None:
        self._tx = tx
        self._goal = goal
        self._version = version
        self._new = new
        self._decisions = decisions
        self._actor = actor
        self.changed: list[str] = []
        self.dropped: list[str] = []

    async def keep(self, task: Task, spec: ValidTask, *, position: int) -> None:
        """Keep a task of the version before: as it is, or changed where it did not run yet."""
        values: dict[str, Any] = {}
        if task.position != position:
            values["position"] = position
        if task.status not in _FIXED and not same_call(ValidTask.from_json(task.spec), spec):
            await self._withdraw(task)
            if await self._is_put_to_human(task):
                return
            self.changed.append(task.key)
            await self._stop_waiting(task)
            if task.status is not TaskStatus.PENDING:
                await move_task(
                    self._tx, task, to=TaskStatus.PENDING, actor=self._actor, not_before=None
                )
            labels = labels_to_json(self._new.labels.get(task.key, {}))
            values |= {
                "spec": {**spec.to_json(), "labels": labels},
                "depends_on": list(spec.depends_on),
                "action": spec.action,
                "plan_version": self._version,
                "call_id": None,
                "failure": None,
                "tries": 0,
            }
        if values:
            await self._tx.tasks.update(task.team_id, task.id, **values)

    async def drop(self, tasks: Sequence[Task]) -> None:
        """Go on without what the plan leaves out; what runs of it finishes."""
        keys = {task.key for task in self._new.plan.tasks}
        behind = len(keys)
        for task in tasks:
            stays = (task.parent_key or task.key) in keys
            if stays or task.dropped_in is not None:
                continue
            self.dropped.append(task.key)
            if task.status not in _FIXED:
                await self._withdraw(task)
                await self._stop_waiting(task)
                if not await self._is_put_to_human(task):
                    await move_task(self._tx, task, to=TaskStatus.CANCELLED, actor=self._actor)
            await self._tx.tasks.update(
                task.team_id, task.id, dropped_in=self._version, position=behind + task.position
            )

    async def _is_put_to_human(self, task: Task) -> bool:
        """Whether an earlier try may have worked: then only a human can say what became of it."""
        if task.status is TaskStatus.PENDING or not await is_in_doubt(self._tx, task):
            return False
        attempt = await self._tx.calls.latest_attempt(task.team_id, task.id)
        if attempt is not None:
            await self._tx.calls.mark_unknown(team_id=attempt.team_id, attempt_id=attempt.id)
        await ask_human(self._tx, self._goal, task, "The plan changed after its answer was lost.")
        return True

    async def _stop_waiting(self, task: Task) -> None:
        if task.status is TaskStatus.WAITING:
            await self._tx.waits.cancel(task.team_id, task.id)

    async def _withdraw(self, task: Task) -> None:
        if task.status in _UNTOUCHED and task.call_id is None:
            return
        item = await self._tx.approvals.latest_item(task.team_id, task.id)
        if item is None or not await self._decisions.withdraw(
            self._tx, item, reason=self._new.reason
        ):
            return
        approval = await self._tx.approvals.get(item.team_id, item.approval_id)
        await outbox.touch(
            self._tx, team_id=item.team_id, noun="approval", subject=approval.id, priority=2
        )
        for person_id in approval.ask["people"]:
            await outbox.touch(self._tx, team_id=item.team_id, noun="home", subject=person_id)


def same_call(before: ValidTask, after: ValidTask) -> bool:
    """Whether two tasks make the same call at the same point; their words may differ."""
    return (
        before.action == after.action
        and before.arguments == after.arguments
        and before.when == after.when
        and before.for_each == after.for_each
        and before.wait == after.wait
        and set(before.depends_on) == set(after.depends_on)
    )


def task_row(
    goal: Goal, task: ValidTask, *, position: int, version: int, labels: Labels | None
) -> dict[str, Any]:
    """Return a task of a plan as it is stored before anything of it ran."""
    return {
        "team_id": goal.team_id,
        "goal_id": goal.id,
        "key": task.key,
        "position": position,
        "plan_version": version,
        "action": task.action,
        "spec": {**task.to_json(), "labels": labels_to_json(labels or {})},
        "depends_on": list(task.depends_on),
        "status": TaskStatus.PENDING,
        "tries": 0,
    }
