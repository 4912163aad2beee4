"""Outcomes: what became of an attempt, stored once, and what follows for its task."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from bot.engine.asks import ask_human, ask_to_connect, private_channel, private_thread
from bot.engine.doubt import is_in_doubt
from bot.engine.handoff import BROKE, hand_off
from bot.engine.holds import Holds, held_up
from bot.engine.isolation import Broke
from bot.engine.prepare import CannotPrepare, NeedsConnection, Preparation, TryLater
from bot.engine.progress import Timing, is_read
from bot.engine.questions import Questions
from bot.engine.refusals import Refusal, refusal_of
from bot.engine.results import TOO_LARGE, kept
from bot.engine.rounds import Rounds
from bot.engine.undone import mark_undone
from bot.goals.lifecycle import SETTLED, Success, move_task, succeed_tasks
from connectors.actions import Idempotency
from connectors.errors import (
    ConnectorError,
    HaltedError,
    OutcomeUnknownError,
    ReconnectRequiredError,
    RejectedError,
    RetryLaterError,
)
from connectors.registry import Registry
from storage import outbox
from storage.database import Transaction
from storage.instants import from_now
from storage.tables.calls import Attempt, AttemptStatus
from storage.tables.goals import Goal, Task, TaskStatus

__all__ = [
    "Ending",
    "Outcome",
    "Outcomes",
    "Preparation",
    "Raised",
    "Repeat",
    "Succeeded",
    "Unseen",
]


_OVER_LATER = frozenset({"retries_exhausted", "retry_later", "provider_down"})


@dataclass(frozen=True, slots=True)
class Succeeded:
    result: dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Raised:
    error: ConnectorError


@dataclass(frozen=True, slots=True)
class Repeat:
    """The attempt certainly did nothing, or repeating it with the same key is harmless."""

    why: str
    code: str = "repeat"
    """`not_found` where a look-up proved that nothing happened."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """A look-up could not be made because the provider does not answer; it is made later."""

    error: RetryLaterError


Outcome = Succeeded | Raised | Repeat | Unseen | Broke


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of one task's attempt; `attempt_id` is None where none was found."""

    task: Task
    attempt_id: int | None
    outcome: Outcome


