"""Undo: taking one effect back is itself a goal of one gated, audited call."""

import uuid

from pydantic import ValidationError

from bot.engine.arguments import arguments_of_task
from bot.engine.drive import defer_drive
from bot.engine.plans import NOT_YOURS, adopt
from bot.goals.clicks import Answer, Click
from bot.planning.valid import ValidPlan, ValidTask
from connectors.actions import Action, UndoCall
from connectors.labels import Label, Provenance, leaves
from connectors.registry import Registry
from storage import outbox
from storage.database import Database, Transaction
from storage.tables.goals import Goal, GoalKind, GoalStatus, Task, TaskStatus


class UndoService:
    """Starts undos. The requester's click is the ask where nobody is notified (policy decides)."""

    def __init__(self, *, database: Database, registry: Registry) -> None:
        self._database = database
        self._registry = registry

    async def undo(self, click: Click, task_id: int) -> Answer:
        """Start taking back what one task did; a second click changes nothing."""
        async with self._database.transaction() as tx:
            task = await tx.tasks.find(click.team_id, task_id)
            if task is None:
                return Answer("I cannot find that step any more.", ok=False)
            goal = await tx.goals.lock(click.team_id, task.goal_id)
            if goal.requester_id != click.person_id:
                return Answer(NOT_YOURS, ok=False)
            undo = await undo_of(tx, task, self._registry)
            if undo is None or task.status is not TaskStatus.SUCCEEDED:
                return Answer("This step cannot be undone (any more).", ok=False)
            started = await self._start(tx, goal, task, undo)
        if not started:
            return Answer("Its undo is under way already.", ok=False)
        return Answer("I am taking it back.")

    async def _start(self, tx: Transaction, goal: Goal, task: Task, undo: UndoCall) -> bool:
        action = self._registry.action(undo.action)
        earlier = await tx.goals.find_undo(goal.team_id, task.id)
        if earlier is not None:
            return False
        call = await tx.calls.get(goal.team_id, task.call_id or 0)
        undo_id = await tx.goals.add(
            team_id=goal.team_id,
            requester_id=goal.requester_id,
            channel_id=goal.channel_id,
            thread_ts=goal.thread_ts,
            source_key=f"undo:{task.id}:{uuid.uuid4().hex}",
            text=f"Undo: {call.preview['sentence']}",
            kind=GoalKind.UNDO,
            status=GoalStatus.RUNNING,
            undo_of_task_id=task.id,
        )
        assert undo_id is not None
        own = await tx.goals.lock(goal.team_id, undo_id)
        source = Provenance(Label.RECORD, f"the result of task {task.id}")
        labels = {"t1": {pointer: source for pointer, _ in leaves(undo.arguments)}}
        plan = ValidPlan(own.text, (_step(action, undo),))
        await adopt(tx, own, plan, author=f"person:{goal.requester_id}", labels=labels)
        await self._expect(tx, own, undo)
        await tx.goals.add_run(
            own, version=1, person_id=goal.requester_id, shown={"t1": undo.arguments}
        )
        await outbox.show(
            tx,
            team_id=own.team_id,
            noun="goal",
            subject=own.id,
            channel_id=own.channel_id,
            thread_ts=own.thread_ts,
            priority=1,
        )
        await outbox.touch(tx, team_id=goal.team_id, noun="summary", subject=goal.id)
        await outbox.touch(tx, team_id=goal.team_id, noun="goal", subject=goal.id)
        await defer_drive(tx, own.team_id, own.id)
        return True

    async def _expect(self, tx: Transaction, own: Goal, undo: UndoCall) -> None:
        if undo.expects is None:
            return
        for task in await tx.tasks.list_(own.team_id, own.id):
            await tx.tasks.update(own.team_id, task.id, spec={**task.spec, "expects": undo.expects})


def _step(action: Action, undo: UndoCall) -> ValidTask:
    return ValidTask(
        key="t1",
        action=action.qualified_name,
        arguments=undo.arguments,
        after=(),
        when=None,
        why="You asked to undo it",
        depends_on=(),
    )


async def undo_of(tx: Transaction, task: Task, registry: Registry) -> UndoCall | None:
    """Return the call that would take a task's effect back, or None where there is none."""
    action = registry.stored_action(task.action)
    if action.undo is None or task.result is None or task.call_id is None:
        return None
    await tx.results.load([task])
    call = await tx.calls.get(task.team_id, task.call_id)
    try:
        arguments, result = arguments_of_task(action, call.body["arguments"], task.result)
    except ValidationError:
        # Another version stored it; what it would take back is not known any more.
        return None
    return action.undo(arguments, result, call.body["precondition"])
