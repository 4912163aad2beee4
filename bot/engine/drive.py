"""`drive(goal)`: claim what is ready, run it concurrently, store outcomes, go on."""

import asyncio
import secrets
from collections.abc import Sequence
from functools import partial

import structlog

from bot.engine import outcomes, progress
from bot.engine.budgets import Budgets
from bot.engine.endings import Begun, Endings, Stored
from bot.engine.estimates import AT_ONCE, longest_first
from bot.engine.gate import Cleared, Gate
from bot.engine.handoff import BROKE
from bot.engine.isolation import Broke, apart, together
from bot.engine.newer import Newer
from bot.engine.outcomes import Ending, Outcomes
from bot.engine.prepare import CannotPrepare, Prepared, Preparer, Scene
from bot.engine.progress import Timing, is_read
from bot.engine.proposal import Proposals
from bot.engine.recovery import Recovery
from bot.engine.rounds import Rounds
from bot.goals.lifecycle import SETTLED, move_goal
from connectors.errors import ConnectorError
from connectors.execute import Executor
from connectors.registry import Registry
from storage import outbox
from storage.database import Database, Transaction
from storage.errors import DatabaseAwayError, NotFoundError
from storage.queue import Priority
from storage.tables.goals import Goal, GoalStatus, Task, TaskStatus

log = structlog.get_logger(__name__)

_HELD = frozenset({TaskStatus.READY, TaskStatus.RUNNING})
_DRIVEN = (GoalStatus.PLANNING, GoalStatus.RUNNING, GoalStatus.WAITING)


AWAY_PAUSE_S = 0.5
"""Between tries to store an outcome while the database is away."""


