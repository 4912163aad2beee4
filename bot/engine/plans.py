"""Plans: adopted from a planner, shown, edited by a person, and run by their requester."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from approvals.decisions import DecisionService
from approvals.policy import BULK_ROWS
from bot.engine.arguments import fill, shown_arguments
from bot.engine.cards import PlanForm, StepForm
from bot.engine.drive import defer_drive
from bot.engine.forecast import Forecaster
from bot.engine.forms import check_arguments, read_values, step_form
from bot.engine.progress import is_read
from bot.engine.questions import ANSWERED, Question
from bot.engine.revisions import OPEN_TASKS, Change, bring
from bot.engine.rows import children, count_rows, is_list, list_sentence
from bot.engine.versions import task_row
from bot.goals.clicks import Answer, Click, FieldErrors
from bot.goals.lifecycle import move_goal
from bot.planning.valid import ValidPlan
from connectors.labels import Labels
from connectors.registry import Registry
from storage import outbox
from storage.database import Database, Transaction
from storage.tables.goals import Goal, GoalStatus, Task, TaskStatus

NOT_YOURS = "Only the person who asked for this can do that."
STALE = "This plan has changed since that message; the newest version is on its card."

_SHOWN = frozenset({GoalStatus.PROPOSED})
CHANGEABLE = _SHOWN | {GoalStatus.RUNNING, GoalStatus.WAITING, GoalStatus.PAUSED}
"""In which a person may change what has not begun."""

_ANSWERABLE = CHANGEABLE | {GoalStatus.PLANNING}
"""In which a question about a value may be open."""

_WORDS = {
    GoalStatus.RECEIVED: "being worked out",
    GoalStatus.PLANNING: "being worked out",
    GoalStatus.ASKING: "waiting for an answer",
    GoalStatus.PROPOSED: "ready to run",
    GoalStatus.FAILED: "not done",
}


async def adopt(
    tx: Transaction,
    goal: Goal,
    plan: ValidPlan,
    *,
    author: str,
    labels: Mapping[str, Labels],
) -> None:
    """Store a goal's first plan and its tasks.

    Args:
        tx: holds the goal's row.
        goal: has no plan yet.
        plan: validated.
        author: `offline`, `model:<name>` or `person:<id>`.
        labels: task key → where each literal came from.
    """
    version = await tx.goals.add_plan(goal, body=plan.to_json(), author=author)
    await tx.tasks.add_many(
        [
            task_row(goal, task, position=position, version=version, labels=labels.get(task.key))
            for position, task in enumerate(plan.tasks)
        ]
    )
    await tx.audit.record(
        team_id=goal.team_id,
        tag="engine:plan:adopt",
        actor="system",
        goal_id=goal.id,
        data={"version": version, "author": author, "actions": [t.action for t in plan.tasks]},
    )


class PlanService:
    """What a requester does with a proposed plan."""

    def __init__(
        self,
        *,
        database: Database,
        registry: Registry,
        forecaster: Forecaster,
        decisions: DecisionService,
    ) -> None:
        self._database = database
        self._registry = registry
        self._forecaster = forecaster
        self._decisions = decisions

    async def run(self, click: Click, goal_id: int, version: int) -> Answer:
        """Start a proposed plan: the click answers for every call that asks the requester."""
        async with self._database.transaction() as tx:
            goal, problem = await self._locked(tx, click, goal_id, version, _SHOWN)
            if problem is not None:
                return problem
            tasks = await tx.tasks.list_(goal.team_id, goal.id)
            await tx.results.load(tasks)
            shown = {task.key: shown_arguments(task, tasks, self._registry) for task in tasks}
            await tx.goals.add_run(goal, version=version, person_id=click.person_id, shown=shown)
            await tx.goals.mark_started(goal)
            await move_goal(tx, goal, to=GoalStatus.RUNNING, actor=click.person_id)
            await defer_drive(tx, goal.team_id, goal.id)
            await outbox.touch(tx, team_id=goal.team_id, noun="goal", subject=goal.id, priority=1)
        return Answer("It is running.")

    async def form(self, click: Click, goal_id: int, version: int) -> PlanForm | Answer:
        """Return the edit form of a proposed plan: its writes with the values on the card."""
        async with self._database.transaction() as tx:
            goal, problem = await self._locked(tx, click, goal_id, version, CHANGEABLE)
            if problem is not None:
                return problem
            tasks = await tx.tasks.list_(goal.team_id, goal.id)
            await tx.results.load(tasks)
            steps = [
                await self._step_form(tx, goal, task, tasks)
                for task in tasks
                if self._may_change(goal, task, tasks)
            ]
        if not steps:
            return Answer("Every step has begun or is over, so there is nothing to edit.", ok=False)
        return PlanForm(goal_id, version, None, tuple(steps))

    async def edit(
        self,
        click: Click,
        goal_id: int,
        version: int,
        dropped: frozenset[str],
        values: Mapping[str, Mapping[str, str]],
    ) -> Answer | FieldErrors:
        """Make the next version of a plan from a person's edit; validated again, shown again."""
        async with self._database.transaction() as tx:
            goal, problem = await self._locked(tx, click, goal_id, version, _ANSWERABLE)
            if problem is not None:
                return problem
            tasks = await tx.tasks.list_(goal.team_id, goal.id)
            await tx.results.load(tasks)
            if goal.status is GoalStatus.PLANNING and not _answers(goal, tasks, dropped, values):
                return Answer(f"This goal is {words(goal.status)} already.", ok=False)
            zone = ZoneInfo((await tx.people.get(goal.team_id, goal.requester_id)).zone)
            dropped = with_rows(tasks, dropped)
            changes, errors = self._read(tasks, dropped, values, zone)
            errors += needed_errors(tasks, dropped)
            errors += self._begun(goal, tasks, dropped | changes.keys())
            if errors:
                return errors
            if dropped and leaves_nothing(tasks, dropped, self._registry):
                return Answer("That leaves nothing to do; use Cancel instead.", ok=False)
            if not dropped and not changes:
                return Answer("Nothing was changed.")
            change = Change(dropped, changes)
            if not dropped and _only_asked(tasks, changes):
                change = replace(change, source=ANSWERED)
            await bring(
                tx, goal, tasks, change, person_id=click.person_id, decisions=self._decisions
            )
            await outbox.touch(tx, team_id=goal.team_id, noun="goal", subject=goal.id, priority=1)
        return Answer("The card shows the new version.")

    def _read(
        self,
        tasks: Sequence[Task],
        dropped: frozenset[str],
        values: Mapping[str, Mapping[str, str]],
        zone: ZoneInfo,
    ) -> tuple[dict[str, dict[str, JsonValue]], FieldErrors]:
        changes: dict[str, dict[str, JsonValue]] = {}
        errors: FieldErrors = ()
        for task in tasks:
            if task.key in dropped or task.key not in values:
                continue
            changed, wrong = read_edit(task, tasks, values[task.key], self._registry, zone)
            errors += wrong
            if changed:
                changes[task.key] = changed
        return changes, errors

    async def _step_form(
        self, tx: Transaction, goal: Goal, task: Task, tasks: Sequence[Task]
    ) -> StepForm:
        requester = await tx.people.get(goal.team_id, goal.requester_id)
        forecast = await self._forecaster.forecast(tx, goal, task, tasks, requester=requester)
        title = forecast.preview.sentence
        if is_list(task):
            title = list_sentence(task, tasks, self._registry)
        is_row = task.parent_key is not None
        if children(task, tasks) or (is_row and count_rows(task, tasks) > BULK_ROWS):
            # A list's values are those of its rows; a modal has no room for those of many.
            return StepForm(task.key, title, can_drop=True, fields=(), is_row=is_row)
        unknown = fill(task, tasks, self._registry).pending
        form = step_form(
            forecast.action,
            key=task.key,
            title=title,
            arguments=forecast.arguments,
            fixed=frozenset(pointer.split("/")[1] for pointer, _ in unknown),
            can_drop=True,
            zone=ZoneInfo(requester.zone),
        )
        return replace(form, is_row=is_row)

    def _may_change(self, goal: Goal, task: Task, tasks: Sequence[Task]) -> bool:
        """Whether a step stands in the form: all writes of a proposed plan, later the open ones."""
        if is_read(task, self._registry):
            return False
        if goal.status is GoalStatus.PROPOSED and children(task, tasks):
            return True
        return can_change(task, tasks, is_proposed=goal.status is GoalStatus.PROPOSED)

    def _begun(self, goal: Goal, tasks: Sequence[Task], keys: Collection[str]) -> FieldErrors:
        """Return an error for each changed step that began since the form was shown."""
        if goal.status is GoalStatus.PROPOSED:
            return ()
        keys = {*keys} - asked_about(tasks)
        return tuple(
            (task.key, "", "This step has begun or is over, so it stays as it is.")
            for task in tasks
            if task.key in keys and task.parent_key is None and task.status not in OPEN_TASKS
        )

    async def _locked(
        self,
        tx: Transaction,
        click: Click,
        goal_id: int,
        version: int,
        statuses: Collection[GoalStatus],
    ) -> tuple[Goal, Answer | None]:
        """Return the goal, locked, and why this click cannot act on it."""
        goal = await tx.goals.lock(click.team_id, goal_id)
        if goal.requester_id != click.person_id:
            return goal, Answer(NOT_YOURS, ok=False)
        if goal.status not in statuses:
            return goal, Answer(f"This goal is {words(goal.status)} already.", ok=False)
        if goal.plan_version != version:
            await outbox.touch(tx, team_id=goal.team_id, noun="goal", subject=goal.id, priority=1)
            return goal, Answer(STALE, ok=False)
        return goal, None


