"""Step queries: read what a goal's card says of each step."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from operator import itemgetter

from pydantic import ValidationError

from approvals.askees import Askees
from approvals.policy import Answer as PolicyAnswer
from bot.engine.cards import BY_RUN, NOBODY, ShownDetail, Step
from bot.engine.forecast import Forecaster
from bot.engine.holds import HELD_UP
from bot.engine.progress import is_read
from bot.engine.rows import children, is_list, list_sentence
from bot.engine.undoing import undo_of
from connectors.actions import Detail, Link, UndoCall
from connectors.labels import Label, Labels, labels_from_json
from connectors.registry import Registry
from storage.database import Transaction
from storage.tables.calls import Call
from storage.tables.goals import Goal, GoalKind, GoalStatus, Task, TaskStatus
from storage.tables.people import Person


class StepQueries:
    """Loads steps: sentences and details come from frozen calls, else from a forecast (S17)."""

    def __init__(self, *, registry: Registry, forecaster: Forecaster) -> None:
        self._registry = registry
        self._forecaster = forecaster

    async def step(
        self,
        tx: Transaction,
        goal: Goal,
        task: Task,
        tasks: Sequence[Task],
        requester: Person,
    ) -> tuple[Step, bool]:
        """Return a step, and whether its requester decides it alone for want of colleagues."""
        if is_list(task) and children(task, tasks):
            # Its rows say what will happen and who is asked.
            return self._list_step(goal, task, tasks), False
        asked, alone = await self._asked(tx, goal, task, tasks, requester)
        problem = _problem(task)
        left = await _left(tx, task)
        if left is not None or task.call_id is not None:
            call = await tx.calls.get(goal.team_id, (left or task).call_id or 0)
            sentence, notifies = call.preview["sentence"], call.preview["notifies"]
            sentence = f"Not undone: {sentence}" if left else sentence
            details = shown_details(call)
        else:
            forecast = await self._forecaster.forecast(tx, goal, task, tasks, requester=requester)
            sentence, notifies = forecast.preview.sentence, forecast.preview.notifies
            sentence = await _undo_sentence(tx, task) or sentence
            if is_list(task):
                sentence = list_sentence(task, tasks, self._registry)
            details = tuple(_shown(item, forecast.labels) for item in forecast.preview.details)
            problem = problem or forecast.problem
        step = Step(
            key=task.key,
            task_id=task.id,
            sentence=sentence,
            details=details,
            status=task.status,
            asked=asked,
            notifies=notifies,
            problem=problem,
            links=self.links(task),
            can_undo=await self._can_undo(tx, goal, task),
            is_read=is_read(task, self._registry),
            changed=goal.plan_version > 1 and task.plan_version == goal.plan_version,
            provider=self._registry.stored_connector(task.action.split(".")[0]).title,
        )
        return step, alone

    def _list_step(self, goal: Goal, task: Task, tasks: Sequence[Task]) -> Step:
        """Return the step that stands for the rows of a list."""
        return Step(
            key=task.key,
            task_id=task.id,
            sentence=list_sentence(task, tasks, self._registry),
            details=(),
            status=task.status,
            asked=None,
            problem=_problem(task),
            is_read=is_read(task, self._registry),
            changed=goal.plan_version > 1 and task.plan_version == goal.plan_version,
            provider=self._registry.stored_connector(task.action.split(".")[0]).title,
        )

    async def _asked(
        self,
        tx: Transaction,
        goal: Goal,
        task: Task,
        tasks: Sequence[Task],
        requester: Person,
    ) -> tuple[str | None, bool]:
        item = await tx.approvals.latest_item(goal.team_id, task.id)
        if item is not None:
            approval = await tx.approvals.get(goal.team_id, item.approval_id)
            people: Sequence[str] = approval.ask["people"]
            return await self._names(tx, goal, people), bool(approval.ask["alone"])
        if goal.status not in (GoalStatus.PROPOSED, GoalStatus.PLANNING):
            return None, False
        forecast = await self._forecaster.forecast(tx, goal, task, tasks, requester=requester)
        if forecast.verdict.answer is not PolicyAnswer.ASK:
            return None, False
        askees = forecast.askees or Askees((), "")
        if forecast.verdict.ask is not None and forecast.verdict.ask.requester:
            return BY_RUN, False
        if not askees.people:
            return NOBODY, False
        return await self._names(tx, goal, askees.people), askees.alone

    async def _names(self, tx: Transaction, goal: Goal, people: Sequence[str]) -> str:
        names = [
            "you"
            if person_id == goal.requester_id
            else await person_name(tx, goal.team_id, person_id)
            for person_id in people
        ]
        return " or ".join(names)

    def links(self, task: Task) -> tuple[Link, ...]:
        """Return where the effect of a task can be seen."""
        action = self._registry.stored_action(task.action)
        if task.result is None or is_read(task, self._registry):
            return ()
        try:
            return action.links(action.result.model_validate(task.result))
        except ValidationError:
            # Another version stored it; the card shows the step without its links.
            return ()

    async def _can_undo(self, tx: Transaction, goal: Goal, task: Task) -> bool:
        if task.status is not TaskStatus.SUCCEEDED or goal.kind is GoalKind.UNDO:
            return False
        if await tx.undos.find_undone(goal.team_id, [task.id]):
            return False
        return isinstance(await undo_of(tx, task, self._registry), UndoCall)


async def _left(tx: Transaction, task: Task) -> Task | None:
    """Return what an undo left as it was without trying; None for any other task."""
    if task.undoes_task_id is None or task.status is not TaskStatus.SKIPPED:
        return None
    return await tx.tasks.get(task.team_id, task.undoes_task_id)


async def _undo_sentence(tx: Transaction, task: Task) -> str | None:
    """Return what an undo is about by the words of what it takes back, before it has its own."""
    if task.undoes_task_id is None:
        return None
    undone = await tx.tasks.get(task.team_id, task.undoes_task_id)
    if undone.call_id is None:
        return None
    call = await tx.calls.get(undone.team_id, undone.call_id)
    return f"Undo: {call.preview['sentence']}"


def with_rows(tasks: Sequence[Task], steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps of a plan, those of a list's rows within the step of the list."""
    of_rows: dict[str, list[tuple[int, Step]]] = defaultdict(list)
    for task, step in zip(tasks, steps, strict=True):
        if task.parent_key is not None:
            of_rows[task.parent_key].append((task.row or 0, step))
    return tuple(
        replace(step, rows=tuple(row for _, row in sorted(of_rows[step.key], key=itemgetter(0))))
        for task, step in zip(tasks, steps, strict=True)
        if task.parent_key is None
    )