class Engine:
    """Runs plans. Any number of drives may run for one goal: each task is claimed by one."""

    def __init__(
        self,
        *,
        database: Database,
        registry: Registry,
        executor: Executor,
        preparer: Preparer,
        gate: Gate,
        proposals: Proposals,
        rounds: Rounds,
        budgets: Budgets,
        timing: Timing,
        newer: Newer,
    ) -> None:
        self._database = database
        self._registry = registry
        self._executor = executor
        self._preparer = preparer
        self._gate = gate
        self._proposals = proposals
        self._rounds = rounds
        self._budgets = budgets
        self._timing = timing
        self._newer = newer
        self._outcomes = Outcomes(timing=timing, registry=registry, rounds=rounds)
        self._recovery = Recovery(executor=executor)
        self._is_stopping = False
        self._endings: dict[str, Endings] = {}
        """Owner of a drive → what ended in it."""

    def stop(self) -> None:
        """Begin nothing more: drives end with the calls that run, and hand the rest back."""
        self._is_stopping = True

    async def drive(self, team_id: str, goal_id: int) -> None:
        """Run everything of a goal that can run now; return when nothing is ready any more."""
        owner = secrets.token_hex(8)
        begun = await apart(self._claim(team_id, goal_id, owner, looks_ahead=True))
        if isinstance(begun, Broke):
            begun = await self._claim(team_id, goal_id, owner)
        self._endings[owner] = Endings(partial(self._keep, owner=owner))
        try:
            await self._wave(begun, owner)
        finally:
            del self._endings[owner]

    async def _claim(
        self, team_id: str, goal_id: int, owner: str, *, looks_ahead: bool = False
    ) -> Begun:
        """Advance a goal and claim its ready tasks; settle it when there is nothing to run."""
        async with self._database.transaction() as tx:
            try:
                goal = await tx.open_goal(team_id, goal_id)
            except NotFoundError:
                log.warning("drive_without_goal", team_id=team_id, goal_id=goal_id)
                return Begun()
            claimed = await self._claim_locked(tx, goal, owner)
            if looks_ahead:
                return await self._ahead(tx, goal, claimed, owner)
        return Begun(claimed)

    async def _ahead(
        self, tx: Transaction, goal: Goal, claimed: Sequence[Task], owner: str
    ) -> Begun:
        """Freeze and judge in the same transaction what needs no read at a provider for it."""
        easy = [
            task
            for task in claimed
            if task.status is TaskStatus.READY and not self._preparer.needs_reads(task)
        ]
        if not easy:
            return Begun(claimed)
        scene = await self._preparer.scene_of(tx, goal)
        results = [await self._prepare(task, scene) for task in easy]
        cleared, more = await self._pass_locked(tx, goal, results, owner)
        rest = [task for task in claimed if task not in easy]
        return Begun([*rest, *more], cleared)

    async def _claim_locked(self, tx: Transaction, goal: Goal, owner: str) -> Sequence[Task]:
        if self._is_stopping:
            await defer_drive(tx, goal.team_id, goal.id)
            return []
        if goal.status in SETTLED:
            return await self._claim_abandoned(tx, goal, owner)
        if goal.plan_version == 0:
            return []
        tasks: Sequence[Task] = ()
        if goal.status in _DRIVEN and not _awaits_planner(goal):
            tasks = await progress.advance(tx, goal, self._registry)
            tasks = await self._budgets.watch(tx, goal, tasks)
        if goal.status not in _DRIVEN or _awaits_planner(goal):
            return await self._claim_abandoned(tx, goal, owner)
        claimed = [
            *await self._claim_ready(tx, goal, tasks, owner),
            *await self._claim_abandoned(tx, goal, owner),
        ]
        if goal.status is GoalStatus.PLANNING:
            if not claimed and await self._proposals.propose(tx, goal, tasks):
                return await self._claim_locked(tx, goal, owner)
        elif not await self._rounds.turn(tx, goal, tasks):
            await progress.settle(tx, goal, tasks, self._registry)
        await outbox.touch(tx, team_id=goal.team_id, noun="goal", subject=goal.id)
        return claimed

    async def _claim_ready(
        self, tx: Transaction, goal: Goal, tasks: Sequence[Task], owner: str
    ) -> Sequence[Task]:
        """Claim the ready tasks whose time has come; this drive's own need no second claim.

        At most `AT_ONCE` run in this drive; where more are ready, those that the longest chain
        follows go first, and the others when one has ended.
        """
        free = [
            task
            for task in tasks
            if task.status is TaskStatus.READY
            and task.lease_owner != owner
            and not self._newer.plans(task, tasks)
            # What an earlier version made ready waits until the new one was shown.
            and (goal.status is not GoalStatus.PLANNING or is_read(task, self._registry))
        ]
        # Rows that may ask are prepared together, so that they are asked about on one card.
        together = [task for task in free if self._is_new_row(task)]
        others = [task for task in free if task not in together]
        held = sum(task.status in _HELD and task.lease_owner == owner for task in tasks)
        room = max(AT_ONCE - held, 0)
        if len(others) > room:
            medians = await tx.durations.medians({task.action for task in tasks})
            others = longest_first(others, tasks, medians, self._registry)
        reads = [task.key for task in free if is_read(task, self._registry)]
        claimed: list[Task] = []
        for chosen, most in ((together, None), (others, room)):
            if chosen and most != 0:
                claimed += await tx.tasks.claim(
                    goal.team_id,
                    goal.id,
                    keys=[task.key for task in chosen],
                    owner=owner,
                    lease_s=self._timing.lease_s,
                    most=most if most is not None and len(chosen) > most else None,
                    reads=reads,
                )
        return claimed

    def _is_new_row(self, task: Task) -> bool:
        """Whether a task is a writing row of a list that has not been at the gate yet."""
        is_new = task.parent_key is not None and task.call_id is None
        return is_new and not is_read(task, self._registry)

    async def _claim_abandoned(self, tx: Transaction, goal: Goal, owner: str) -> Sequence[Task]:
        """Claim running tasks whose process died; also of a goal that ended: it owes an outcome."""
        tasks = await tx.tasks.list_(goal.team_id, goal.id)
        running = [task for task in tasks if task.status is TaskStatus.RUNNING]
        if all(task.lease_owner == owner for task in running) or any(
            self._newer.plans(task, tasks) for task in running
        ):
            return []
        return await tx.tasks.claim_abandoned(
            goal.team_id,
            goal.id,
            grace_s=self._timing.call_timeout_s,
            owner=owner,
            lease_s=self._timing.lease_s,
        )

    async def _wave(self, begun: Begun, owner: str) -> None:
        """Run claimed tasks; whatever an outcome makes ready follows in the same process."""
        abandoned = [task for task in begun.claimed if task.status is TaskStatus.RUNNING]
        fresh = [task for task in begun.claimed if task.status is TaskStatus.READY]
        work = [self._execute(item, owner) for item in begun.cleared]
        work += [self._recover(task, owner) for task in abandoned]
        if fresh:
            work.append(self._start(fresh, owner))
        await together(*work)

    async def _start(self, tasks: Sequence[Task], owner: str) -> None:
        """Freeze the tasks' calls, pass the gate together, and run what may run."""
        scene = await self._preparer.scene(tasks[0].team_id, tasks[0].goal_id)
        results = await asyncio.gather(*[self._prepare(task, scene) for task in tasks])
        await self._wave(await self._pass(scene, results, owner), owner)

    async def _prepare(self, task: Task, scene: Scene) -> outcomes.Preparation:
        prepared = await apart(self._preparer.prepare(task, scene), task_id=task.id)
        if isinstance(prepared, Broke):
            return CannotPrepare(task, "system", BROKE, prepared.reference)
        return prepared

    async def _pass(
        self, scene: Scene, results: Sequence[outcomes.Preparation], owner: str
    ) -> Begun:
        """Commit what preparing found; return what may run, and what that made ready."""
        async with self._database.transaction() as tx:
            goal = await tx.open_goal(scene.goal.team_id, scene.goal.id)
            cleared, more = await self._pass_locked(tx, goal, results, owner)
        return Begun(more, cleared)

    async def _pass_locked(
        self, tx: Transaction, goal: Goal, results: Sequence[outcomes.Preparation], owner: str
    ) -> tuple[Sequence[Cleared], Sequence[Task]]:
        if goal.status not in _DRIVEN:
            if goal.status is GoalStatus.PAUSED:
                held = await self._still_held(tx, goal, owner)
                await self._give_up(tx, goal, results, held)
            return [], []
        held = await self._still_held(tx, goal, owner)
        if self._is_stopping:
            await self._hand_back(tx, goal, results, held)
            return [], []
        mine = await self._budgets.fit(tx, goal, [i for i in results if i.task.key in held])
        for item in mine:
            if not isinstance(item, Prepared):
                await self._outcomes.not_prepared(tx, goal, item)
        ready = [item for item in mine if isinstance(item, Prepared)]
        requester = await tx.people.get(goal.team_id, goal.requester_id)
        cleared = await self._gate.pass_all(tx, goal, requester=requester, prepared=ready)
        if len(cleared) < len(results):
            return cleared, await self._claim_locked(tx, goal, owner)
        await _redraw(tx, goal)
        return cleared, []

    async def _hand_back(
        self,
        tx: Transaction,
        goal: Goal,
        results: Sequence[outcomes.Preparation],
        held: frozenset[str],
    ) -> None:
        """Give up claims of which nothing was sent, and wake another process for them."""
        await self._give_up(tx, goal, results, held)
        await defer_drive(tx, goal.team_id, goal.id)

    async def _give_up(
        self,
        tx: Transaction,
        goal: Goal,
        results: Sequence[outcomes.Preparation],
        held: frozenset[str],
    ) -> None:
        """Give up claims of which nothing was sent: whoever drives the goal next takes them."""
        for item in results:
            if item.task.key in held:
                await tx.tasks.update(
                    goal.team_id, item.task.id, lease_owner=None, lease_until=None
                )

    async def _still_held(self, tx: Transaction, goal: Goal, owner: str) -> frozenset[str]:
        """Return the keys of the ready tasks that this drive still holds: a late one is fenced."""
        tasks = await tx.tasks.list_(goal.team_id, goal.id)
        return frozenset(
            task.key
            for task in tasks
            if task.status is TaskStatus.READY and task.lease_owner == owner
        )

    async def _execute(self, item: Cleared, owner: str) -> None:
        """Execute one cleared call, store its outcome, and go on with what it made ready."""
        outcome = await apart(self._call(item), task_id=item.prepared.task.id)
        await self._finish(Ending(item.prepared.task, item.attempt.id, outcome), owner)

    async def _call(self, item: Cleared) -> outcomes.Outcome:
        try:
            result = await self._executor.execute(
                item.permit,
                item.prepared.call,
                idempotency=item.prepared.idempotency,
                send_before=item.send_before,
            )
            return outcomes.Succeeded(result.model_dump(mode="json"))
        except ConnectorError as error:
            return outcomes.Raised(error)

    async def _recover(self, task: Task, owner: str) -> None:
        """Settle a task whose drive died in the middle of its call."""
        looked = await apart(self._recovery.look(task, self._database), task_id=task.id)
        attempt, outcome = (None, looked) if isinstance(looked, Broke) else looked
        await self._finish(Ending(task, attempt, outcome), owner)

    async def _finish(self, ending: Ending, owner: str) -> None:
        """Store what became of a task, and go on with what that made ready."""
        stored = await self._endings[owner].add(ending)
        await self._wave(stored.begun, owner)
        if stored.error is not None:
            raise stored.error

    async def _keep(self, endings: Sequence[Ending], *, owner: str) -> Stored:
        """Store endings together, and look ahead; after a defect in that, each by itself."""
        begun = await apart(self._store_patiently(endings, owner, looks_ahead=True))
        if not isinstance(begun, Broke):
            return Stored(begun)
        alone = [self._store_patiently([ending], owner) for ending in endings]
        results = await asyncio.gather(*alone, return_exceptions=True)
        claimed = [task for found in results if isinstance(found, Begun) for task in found.claimed]
        errors = (found for found in results if isinstance(found, BaseException))
        return Stored(Begun(claimed), next(errors, None))

    async def _store_patiently(
        self, endings: Sequence[Ending], owner: str, *, looks_ahead: bool = False
    ) -> Begun:
        """Store endings; what is known is not given up while the lease lasts."""
        give_up = asyncio.get_running_loop().time() + self._timing.lease_s
        while True:
            try:
                return await self._store(endings, owner, looks_ahead=looks_ahead)
            except DatabaseAwayError:
                if asyncio.get_running_loop().time() >= give_up:
                    raise
                await asyncio.sleep(AWAY_PAUSE_S)

    async def _store(self, endings: Sequence[Ending], owner: str, *, looks_ahead: bool) -> Begun:
        """Store endings once; a repeat after a lost commit changes nothing."""
        first = endings[0].task
        async with self._database.transaction() as tx:
            goal = await tx.open_goal(first.team_id, first.goal_id)
            await self._outcomes.store(tx, goal, endings)
            was_driven = goal.status in _DRIVEN
            claimed = await self._claim_locked(tx, goal, owner)
            if claimed or not was_driven:
                await _redraw(tx, goal)
            if looks_ahead:
                return await self._ahead(tx, goal, claimed, owner)
        return Begun(claimed)