class Outcomes:
    """Turns outcomes into moves, in the transaction that holds the goal."""

    def __init__(self, *, timing: Timing, registry: Registry, rounds: Rounds) -> None:
        self._questions = Questions(registry=registry, rounds=rounds)
        self._timing = timing
        self._registry = registry
        self._holds = Holds(timing=timing, registry=registry)

    async def store(self, tx: Transaction, goal: Goal, endings: Sequence[Ending]) -> None:
        """Store what became of attempts, once; a late one of an attempt taken over is dropped."""
        successes: list[Success] = []
        for ending in endings:
            task = await tx.tasks.get(goal.team_id, ending.task.id)
            attempt = await tx.calls.latest_attempt(goal.team_id, ending.task.id)
            if (
                task.status is not TaskStatus.RUNNING
                or attempt is None
                or ending.attempt_id not in (None, attempt.id)
                or attempt.status is not AttemptStatus.RUNNING
            ):
                continue
            if isinstance(ending.outcome, Succeeded):
                whole = await self._kept(tx, task, attempt, ending.outcome.result)
                if whole is not None:
                    successes.append(Success(task, attempt.id, whole))
            else:
                await self._store(tx, goal, task, attempt, ending.outcome)
        held = {item.task.id for item in successes if item.task.held_since is not None}
        for task in await succeed_tasks(tx, successes):
            await self._succeeded(tx, goal, task, was_held=task.id in held)

    async def _store(
        self,
        tx: Transaction,
        goal: Goal,
        task: Task,
        attempt: Attempt,
        outcome: Raised | Repeat | Unseen | Broke,
    ) -> None:
        match outcome:
            case Repeat(why, code):
                await self._end(tx, attempt, AttemptStatus.FAILED, code=code, message=why)
                await self._retry(tx, goal, task, attempt, why, after_s=0)
            case Raised(error):
                await self._raised(tx, goal, task, attempt, error)
            case Broke(reference):
                await self._broke(tx, goal, task, attempt, reference)
            case Unseen(error):
                if await self._holds.hold(tx, goal, task, error) is None:
                    await self._end(tx, attempt, AttemptStatus.UNKNOWN, error=error)
                    await ask_human(tx, goal, task, error.message)

    async def _kept(
        self, tx: Transaction, task: Task, attempt: Attempt, result: dict[str, JsonValue]
    ) -> dict[str, Any] | None:
        """Return what to keep of a result; None where it ended the task as too large.

        What happened is never called failed for its size: only of a read nothing may be kept.
        """
        whole = await kept(tx, task, result, is_read=is_read(task, self._registry))
        if whole is None:
            await self._end(tx, attempt, AttemptStatus.SUCCEEDED)
            await self._fail(tx, task, "too_large", TOO_LARGE)
        return whole

    async def _succeeded(self, tx: Transaction, goal: Goal, task: Task, *, was_held: bool) -> None:
        """Show what a task that has just succeeded leads to."""
        if task.action == "builtin.answer":
            await outbox.show(
                tx,
                team_id=goal.team_id,
                noun="answer",
                subject=task.id,
                channel_id=private_channel(goal),
                thread_ts=private_thread(goal),
                priority=3,
            )
        await self._touch_approval(tx, task)
        if was_held:
            await outbox.touch(tx, team_id=goal.team_id, noun="home", subject=goal.requester_id)
        await mark_undone(tx, goal, task)

    async def _raised(
        self, tx: Transaction, goal: Goal, task: Task, attempt: Attempt, error: ConnectorError
    ) -> None:
        match error:
            case RetryLaterError(uses_a_try=False):
                await self._end(tx, attempt, AttemptStatus.FAILED, error=error)
                waiting = await self._holds.hold(tx, goal, task, error)
                if waiting is None:
                    await self._give_up(tx, goal, task, attempt, error.code, error.message)
                else:
                    await self._make_ready(tx, goal, task, attempt, **waiting)
            case RetryLaterError():
                await self._end(tx, attempt, AttemptStatus.FAILED, error=error)
                await self._retry(
                    tx, goal, task, attempt, error.message, after_s=error.retry_after_s
                )
            case OutcomeUnknownError():
                await self._lost_reply(tx, goal, task, attempt, error)
            case HaltedError():
                # Nothing was sent, so it costs no try; nobody claims it before the resume.
                await self._end(tx, attempt, AttemptStatus.FAILED, error=error)
                await self._make_ready(tx, goal, task, attempt)
            case ReconnectRequiredError():
                await self._end(tx, attempt, AttemptStatus.FAILED, error=error)
                if await self._make_ready(tx, goal, task, attempt):
                    needs = NeedsConnection(task, error.provider, error.missing_scopes)
                    await ask_to_connect(tx, goal, needs, self._registry)
            case RejectedError(kind="changed") if task.tries < self._timing.max_tries:
                await self._end(tx, attempt, AttemptStatus.FAILED, error=error)
                await self._make_ready(tx, goal, task, attempt, tries=task.tries + 1)
            case _:
                await self._end(tx, attempt, AttemptStatus.FAILED, error=error)
                if not await self._asks(tx, goal, task, refusal_of(error)):
                    await self._give_up(tx, goal, task, attempt, error.code, error.message)

    async def _lost_reply(
        self, tx: Transaction, goal: Goal, task: Task, attempt: Attempt, error: ConnectorError
    ) -> None:
        """A reply was lost: repeat where that is harmless, look later, or ask a human."""
        match Idempotency(attempt.idempotency):
            case Idempotency.READ | Idempotency.KEYED:
                await self._end(tx, attempt, AttemptStatus.FAILED, error=error)
                await self._retry(tx, goal, task, attempt, error.message, after_s=None)
            case Idempotency.VERIFIABLE:
                await self._look_later(tx, goal, task, attempt, error)
            case Idempotency.UNSAFE:
                await self._end(tx, attempt, AttemptStatus.UNKNOWN, error=error)
                await ask_human(tx, goal, task, error.message)

    async def _look_later(
        self, tx: Transaction, goal: Goal, task: Task, attempt: Attempt, error: ConnectorError
    ) -> None:
        """Leave the attempt running: it is looked up once its lease and the longest call are over.

        Only then does "not found" prove anything. Look-ups that stay inconclusive end with a
        human.
        """
        can_look = not self._registry.stored_action(task.action).is_removed
        if can_look and task.tries + 1 < self._timing.max_tries:
            await tx.tasks.update(task.team_id, task.id, tries=task.tries + 1)
            return
        await self._end(tx, attempt, AttemptStatus.UNKNOWN, error=error)
        await ask_human(tx, goal, task, error.message)

    async def not_prepared(
        self, tx: Transaction, goal: Goal, item: CannotPrepare | NeedsConnection | TryLater
    ) -> None:
        """Store why a task's call could not be frozen."""
        match item:
            case NeedsConnection():
                await ask_to_connect(tx, goal, item, self._registry)
            case TryLater(task, error):
                waiting = await self._holds.waiting(tx, goal, task, error)
                if waiting is None:
                    await self._fail(tx, task, error.code, error.message)
                else:
                    await tx.tasks.update(
                        task.team_id, task.id, lease_owner=None, lease_until=None, **waiting
                    )
            case CannotPrepare(task, code, message, reference, refusal):
                if await self._asks(tx, goal, task, refusal):
                    return
                attempt = await tx.calls.latest_attempt(task.team_id, task.id)
                if attempt is None:
                    await self._fail(tx, task, code, message)
                else:
                    await self._give_up(tx, goal, task, attempt, code, message)
                if reference is not None:
                    await hand_off(tx, goal, task, reference=reference)

    async def _asks(self, tx: Transaction, goal: Goal, task: Task, refusal: Refusal | None) -> bool:
        """Whether the requester is asked for another value: never where a try may have worked."""
        if refusal is None or not refusal.fields or await is_in_doubt(tx, task):
            return False
        return await self._questions.ask(tx, goal, task, refusal)

    async def _broke(
        self, tx: Transaction, goal: Goal, task: Task, attempt: Attempt, reference: str
    ) -> None:
        """End what a defect of ours stopped; a write may have been sent, so its reply is lost.

        A human gets it once nothing more is tried: no retry mends a defect in a read.
        """
        error = OutcomeUnknownError(BROKE)
        if Idempotency(attempt.idempotency) is Idempotency.READ:
            await self._end(tx, attempt, AttemptStatus.FAILED, code="system", message=BROKE)
            await self._fail(tx, task, "system", BROKE)
        else:
            await self._lost_reply(tx, goal, task, attempt, error)
        if task.status in (TaskStatus.FAILED, TaskStatus.UNKNOWN):
            await hand_off(tx, goal, task, reference=reference)

    async def _retry(
        self,
        tx: Transaction,
        goal: Goal,
        task: Task,
        attempt: Attempt,
        message: str,
        *,
        after_s: float | None,
    ) -> None:
        tries = task.tries + 1
        if tries >= self._timing.max_tries:
            said = f"{message} I tried {tries} times."
            await self._give_up(tx, goal, task, attempt, "retries_exhausted", said)
            return
        not_before = None if after_s == 0 else from_now(self._holds.pause_s(task, after_s))
        await self._make_ready(
            tx,
            goal,
            task,
            attempt,
            tries=tries,
            held_since=None,
            not_before=not_before,
            failure=held_up(message),
        )

    async def _make_ready(
        self, tx: Transaction, goal: Goal, task: Task, attempt: Attempt, **values: Any
    ) -> bool:
        """Let a task be tried again; of a goal that has ended it is dropped, or put to a human.

        Its requester does not want it any more, so it is not repeated only to learn whether it
        happened.
        """
        if goal.status not in SETTLED:
            return await move_task(tx, task, to=TaskStatus.READY, **values)
        if await is_in_doubt(tx, task):
            message = "The goal ended while this ran, and its answer was lost."
            await self._give_up(tx, goal, task, attempt, "unknown", message)
            return False
        await move_task(tx, task, to=TaskStatus.READY)
        await move_task(tx, task, to=TaskStatus.CANCELLED)
        return False

    async def _give_up(
        self,
        tx: Transaction,
        goal: Goal,
        task: Task,
        attempt: Attempt,
        code: str,
        message: str,
    ) -> None:
        """End a task that will not be tried again: failed, or unknown where a try may have worked.

        Of a keyed write whose reply was once lost nobody can say that it did not happen.
        """
        if await is_in_doubt(tx, task):
            await tx.calls.mark_unknown(team_id=attempt.team_id, attempt_id=attempt.id)
            await ask_human(tx, goal, task, message)
            return
        await self._fail(tx, task, code, message)

    async def _fail(self, tx: Transaction, task: Task, code: str, message: str) -> None:
        if code in _OVER_LATER:
            message = f"{message} Please ask me again later."
        await move_task(
            tx,
            task,
            to=TaskStatus.FAILED,
            failure={"code": code, "message": message},
        )
        await self._touch_approval(tx, task)

    async def _touch_approval(self, tx: Transaction, task: Task) -> None:
        if is_read(task, self._registry):
            return  # Nobody is asked about it.
        item = await tx.approvals.latest_item(task.team_id, task.id)
        if item is not None:
            await outbox.touch(tx, team_id=task.team_id, noun="approval", subject=item.approval_id)

    async def _end(
        self,
        tx: Transaction,
        attempt: Attempt,
        status: AttemptStatus,
        *,
        error: ConnectorError | None = None,
        code: str = "",
        message: str = "",
    ) -> None:
        details: dict[str, Any] | None = None
        if error is not None:
            details = {"code": error.code, "message": error.message}
        elif code:
            details = {"code": code, "message": message}
        await tx.calls.finish_attempt(
            team_id=attempt.team_id, attempt_id=attempt.id, status=status, error=details
        )