def _problem(task: Task) -> str | None:
    """Return what went wrong with a task, or holds it up as long as it waits for another try."""
    failure = task.failure or {}
    if failure.get("code") == HELD_UP and task.status is not TaskStatus.READY:
        return None
    return failure.get("message")


async def person_name(tx: Transaction, team_id: str, person_id: str) -> str:
    """Return what somebody is called; people who left the records are "somebody"."""
    person = await tx.people.find(team_id, person_id)
    return person.name if person else "somebody"


def shown_details(call: Call) -> tuple[ShownDetail, ...]:
    """Return a frozen call's details with the label of the argument that each one shows."""
    labels = labels_from_json(call.labels)
    return tuple(_shown(Detail(**item), labels) for item in call.preview["details"])


def _shown(detail: Detail, labels: Labels) -> ShownDetail:
    """Mark a detail with the least trusted label below the argument that it shows."""
    if detail.pointer is None:
        return ShownDetail(detail)
    below = [
        item
        for pointer, item in labels.items()
        if pointer == detail.pointer or pointer.startswith(f"{detail.pointer}/")
    ]
    if not below:
        return ShownDetail(detail)
    order = list(Label)
    worst = max(below, key=lambda item: order.index(item.label))
    return ShownDetail(detail, worst.label, worst.source)
