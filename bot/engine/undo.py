"""Undo: taking effects back is itself a goal, whose every call is gated and audited as any other.

An undo is not undone in its turn: its goal offers none. Whoever wants the thing again asks again.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.engine.drive import defer_drive
from bot.engine.plans import NOT_YOURS
from bot.engine.undoing import Effect, effects_of
from bot.engine.undone import LEFT
from bot.engine.versions import task_row
from bot.goals.clicks import Answer, Click
from bot.goals.lifecycle import SETTLED, move_task
from bot.planning.valid import ValidPlan, ValidTask
from connectors.actions import UndoCall
from connectors.labels import Label, Provenance, leaves
from connectors.registry import Registry
from storage import outbox
from storage.database import Database, Transaction
from storage.tables.goals import Goal, GoalKind, GoalStatus, TaskStatus

_GONE = "I cannot find that any more."
_OPEN = "This is still going on. Cancel it first; then undo what it did."
_NOTHING = "There is nothing here that can be undone (any more)."
_NO_STEP = "This step cannot be undone (any more)."


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
                return Answer(_GONE, ok=False)
            goal = await tx.goals.lock(click.team_id, task.goal_id)
            problem = _not_allowed(goal, click.person_id)
            if problem is not None:
                return problem
            tasks = await tx.tasks.list_(goal.team_id, goal.id)
            found = await effects_of(tx, tasks, self._registry)
            chosen = next((item for item in found if item.task.id == task_id), None)
            if chosen is None:
                return Answer(_NO_STEP, ok=False)
            if not isinstance(chosen.undo, UndoCall):
                return Answer(f"{_NO_STEP} {chosen.undo}", ok=False)
            sentence = await _sentence(tx, chosen)
            alone = replace(chosen, above=frozenset())
            await self._start(tx, goal, [alone], text=f"Undo: {sentence}")
        return Answer("I am taking it back.")

    async def undo_goal(self, click: Click, goal_id: int) -> Answer:
        """Start taking back everything that a goal did; a second click changes nothing."""
        async with self._database.transaction() as tx:
            if await tx.goals.find(click.team_id, goal_id) is None:
                return Answer(_GONE, ok=False)
            goal = await tx.goals.lock(click.team_id, goal_id)
            return await self.undo_locked(tx, goal, person_id=click.person_id)

    async def undo_locked(self, tx: Transaction, goal: Goal, *, person_id: str) -> Answer:
        """Do the same in a transaction that holds the goal's row.

        What cannot be taken back stands on the undo's card with its reason, and so does what that
        was built on: it stays.
        """
        problem = _not_allowed(goal, person_id)
        if problem is not None:
            return problem
        if goal.status not in SETTLED:
            return Answer(_OPEN, ok=False)
        tasks = await tx.tasks.list_(goal.team_id, goal.id)
        found = await effects_of(tx, tasks, self._registry)
        able = sum(isinstance(item.undo, UndoCall) for item in found)
        if not able:
            reasons = dict.fromkeys(str(item.undo) for item in found)
            return Answer(" ".join([_NOTHING, *list(reasons)[:2]]), ok=False)
        await self._start(tx, goal, found, text=f"Undo all of: {goal.text}")
        count = "one step" if able == 1 else f"{able} steps"
        return Answer(f"I am taking back {count}; the card says what became of each.")

    async def _start(
        self, tx: Transaction, goal: Goal, effects: Sequence[Effect], *, text: str
    ) -> None:
        """Store the undo's goal, its plan and the requester's click, and wake it."""
        undo_id = await tx.goals.add(
            team_id=goal.team_id,
            requester_id=goal.requester_id,
            channel_id=goal.channel_id,
            thread_ts=goal.thread_ts,
            source_key=f"undo:{goal.id}:{uuid.uuid4().hex}",
            text=text,
            kind=GoalKind.UNDO,
            status=GoalStatus.RUNNING,
        )
        assert undo_id is not None
        own = await tx.goals.lock(goal.team_id, undo_id)
        shown = await self._plan(tx, own, effects)
        await tx.audit.record(
            team_id=goal.team_id,
            tag="slack:goal:undo",
            actor=goal.requester_id,
            goal_id=own.id,
            data={"of": goal.id, "tasks": [item.task.key for item in effects]},
        )
        await tx.goals.add_run(own, version=1, person_id=goal.requester_id, shown=shown)
        await tx.goals.mark_started(own)
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

    async def _plan(self, tx: Transaction, own: Goal, effects: Sequence[Effect]) -> dict[str, Any]:
        """Store the undo's plan: one task for each effect, the newest first; return its values.

        One starts when the one before it has ended, however it ended, and only if everything that
        was built on its effect is gone.
        """
        keys = {item.task.key: f"t{number}" for number, item in enumerate(effects, start=1)}
        steps = [await self._step(tx, item, keys) for item in effects]
        version = await tx.goals.add_plan(
            own,
            body=ValidPlan(own.text, tuple(steps)).to_json(),
            author=f"person:{own.requester_id}",
        )
        rows, before = [], None
        for position, (item, step) in enumerate(zip(effects, steps, strict=True)):
            row = _row(own, item, step, position=position, version=version, before=before)
            rows.append(row)
            before = step.key if isinstance(item.undo, UndoCall) else before
        await tx.tasks.add_many(rows)
        stored = {task.key: task for task in await tx.tasks.list_(own.team_id, own.id)}
        for item, step in zip(effects, steps, strict=True):
            if not isinstance(item.undo, UndoCall):
                failure = {"code": LEFT, "message": item.undo}
                await move_task(tx, stored[step.key], to=TaskStatus.SKIPPED, failure=failure)
        return {
            step.key: step.arguments
            for item, step in zip(effects, steps, strict=True)
            if isinstance(item.undo, UndoCall)
        }

    async def _step(self, tx: Transaction, item: Effect, keys: Mapping[str, str]) -> ValidTask:
        """Return the call that takes an effect back; where there is none, the call that made it."""
        if isinstance(item.undo, UndoCall):
            action = self._registry.action(item.undo.action).qualified_name
            arguments = item.undo.arguments
        else:
            action = item.task.action
            call = await tx.calls.get(item.task.team_id, item.task.call_id or 0)
            arguments = call.body["arguments"]
        return ValidTask(
            key=keys[item.task.key],
            action=action,
            arguments=arguments,
            after=(),
            when=None,
            why="You asked to undo it",
            depends_on=tuple(sorted(keys[key] for key in item.above if key in keys)),
        )


def _row(
    own: Goal, item: Effect, step: ValidTask, *, position: int, version: int, before: str | None
) -> dict[str, Any]:
    """Return a task of an undo as it is stored."""
    source = Provenance(Label.RECORD, f"the result of task {item.task.id}")
    labels = {pointer: source for pointer, _ in leaves(step.arguments)}
    row = task_row(own, step, position=position, version=version, labels=labels)
    is_tried = isinstance(item.undo, UndoCall)
    expects = item.undo.expects if isinstance(item.undo, UndoCall) else None
    more = {"expects": expects, "follows": [before] if before and is_tried else []}
    return {
        **row,
        "spec": {**row["spec"], **more},
        "undoes_task_id": item.task.id,
    }


def _not_allowed(goal: Goal, person_id: str) -> Answer | None:
    if goal.requester_id != person_id:
        return Answer(NOT_YOURS, ok=False)
    if goal.kind is GoalKind.UNDO:
        return Answer("An undo is not undone: ask me for it anew.", ok=False)
    return None


async def _sentence(tx: Transaction, item: Effect) -> str:
    call = await tx.calls.get(item.task.team_id, item.task.call_id or 0)
    return str(call.preview["sentence"])
