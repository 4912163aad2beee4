"""Revisions: a person's change of a plan becomes its next version, before or while it runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pydantic import JsonValue

from approvals.decisions import DecisionService
from bot.engine.again import free_key, repointed
from bot.engine.drive import defer_drive
from bot.engine.questions import Question
from bot.engine.versions import NewVersion, apply_version
from bot.goals.lifecycle import move_goal
from bot.planning.plan import Wait
from bot.planning.valid import ValidPlan, ValidTask
from connectors.labels import Label, Labels, Provenance, labels_from_json, labels_to_json, leaves
from storage.database import Transaction
from storage.tables.goals import Goal, GoalStatus, Task, TaskStatus

OPEN_TASKS = frozenset(
    {
        TaskStatus.PENDING,
        TaskStatus.READY,
        TaskStatus.NEEDS_APPROVAL,
        TaskStatus.NEEDS_CONNECTION,
        TaskStatus.ASKING,
        TaskStatus.WAITING,
    }
)
"""What a person may still change: nothing of it was sent, or what was sent did nothing."""


@dataclass(frozen=True, slots=True)
class Change:
    """An edit of one plan by a person.

    Attributes:
        dropped: the steps that go.
        values: step → the arguments that they typed.
        waits: step → what it waits for instead.
        source: where they typed it, for the cards: "in an edit".
        labels: step → where values came from that they did not type: a model read them (S3).
    """

    dropped: frozenset[str]
    values: Mapping[str, Mapping[str, JsonValue]]
    waits: Mapping[str, Wait] = field(default_factory=dict)
    source: str = "in an edit"
    labels: Mapping[str, Labels] = field(default_factory=dict)

    def labels_of(
        self, key: str, changed: Mapping[str, JsonValue], typed: Provenance
    ) -> dict[str, Provenance]:
        """Return where each leaf of a step's changed arguments came from."""
        told = self.labels.get(key, {})
        return {pointer: told.get(pointer, typed) for pointer, _ in leaves(dict(changed))}


async def bring(
    tx: Transaction,
    goal: Goal,
    tasks: Sequence[Task],
    change: Change,
    *,
    person_id: str,
    decisions: DecisionService,
) -> None:
    """Bring a change into a plan, whether it is only shown yet or has begun; see `apply_change`."""
    touched = change.dropped | change.values.keys()
    questions = ((task.key, question) for task in tasks if (question := Question.of(task)))
    is_asked = any(touched & {key, question.step} for key, question in questions)
    if goal.status is GoalStatus.PROPOSED and not change.waits and not is_asked:
        await revise(tx, goal, tasks, change, person_id=person_id)
        return
    await apply_change(tx, goal, tasks, change, person_id=person_id, decisions=decisions)
    if is_asked and goal.status is GoalStatus.PROPOSED:
        await move_goal(tx, goal, to=GoalStatus.PLANNING, actor=person_id)
    if is_asked and goal.status is GoalStatus.PLANNING:
        await defer_drive(tx, goal.team_id, goal.id)


