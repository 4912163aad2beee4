"""Answers: what a requester says to a question about a value becomes the plan's next version."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from approvals.decisions import DecisionService
from bot.engine.arguments import fill
from bot.engine.cancelling import cancel_goal
from bot.engine.cards import PlanForm
from bot.engine.forms import step_form, value_text
from bot.engine.plans import CHANGEABLE, NOT_YOURS, read_edit, with_rows
from bot.engine.progress import is_read
from bot.engine.proposed_answers import is_plain_value
from bot.engine.questions import ANSWERED, Question
from bot.engine.replies import leaves_out, read_reply
from bot.engine.revisions import OPEN_TASKS, Change, bring
from bot.goals.clicks import Answer, Click
from connectors.registry import Registry
from storage import outbox
from storage.database import Database, Transaction
from storage.tables.goals import Goal, GoalStatus, Task

_ANSWER = "builtin.answer"
_KNOWN = "I have that answer already; nothing changed."
_BUSY = "I am just working out how to go on. Please answer again in a moment."
_ASKED_BEFORE = "First answer my other question about this goal; then answer this one."
_NOT_USABLE = "I cannot use that: {} Write another value, “leave it out”, or “stop”."


class AnswerService:
    """Takes answers to the questions of `bot.engine.questions`, each once."""

    def __init__(
        self,
        *,
        database: Database,
        registry: Registry,
        decisions: DecisionService,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._registry = registry
        self._decisions = decisions
        self._now = now

    async def choose(self, click: Click, task_id: int, version: int, number: int) -> Answer:
        """Take a clicked choice as the new value."""
        async with self._database.transaction() as tx:
            found = await self._open(tx, click, task_id, version)
            if isinstance(found, Answer):
                return found
            goal, _, question = found
            if number >= len(question.choices):
                return Answer(_KNOWN, ok=False)
            return await self._set(tx, goal, question, question.choices[number])

    async def leave_out(self, click: Click, task_id: int, version: int) -> Answer:
        """Go on without the step that asks, and without what needs it."""
        async with self._database.transaction() as tx:
            found = await self._open(tx, click, task_id, version)
            if isinstance(found, Answer):
                return found
            goal, task, _ = found
            return await self._drop(tx, goal, task)

    async def form(self, click: Click, task_id: int, version: int) -> PlanForm | Answer:
        """Return the inputs for another value; they are saved as any edit of the plan."""
        async with self._database.transaction() as tx:
            found = await self._open(tx, click, task_id, version)
            if isinstance(found, Answer):
                return found
            goal, _, question = found
            tasks = await tx.tasks.list_(goal.team_id, goal.id)
            await tx.results.load(tasks)
            zone = await _zone(tx, goal)
            source = _source(question, tasks)
            resolved = fill(source, tasks, self._registry)
            action = self._registry.stored_action(source.action)
            step = step_form(
                action,
                key=source.key,
                title=question.message,
                arguments=resolved.arguments,
                fixed=frozenset(action.arguments.model_fields) - {*question.fields},
                can_drop=False,
                zone=zone,
            )
        return PlanForm(goal.id, goal.plan_version, None, (replace(step, is_row=False),))

    async def take(self, tx: Transaction, goal: Goal, text: str) -> Answer | None:
        """Take what a requester wrote in the thread as the answer to the oldest open question.

        Returns what to say to it, not ok where it is no value; None where nothing of the goal asks,
        or where the words may be about something else.

        Args:
            tx: holds the goal's row.
            goal: open.
            text: the whole message.
        """
        tasks = await tx.tasks.list_(goal.team_id, goal.id)
        asking = ((task, question) for task in tasks if (question := Question.of(task)))
        task, question = next(asking, (None, None))
        if task is None or question is None:
            return None
        if not _can_change(goal):
            return _not_now(goal)
        if leaves_out(text):
            return await self._drop(tx, goal, task)
        if text.strip() not in question.choices and not is_plain_value(text):
            return None
        return await self._set(tx, goal, question, text)

    async def _open(
        self, tx: Transaction, click: Click, task_id: int, version: int
    ) -> tuple[Goal, Task, Question] | Answer:
        """Return what is asked, with the goal's row held, or why this click cannot answer it."""
        task = await tx.tasks.find(click.team_id, task_id)
        if task is None:
            return Answer("I cannot find that step any more.", ok=False)
        goal = await tx.goals.lock(click.team_id, task.goal_id)
        if goal.requester_id != click.person_id:
            return Answer(NOT_YOURS, ok=False)
        task = await tx.tasks.get(click.team_id, task_id)
        question = Question.of(task)
        if question is None or question.version != version:
            return Answer(_KNOWN, ok=False)
        return (goal, task, question) if _can_change(goal) else _not_now(goal)

    async def _set(self, tx: Transaction, goal: Goal, question: Question, text: str) -> Answer:
        tasks = await tx.tasks.list_(goal.team_id, goal.id)
        await tx.results.load(tasks)
        zone = await _zone(tx, goal)
        name = question.fields[0]
        task = _source(question, tasks)
        action = self._registry.stored_action(task.action)
        before = fill(task, tasks, self._registry).arguments.get(name)
        typed = read_reply(action, name, text, before=before, now=self._now(), zone=zone)
        changed, errors = read_edit(task, tasks, {name: typed}, self._registry, zone)
        if errors:
            return Answer(_NOT_USABLE.format(errors[0][2]), ok=False)
        if not changed:
            return Answer(_NOT_USABLE.format("it is what was refused."), ok=False)
        await self._bring(tx, goal, tasks, Change(frozenset(), {task.key: changed}, {}, ANSWERED))
        shown = value_text(action, name, changed[name], zone)
        return Answer(f"Thanks, I go on with: {shown}")

    async def _drop(self, tx: Transaction, goal: Goal, task: Task) -> Answer:
        tasks = await tx.tasks.list_(goal.team_id, goal.id)
        dropped = with_rows(tasks, _with_followers(task, tasks))
        rest = [task for task in tasks if task.key not in dropped and task.dropped_in is None]
        if all(is_read(task, self._registry) and task.action != _ANSWER for task in rest):
            await cancel_goal(
                tx,
                goal,
                decisions=self._decisions,
                actor=goal.requester_id,
                reason="You left out the step that I asked about, and nothing else was to do.",
            )
            return Answer("Left out. Nothing else was to do, so this is over.")
        await self._bring(tx, goal, tasks, Change(dropped, {}, {}, ANSWERED))
        return Answer("Left out, with what needs it. The rest goes on.")

    async def _bring(
        self, tx: Transaction, goal: Goal, tasks: Sequence[Task], change: Change
    ) -> None:
        await bring(tx, goal, tasks, change, person_id=goal.requester_id, decisions=self._decisions)
        await outbox.touch(tx, team_id=goal.team_id, noun="goal", subject=goal.id, priority=1)


def _can_change(goal: Goal) -> bool:
    """Whether a plan may get a new version now: not while a planner is asked for one."""
    is_looking = goal.status is GoalStatus.PLANNING and goal.deviation is None
    return is_looking or goal.status in CHANGEABLE


def _not_now(goal: Goal) -> Answer:
    """Say why no answer is taken now: another question is open, or a planner thinks."""
    return Answer(_ASKED_BEFORE if goal.status is GoalStatus.ASKING else _BUSY, ok=False)


def _source(question: Question, tasks: Sequence[Task]) -> Task:
    """Return the step whose values a question is about."""
    return next(task for task in tasks if task.key == question.step)


def _with_followers(task: Task, tasks: Sequence[Task]) -> frozenset[str]:
    """Return a step and the open ones that cannot happen without it."""
    dropped = {task.key}
    steps = [t for t in tasks if t.parent_key is None and t.status in OPEN_TASKS]
    while more := {t.key for t in steps if dropped & {*t.depends_on}} - dropped:
        dropped |= more
    return frozenset(dropped)


async def _zone(tx: Transaction, goal: Goal) -> ZoneInfo:
    return ZoneInfo((await tx.people.get(goal.team_id, goal.requester_id)).zone)