def asked_about(tasks: Sequence[Task]) -> set[str]:
    """Return the steps about whose values their requester is asked now."""
    return {question.step for task in tasks if (question := Question.of(task))}


def _only_asked(tasks: Sequence[Task], changes: Mapping[str, Collection[str]]) -> bool:
    """Whether an edit changes nothing but values that its person is asked for."""
    asked = {
        (question.step, name)
        for task in tasks
        if (question := Question.of(task))
        for name in question.fields
    }
    return asked >= {(key, name) for key, names in changes.items() for name in names}


def _answers(
    goal: Goal,
    tasks: Sequence[Task],
    dropped: frozenset[str],
    values: Mapping[str, Mapping[str, str]],
) -> bool:
    """Whether an edit of a plan that is being worked out only answers a question about it."""
    return goal.deviation is None and not dropped and values.keys() <= asked_about(tasks)


def read_edit(
    task: Task,
    tasks: Sequence[Task],
    values: Mapping[str, str],
    registry: Registry,
    zone: ZoneInfo,
) -> tuple[dict[str, JsonValue], FieldErrors]:
    """Return what a person changed of one task, checked by its argument model."""
    action = registry.stored_action(task.action)
    resolved = fill(task, tasks, registry)
    changed, errors = read_values(
        action, key=task.key, before=resolved.arguments, values=values, zone=zone
    )
    if not errors and changed and not resolved.pending:
        errors = check_arguments(action, key=task.key, arguments={**resolved.arguments, **changed})
    # What is wrong with the values together is said where something was changed.
    last = next(reversed(changed), "")
    return changed, tuple((key, name or last, message) for key, name, message in errors)


