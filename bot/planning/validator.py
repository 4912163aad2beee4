"""The guard between a planner and the engine: a plan is valid, a question, or names its flaws.

The effect, the approval and the provenance of a task come from the registry and the engine,
never from the plan.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import JsonValue, ValidationError

from bot.planning.arguments import check_arguments
from bot.planning.errors import Flaw, PlanFlaw
from bot.planning.fitting import Declared, Undeclared, declared_at
from bot.planning.outcome import PastTask, Progress
from bot.planning.plan import EACH, Plan, PlannedTask, Question, Ref, WaitEvent, WaitUntil
from bot.planning.rows import result_model
from bot.planning.shapes import Kind
from bot.planning.valid import ValidPlan, ValidTask, references
from bot.planning.waits import WaitFlawError, check_wait
from connectors.actions import Action, Idempotency, Result
from connectors.calls import CanonicalJsonError, parse_strict
from connectors.errors import UnknownActionError
from connectors.registry import Registry

MAX_TASKS = 15
MAX_PLAN_CHARACTERS = 60_000
ANSWER = "answer"
"""The built-in that ends a goal of reads; see `bot.builtins`."""

_MAX_FLAWS = 12


@dataclass(frozen=True, slots=True)
class Invalid:
    """A refused plan: what to mend, in the order of the checks; at most a dozen."""

    flaws: tuple[Flaw, ...]


Verdict = ValidPlan | Question | Invalid


@dataclass(frozen=True, slots=True)
class Validator:
    """Checks plans against the actions of a registry that were offered to the planner."""

    registry: Registry
    offered: Collection[str] | None = None
    """Short names; None offers every planned action."""
    now: datetime | None = None
    """Moments that lie too far after it are refused; None checks only lengths of time."""
    progress: Progress | None = None
    """What is fixed already, in a later round or a re-plan."""

    def validate_text(self, text: str) -> Verdict:
        """Return the verdict on a plan as JSON text. Never raises for what the text says."""
        if len(text) > MAX_PLAN_CHARACTERS:
            return _refuse(PlanFlaw.JSON, "the plan is too long")
        try:
            return self.validate(parse_strict(text))
        except CanonicalJsonError as error:
            return _refuse(PlanFlaw.JSON, f"{error}; answer with one JSON object and nothing else")

    def validate(self, data: JsonValue) -> Verdict:
        """Return the verdict on a plan as JSON data. Never raises for what the data says."""
        try:
            plan = Plan.model_validate(data)
        except ValidationError as error:
            return _clip(_schema_flaws(error))
        except RecursionError:
            return _refuse(PlanFlaw.JSON, "the plan is nested too deeply")
        return self.validate_plan(plan)

    def validate_plan(self, plan: Plan) -> Verdict:
        """Return the verdict on a parsed plan."""
        if plan.question is not None:
            if plan.question.text.strip():
                return plan.question
            return _refuse(PlanFlaw.SCHEMA, "the question has no text", field="question")
        flaws = [*_structure_flaws(plan, self._past), *self._action_flaws(plan)]
        if flaws:
            return _clip(flaws)
        return self._check(plan)

    def _check(self, plan: Plan) -> Verdict:
        run = _Check(
            plan=plan,
            actions={task.id: self._action(task) for task in plan.tasks},
            registry=self.registry,
            now=self.now,
            fixed=self._fixed(),
        )
        tasks = [run.task(task) for task in plan.tasks]
        flaws = [
            *run.flaws,
            *_cycle_flaws(tasks, run.fixed),
            *_budget_flaws(plan, self.progress),
            *self._scope_flaws(run.actions),
            *self._answer_flaws(plan, list(run.actions.values())),
        ]
        if flaws:
            return _clip(flaws)
        return ValidPlan(
            say=plan.say.strip(),
            tasks=_ordered(tasks, run.fixed),
            writes=tuple(self.registry.action(name).qualified_name for name in plan.writes),
            final=plan.final,
        )

    @property
    def _past(self) -> Sequence[PastTask]:
        return self.progress.past if self.progress else ()

    def _fixed(self) -> dict[str, type[Result]]:
        """Return what references to finished tasks see."""
        return {task.key: task.sees for task in self._past if task.sees is not None}

    def _action(self, task: PlannedTask) -> Action:
        return self.registry.action(task.action)

    def _offers(self, name: str) -> bool:
        try:
            action = self.registry.action(name)
        except UnknownActionError:
            return False
        if not action.planned or name != action.name:
            return False
        return self.offered is None or name in self.offered

    def _action_flaws(self, plan: Plan) -> Iterator[Flaw]:
        names = ", ".join(
            sorted(action.name for action in self.registry if self._offers(action.name))
        )
        for task in plan.tasks:
            if not self._offers(task.action):
                message = f"there is no action called {task.action[:60]!r}; there are: {names}"
                yield Flaw(PlanFlaw.UNKNOWN_ACTION, message, task.id)
        for name in plan.writes:
            if not self._offers(name) or self._is_read(name):
                message = f"{name[:60]!r} is no write action; name those that a later round may use"
                yield Flaw(PlanFlaw.UNKNOWN_ACTION, message, field="writes")

    def _is_read(self, name: str) -> bool:
        return self.registry.action(name).idempotency is Idempotency.READ

    def _answer_flaws(self, plan: Plan, actions: list[Action]) -> Iterator[Flaw]:
        reads_only = all(action.idempotency is Idempotency.READ for action in actions)
        reads_only = reads_only and all(task.is_read for task in self._past)
        if plan.final and reads_only and actions[-1].name != ANSWER:
            message = "a plan that only reads ends with the action `answer`, given the found rows"
            yield Flaw(PlanFlaw.ANSWER, message, field="tasks")

    def _scope_flaws(self, actions: dict[str, Action]) -> Iterator[Flaw]:
        for key, action in actions.items():
            manifest = self.registry.connector(action.connector).manifest
            if manifest is None:
                continue
            known = {*manifest.scopes, *manifest.oauth.base_scopes}
            missing = sorted(set(manifest.actions[action.name].scopes) - known)
            if missing:
                message = f"{action.name} needs a scope that its manifest does not explain"
                yield Flaw(PlanFlaw.SCOPE, f"{message}: {missing[0]}", key)


@dataclass(slots=True)
class _Check:
    """One pass over a plan's tasks, which knows the tasks that came before."""

    plan: Plan
    actions: dict[str, Action]
    registry: Registry
    now: datetime | None
    fixed: Mapping[str, type[Result]]
    """What references to tasks of earlier rounds see."""
    flaws: list[Flaw] = field(default_factory=list)
    _earlier: dict[str, type[Result]] = field(default_factory=dict)
    """Task → what references to it see."""
    _list: Ref | None = None
    """The list of the task that is checked, as long as it is one."""

    def task(self, task: PlannedTask) -> ValidTask:
        action = self.actions[task.id]
        self._check_for_each(task, action)
        arguments, flaws = check_arguments(
            task.arguments, model=action.arguments, declared=self.declared, task=task.id
        )
        self.flaws.extend(flaws)
        self._check_after(task)
        self._check_guard(task)
        self._check_wait(task)
        needs = {ref.task for _, ref in references(arguments)} | set(task.after)
        needs |= {ref.task for ref in _control_refs(task)}
        self._earlier[task.id] = result_model(action.result, is_for_each=task.for_each is not None)
        return ValidTask(
            key=task.id,
            action=action.qualified_name,
            arguments=arguments,
            after=tuple(dict.fromkeys(task.after)),
            when=task.when,
            why=task.why.strip(),
            depends_on=tuple(key for key in (*self.fixed, *self.actions) if key in needs),
            for_each=task.for_each,
            wait=task.wait,
        )

    def declared(self, ref: Ref) -> Declared | str:
        """Return what is declared where a reference points, or why it points at nothing."""
        if ref.task == EACH:
            if self._list is None:
                return "`each` exists only in a task whose for_each names a list"
            ref = Ref(task=self._list.task, path=[*self._list.path, 0, *ref.path])
        model = self._earlier.get(ref.task) or self.fixed.get(ref.task)
        if model is not None:
            found = declared_at(model, ref.path)
            return found.message if isinstance(found, Undeclared) else found
        if ref.task in self.actions:
            return f"{ref.task} is not an earlier task; put it before this one"
        return f"there is no task {ref.task[:20]!r}"

    def _check_for_each(self, task: PlannedTask, action: Action) -> None:
        """Check that a task's list is one; only then `each` means something in it."""
        self._list = None
        if task.for_each is None:
            return
        at = self.declared(task.for_each)
        if isinstance(at, str):
            self._flaw(task, at)
        elif any(member.kind is not Kind.LIST for member in at.members):
            self._flaw(task, f"{task.for_each} is no list; name a list of an earlier task's result")
        elif action.name == ANSWER:
            self._flaw(task, "answer shows a whole list: give it the list as `rows`")
        else:
            self._list = task.for_each

    def _flaw(self, task: PlannedTask, message: str) -> None:
        self.flaws.append(Flaw(PlanFlaw.REFERENCE, message, task.id, "for_each"))

    def _check_after(self, task: PlannedTask) -> None:
        for key in task.after:
            if key not in self.actions and key not in self.fixed:
                message = f"there is no task {key[:20]!r} to wait for"
                self.flaws.append(Flaw(PlanFlaw.REFERENCE, message, task.id, "after"))

    def _check_wait(self, task: PlannedTask) -> None:
        if task.wait is None:
            return
        try:
            check_wait(task.wait, declared=self.declared, registry=self.registry, now=self.now)
        except WaitFlawError as error:
            self.flaws.append(Flaw(PlanFlaw.WAIT, str(error), task.id, "wait"))

    def _check_guard(self, task: PlannedTask) -> None:
        if task.when is None:
            return
        found = self.declared(task.when.left)
        if isinstance(found, str):
            self.flaws.append(Flaw(PlanFlaw.REFERENCE, found, task.id, "when"))