async def apply_change(
    tx: Transaction,
    goal: Goal,
    tasks: Sequence[Task],
    change: Change,
    *,
    person_id: str,
    decisions: DecisionService,
) -> None:
    """Bring a change into a plan that has begun; what is finished or runs stays as it is.

    Approvals of calls that did not change survive, the others are withdrawn with a word to the
    approver. The goal is judged anew: it is shown where something asks, else it goes on. A paused
    one stays so until it is resumed.

    Args:
        tx: holds the goal's row.
        goal: running, waiting, paused or proposed.
        tasks: all of the goal's, read in this transaction.
        change: names open steps of the plan, no rows; or a finished read, which is then done
            again as a step of its own, for the open ones that needed it.
        person_id: whose wish it is.
        decisions: withdraws approvals.
    """
    person = await tx.people.get(goal.team_id, person_id)
    provenance = Provenance(Label.MESSAGE, f"typed by {person.name} {change.source}")
    steps, labels, renamed = [], {}, dict[str, str]()
    for task in tasks:
        if task.parent_key or task.dropped_in is not None or task.key in change.dropped:
            continue
        spec = ValidTask.from_json(task.spec)
        changed = dict(change.values.get(task.key, {}))
        key = task.key
        if changed and task.status is TaskStatus.SUCCEEDED:
            steps.append(spec)
            key = renamed[task.key] = free_key([*(t.key for t in tasks), *renamed.values()])
        if changed:
            spec = replace(spec, key=key, arguments={**spec.arguments, **changed})
        if task.key in change.waits:
            spec = replace(spec, wait=change.waits[task.key])
        # What began stays as it is, and so do the rows of a list that is known.
        is_open = task.status in OPEN_TASKS and not (
            task.status is TaskStatus.WAITING and spec.for_each
        )
        steps.append(repointed(spec, renamed) if renamed and is_open else spec)
        labels[key] = {
            **labels_from_json(_kept_labels(task, changed)),
            **(change.labels_of(task.key, changed, provenance) if changed else {}),
        }
    plan = await tx.goals.find_plan(goal.team_id, goal.id, goal.plan_version)
    before = ValidPlan.from_json(plan.body) if plan else ValidPlan("", ())
    new = NewVersion(
        plan=replace(before, tasks=tuple(steps), shown_because=""),
        author=f"person:{person_id}",
        labels=labels,
        reason=f"{person.name} changed the plan",
    )
    await apply_version(tx, goal, tasks, new, decisions=decisions, actor=person_id)
    if goal.status in (GoalStatus.RUNNING, GoalStatus.WAITING):
        await move_goal(tx, goal, to=GoalStatus.PLANNING, actor=person_id)
        await defer_drive(tx, goal.team_id, goal.id)


async def revise(
    tx: Transaction, goal: Goal, tasks: Sequence[Task], change: Change, *, person_id: str
) -> None:
    """Store the next plan version and bring the tasks that did not run yet in line with it."""
    person = await tx.people.get(goal.team_id, person_id)
    provenance = Provenance(Label.MESSAGE, f"typed by {person.name} {change.source}")
    kept: dict[str, ValidTask] = {}
    version = goal.plan_version + 1
    for task in tasks:
        if task.key in change.dropped:
            continue
        spec = ValidTask.from_json(task.spec)
        changed = dict(change.values.get(task.key, {}))
        if changed:
            spec = replace(spec, arguments={**spec.arguments, **changed})
            made = labels_to_json(change.labels_of(task.key, changed, provenance))
            labels = {**_kept_labels(task, changed), **made}
            await tx.tasks.update(
                task.team_id,
                task.id,
                spec={**task.spec, **spec.to_json(), "labels": labels},
                plan_version=version,
            )
        kept[task.key] = spec
    plan = await tx.goals.find_plan(goal.team_id, goal.id, goal.plan_version)
    before = ValidPlan.from_json(plan.body) if plan else ValidPlan("", ())
    steps = tuple(kept[task.key] for task in tasks if task.key in kept and not task.parent_key)
    body = replace(before, tasks=steps).to_json() | _rows_of_body(tasks, kept)
    await tx.goals.add_plan(goal, body=body, author=f"person:{person_id}")
    if goal.status in (GoalStatus.RUNNING, GoalStatus.WAITING):
        # Whoever is asked about the changed call sees it; the rest was shown before.
        await tx.goals.mark_started(goal)
    gone = [task.id for task in tasks if task.key in change.dropped]
    if gone:
        await tx.tasks.remove(goal.team_id, gone)
    await tx.audit.record(
        team_id=goal.team_id,
        tag="slack:plan:edit",
        actor=person_id,
        goal_id=goal.id,
        data={
            "version": version,
            "dropped": sorted(change.dropped),
            "changed": {key: sorted(value) for key, value in change.values.items()},
        },
    )


def _rows_of_body(tasks: Sequence[Task], kept: Mapping[str, ValidTask]) -> dict[str, JsonValue]:
    """Return what a plan version says of rows besides its steps: as they were, and as they are.

    The version before it has none where its lists were not known yet when it was made.
    """
    rows = [task for task in tasks if task.parent_key is not None]
    after = [kept[task.key] for task in rows if task.key in kept]
    return {
        "rows_before": [ValidTask.from_json(task.spec).to_json() for task in rows],
        "rows": [spec.to_json() for spec in after],
    }


def _kept_labels(task: Task, changed: Mapping[str, JsonValue]) -> dict[str, dict[str, JsonValue]]:
    """Return a task's stored labels without those of the changed arguments."""
    stored: dict[str, dict[str, JsonValue]] = task.spec.get("labels", {})
    return {at: item for at, item in stored.items() if at.split("/")[1] not in changed}