def can_change(task: Task, tasks: Sequence[Task], *, is_proposed: bool) -> bool:
    """Whether a step may still be changed: it has not begun, and its rows are not made yet."""
    if is_proposed:
        return task.status is TaskStatus.PENDING
    is_step = task.parent_key is None and task.dropped_in is None and not children(task, tasks)
    return is_step and task.status in OPEN_TASKS


def leaves_nothing(tasks: Sequence[Task], dropped: Collection[str], registry: Registry) -> bool:
    """Whether a plan without these steps would have done nothing, and do nothing, but read."""
    return all(
        is_read(task, registry)
        for task in tasks
        if task.key not in dropped and task.dropped_in is None
    )


def with_rows(tasks: Sequence[Task], dropped: frozenset[str]) -> frozenset[str]:
    """Return what goes with dropped steps: a list's rows with it, and a list with all its rows."""
    rows = {task.key for task in tasks if task.parent_key in dropped}
    dropped = dropped | rows
    emptied = {
        task.key
        for task in tasks
        if (own := children(task, tasks)) and dropped.issuperset(row.key for row in own)
    }
    return dropped | emptied


def needed_errors(tasks: Sequence[Task], dropped: frozenset[str]) -> FieldErrors:
    """Return an error for each dropped step that a remaining one needs."""
    return tuple(
        (key, "", f"Step {task.position + 1} needs this step; drop both or neither.")
        for task in tasks
        if task.key not in dropped
        for key in task.depends_on
        if key in dropped
    )


def words(status: GoalStatus) -> str:
    """Return a status as a person says it."""
    return _WORDS.get(status, status.value.replace("_", " "))
