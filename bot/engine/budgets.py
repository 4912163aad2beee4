"""Budgets: the most that one goal may use, enforced by code whatever a plan or a model wants (S38).

What runs finishes; nothing more starts, and the goal ends with a partial result that says so. A
new message is a new goal with budgets of its own: that is how a person goes on, and how it is
audited.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from approvals.decisions import DecisionService
from bot.engine.cancelling import cancel_goal, drop_open_tasks
from bot.engine.deviations import Deviation, Kind
from bot.engine.outcomes import Preparation
from bot.engine.prepare import CannotPrepare, Prepared
from bot.engine.progress import finish, is_read
from bot.engine.rounds import Rounds
from bot.engine.spending import Spending, has_begun, recipients_of, spending
from bot.goals.lifecycle import ENDED_TASKS, SETTLED, move_goal
from connectors.registry import Registry
from storage import outbox
from storage.database import Transaction
from storage.tables.goals import DRIVEN_STATUSES, Goal, GoalStatus, Task, TaskStatus

NEAR = 0.8
"""From this share of a budget on the planner is told, once (PLAN_FORMAT)."""

SPENT = "budget"
"""The failure's code of a task that a budget kept from running."""

_PER_MILLION = 1_000_000
_GO_ON = "To go on, ask me in a new message for what is left."
_NOT_RUN = "This goal's budget is used up."
_OPEN = frozenset(TaskStatus) - ENDED_TASKS - {TaskStatus.RUNNING, TaskStatus.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Price:
    """What a million tokens of a model cost, in whatever currency the budget is in."""

    prompt: float
    completion: float


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one goal may use.

    Attributes:
        tasks: steps of all its plan versions, lists not expanded.
        calls: requests to providers, repeats included.
        writes: steps that change something at a provider.
        recipients: different addresses that are notified by its writes.
        requests: requests to a model.
        tokens: of those requests and their answers.
        money: what they cost by `prices`; None where it does not count.
        prices: beginning of a model's name → its price. A model without one costs nothing.
    """

    tasks: int = 40
    calls: int = 1000
    writes: int = 200
    recipients: int = 100
    requests: int = 25
    tokens: int = 300_000
    money: float | None = None
    prices: Mapping[str, Price] = field(default_factory=dict)

    def cost(self, model: str, *, prompt_tokens: int, completion_tokens: int) -> float:
        """Return what tokens of a model cost; the longest name that fits it counts."""
        names = [name for name in self.prices if model.startswith(name)]
        if not names:
            return 0.0
        price = self.prices[max(names, key=len)]
        spent = prompt_tokens * price.prompt + completion_tokens * price.completion
        return spent / _PER_MILLION


@dataclass(frozen=True, slots=True)
class _Line:
    """One budget: how much is used of how much, in words."""

    used: float
    limit: float
    what: str

    @property
    def is_near(self) -> bool:
        return self.used >= NEAR * self.limit

    @property
    def is_over(self) -> bool:
        return self.used >= self.limit

    def __str__(self) -> str:
        return f"{self.used:,.10g} of the {self.limit:,.10g} {self.what} that one goal may use"

    @property
    def most(self) -> str:
        """Say the budget itself, for a person."""
        return f"one goal may use at most {self.limit:,.10g} {self.what}"

    @property
    def sentence(self) -> str:
        """Say the budget itself, as a sentence of its own."""
        return f"{self.most[:1].upper()}{self.most[1:]}."


class Budgets:
    """Watches what goals use, inside the transaction that holds the goal."""

    def __init__(
        self,
        *,
        limits: Limits,
        registry: Registry,
        decisions: DecisionService,
        rounds: Rounds,
    ) -> None:
        self._limits = limits
        self._registry = registry
        self._decisions = decisions
        self._rounds = rounds

    async def watch(self, tx: Transaction, goal: Goal, tasks: Sequence[Task]) -> Sequence[Task]:
        """Drop what is left of a goal that a budget stopped; tell a planner of one that is near.

        Returns the goal's tasks as they are then.
        """
        if goal.stopped_because is not None:
            await self._drop(tx, goal)
            return await tx.tasks.list_(goal.team_id, goal.id)
        if goal.budget_told or goal.status is GoalStatus.PLANNING or not _has_open(tasks):
            return tasks
        near = next((it for it in self._lines(spending(tasks, self._registry)) if it.is_near), None)
        if near is not None:
            problem = f"The budget is nearly used up: {near}. Do the rest with less, or leave it."
            if await self._rounds.deviate(tx, goal, Deviation(Kind.BUDGET, None, problem)):
                await tx.goals.set_budget(goal, told=True)
        return tasks

    async def fit(
        self, tx: Transaction, goal: Goal, results: Sequence[Preparation]
    ) -> Sequence[Preparation]:
        """Return what was prepared, with a refusal for each call that a budget does not cover.

        Counted under the goal's lock, right before the gate: no drive, however many there are,
        sends more than a budget allows.
        """
        tasks = await tx.tasks.list_(goal.team_id, goal.id)
        used = spending(tasks, self._registry)
        reached: set[str] | None = None
        fitting: list[Preparation] = []
        for item in results:
            if not isinstance(item, Prepared) or item.call.action.startswith("builtin."):
                fitting.append(item)
                continue
            wanted = recipients_of(item.action, item.call.arguments)
            if wanted and reached is None:
                reached = await self._reached(tx, goal, tasks)
            after = used.with_call(is_write=not is_read(item.task, self._registry))
            everybody = (reached or set()) | wanted
            over = self._first_over(after, len(everybody) if wanted else 0)
            if over is None:
                used = after
                reached = everybody if reached is not None else None
                fitting.append(item)
            else:
                await self._mark(tx, goal, over)
                fitting.append(CannotPrepare(item.task, SPENT, _NOT_RUN))
        return fitting

    def too_many(self, tasks: int) -> str | None:
        """Return the budget that so many steps go beyond, in a sentence; None within it."""
        if tasks <= self._limits.tasks:
            return None
        return _Line(tasks, self._limits.tasks, "steps").sentence

    async def cover_tasks(self, tx: Transaction, goal: Goal, *, tasks: int) -> bool:
        """Whether a goal may have so many steps; where not, it ends with what it has."""
        if tasks <= self._limits.tasks:
            return True
        await self.stop(tx, goal, _Line(tasks, self._limits.tasks, "steps").most)
        return False

    async def cover_request(self, tx: Transaction, goal: Goal) -> bool:
        """Whether a planner may be asked once more; where not, the goal ends with what it has.

        A planner's answer may take several requests (repairs), which are not cut off: a budget is
        overdrawn by one answer at most.
        """
        line = await self._spent_line(tx, goal)
        if line is None:
            return True
        await self.stop(tx, goal, line.most)
        return False

    async def allows_request(self, tx: Transaction, goal: Goal) -> bool:
        """Whether a model may be asked once more; where not, nothing happens to the goal."""
        return await self._spent_line(tx, goal) is None

    async def spent(self, tx: Transaction, goal: Goal) -> str | None:
        """Return which budget lets no model be asked any more, in a sentence; None if one may."""
        line = await self._spent_line(tx, goal)
        return None if line is None else line.sentence

    async def near(self, tx: Transaction, goal: Goal) -> str | None:
        """Return which budget is nearly used up, in a line for a planner that is asked anyway."""
        tasks = await tx.tasks.list_(goal.team_id, goal.id)
        lines = self._lines(spending(tasks, self._registry))
        lines += await self._model_lines(tx, goal)
        return next((str(line) for line in lines if line.is_near), None)

    async def stop(self, tx: Transaction, goal: Goal, used: str) -> None:
        """End a goal as far as it got: what runs finishes, everything else is dropped."""
        await self._mark(tx, goal, used)
        await self.end(tx, goal)

    async def stop_for(self, tx: Transaction, goal: Goal, reason: str) -> None:
        """End a goal for a reason that is a whole sentence; says how to go on."""
        await self._keep_reason(tx, goal, f"{reason} {_GO_ON}")
        await self.end(tx, goal)

    async def end(self, tx: Transaction, goal: Goal) -> None:
        """Drop what is left of a stopped goal, and settle it where nothing runs any more."""
        if goal.status in (GoalStatus.ASKING, GoalStatus.PROPOSED, GoalStatus.RECEIVED):
            await cancel_goal(
                tx,
                goal,
                decisions=self._decisions,
                actor="system",
                reason=goal.stopped_because or _NOT_RUN,
            )
            return
        await self._drop(tx, goal)
        if goal.status is GoalStatus.PLANNING and goal.plan_version == 0:
            await move_goal(tx, goal, to=GoalStatus.FAILED, reason=goal.stopped_because)
        elif goal.status is GoalStatus.PLANNING:
            await move_goal(tx, goal, to=GoalStatus.RUNNING)
        tasks = await tx.tasks.list_(goal.team_id, goal.id)
        if goal.status in DRIVEN_STATUSES and {task.status for task in tasks} <= ENDED_TASKS:
            await finish(tx, goal, tasks, self._registry)
        await outbox.touch(tx, team_id=goal.team_id, noun="goal", subject=goal.id, priority=2)

    def _lines(self, used: Spending) -> list[_Line]:
        limits = self._limits
        return [
            _Line(used.tasks, limits.tasks, "steps"),
            _Line(used.calls, limits.calls, "calls to other services"),
            _Line(used.writes, limits.writes, "changes"),
            _Line(used.recipients, limits.recipients, "notified people"),
        ]

    def _first_over(self, after: Spending, recipients: int) -> str | None:
        limits = self._limits
        lines = (
            _Line(limits.calls, limits.calls, "calls to other services")
            if after.calls > limits.calls
            else None,
            _Line(limits.writes, limits.writes, "changes")
            if after.writes > limits.writes
            else None,
            _Line(limits.recipients, limits.recipients, "notified people")
            if recipients > limits.recipients
            else None,
        )
        return next((line.most for line in lines if line is not None), None)

    async def _model_lines(self, tx: Transaction, goal: Goal) -> list[_Line]:
        limits = self._limits
        rows = await tx.usage.by_model(team_id=goal.team_id, goal_id=goal.id)
        lines = [
            _Line(sum(row.requests for row in rows), limits.requests, "requests to a model"),
            _Line(sum(row.tokens for row in rows), limits.tokens, "tokens of models"),
        ]
        if limits.money is not None:
            cost = sum(
                limits.cost(
                    row.model,
                    prompt_tokens=row.prompt_tokens,
                    completion_tokens=row.completion_tokens,
                )
                for row in rows
            )
            lines.append(_Line(round(cost, 2), limits.money, "in model costs"))
        return lines

    async def _spent_line(self, tx: Transaction, goal: Goal) -> _Line | None:
        return next((it for it in await self._model_lines(tx, goal) if it.is_over), None)

    async def _reached(self, tx: Transaction, goal: Goal, tasks: Sequence[Task]) -> set[str]:
        """Return whom the goal's writes have notified so far, by the calls that were made."""
        made = [task.call_id for task in tasks if has_begun(task) and task.call_id is not None]
        if not made:
            return set()
        found: set[str] = set()
        for call in await tx.calls.list_(goal.team_id, made):
            action = self._registry.stored_action(call.body["action"])
            found |= recipients_of(action, call.body["arguments"])
        return found

    async def _mark(self, tx: Transaction, goal: Goal, used: str) -> None:
        await self._keep_reason(tx, goal, f"I stopped here: {used}. {_GO_ON}")

    async def _keep_reason(self, tx: Transaction, goal: Goal, reason: str) -> None:
        if goal.stopped_because is not None or goal.status in SETTLED:
            return
        await tx.goals.set_budget(goal, stopped_because=reason)
        await tx.audit.record(
            team_id=goal.team_id,
            tag="engine:goal:out_of_budget",
            actor="system",
            goal_id=goal.id,
            data={"why": reason},
        )

    async def _drop(self, tx: Transaction, goal: Goal) -> None:
        reason = "the goal ended before this was done"
        await drop_open_tasks(tx, goal, decisions=self._decisions, actor="system", reason=reason)
        for task in await tx.tasks.list_(goal.team_id, goal.id):
            if task.status is not TaskStatus.FAILED or _code(task) != SPENT:
                continue
            item = await tx.approvals.latest_item(task.team_id, task.id)
            if item is not None:
                await self._decisions.withdraw(tx, item, reason=reason)


def _has_open(tasks: Sequence[Task]) -> bool:
    """Whether something is left to plan otherwise, and nothing is on its way to the gate."""
    if any(task.status is TaskStatus.READY and task.lease_owner for task in tasks):
        return False
    return any(task.status in _OPEN for task in tasks)


def _code(task: Task) -> Any:
    return (task.failure or {}).get("code")