def _awaits_planner(goal: Goal) -> bool:
    """Whether the planner is asked how to go on: until it has answered nothing new starts."""
    return goal.status is GoalStatus.PLANNING and goal.deviation is not None


async def _redraw(tx: Transaction, goal: Goal) -> None:
    """Draw a goal's card anew: soon while it runs, at once when it waits for a person or ended."""
    priority = outbox.CALM if goal.status in (GoalStatus.PLANNING, GoalStatus.RUNNING) else 2
    await outbox.touch(tx, team_id=goal.team_id, noun="goal", subject=goal.id, priority=priority)


async def defer_drive(
    tx: Transaction, team_id: str, goal_id: int, *, priority: Priority = Priority.INTERACTIVE
) -> None:
    """Wake a goal. The caller holds the goal's row, so a duplicate may be skipped safely.

    A waiting goal counts as running from here on, a resting one rests no more: should this nudge
    be lost, the sweeper finds the goal, which it does not look for meanwhile.

    Args:
        tx: the caller's transaction.
        team_id: whose goal.
        goal_id: which one.
        priority: BACKGROUND where no person's message or click led here.
    """
    goal = await tx.goals.lock(team_id, goal_id)
    if goal.status is GoalStatus.WAITING:
        await move_goal(tx, goal, to=GoalStatus.RUNNING)
    await tx.goals.rest(goal, is_resting=False)
    once = str(goal_id)
    await tx.defer("drive", once=once, priority=priority, team_id=team_id, goal_id=goal_id)