def _control_refs(task: PlannedTask) -> Iterator[Ref]:
    """Yield what a task's list, condition and wait refer to."""
    if task.for_each is not None:
        yield task.for_each
    if task.when is not None:
        yield task.when.left
    match task.wait:
        case WaitUntil(until=Ref() as ref) | WaitEvent(subject=ref):
            yield ref


def _structure_flaws(plan: Plan, past: Sequence[PastTask]) -> Iterator[Flaw]:
    if not plan.tasks:
        yield Flaw(PlanFlaw.SCHEMA, "the plan has neither tasks nor a question", field="tasks")
    seen = {task.key for task in past}
    for task in plan.tasks:
        if task.id in seen or task.id == EACH:
            yield Flaw(PlanFlaw.DUPLICATE_ID, "this id is taken; give every task its own", task.id)
        seen.add(task.id)


def _cycle_flaws(tasks: list[ValidTask], fixed: Collection[str]) -> Iterator[Flaw]:
    ordered = {task.key for task in _ordered(tasks, fixed)}
    stuck = [task.key for task in tasks if task.key not in ordered]
    if stuck:
        message = f"{', '.join(stuck)} wait for each other in a circle"
        yield Flaw(PlanFlaw.CYCLE, message, stuck[0], "after")


def _ordered(tasks: list[ValidTask], fixed: Collection[str]) -> tuple[ValidTask, ...]:
    """Return the tasks that can run, each after what it depends on, else in the plan's order."""
    waiting = list(tasks)
    placed: dict[str, ValidTask] = {}
    while ready := next(
        (t for t in waiting if placed.keys() >= set(t.depends_on) - set(fixed)), None
    ):
        placed[ready.key] = ready
        waiting.remove(ready)
    return tuple(placed.values())


def _budget_flaws(plan: Plan, progress: Progress | None) -> Iterator[Flaw]:
    before = len(progress.past) if progress else 0
    if before + len(plan.tasks) > MAX_TASKS:
        message = f"{before + len(plan.tasks)} tasks are too many; at most {MAX_TASKS} a goal"
        yield Flaw(PlanFlaw.BUDGET, message, field="tasks")
    if progress is not None and progress.is_last and not plan.final:
        message = "no round follows this one: plan everything now and set final to true"
        yield Flaw(PlanFlaw.BUDGET, message, field="final")


def _schema_flaws(error: ValidationError) -> list[Flaw]:
    return [
        Flaw(PlanFlaw.SCHEMA, item["msg"], field=".".join(map(str, item["loc"])) or None)
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def _refuse(kind: PlanFlaw, message: str, *, field: str | None = None) -> Invalid:
    return Invalid((Flaw(kind, message, field=field),))


def _clip(flaws: list[Flaw]) -> Invalid:
    return Invalid(tuple(flaws[:_MAX_FLAWS]))
