"""Recovery: settling a running task whose drive died (ARCHITECTURE.md, section 4.7)."""

from approvals import permits
from bot.engine.outcomes import Outcome, Raised, Repeat, Succeeded, Unseen
from connectors.actions import Idempotency
from connectors.calls import FrozenCall
from connectors.errors import ConnectorError, OutcomeUnknownError, RetryLaterError
from connectors.execute import Executor
from storage.database import Database
from storage.errors import StorageError
from storage.tables.calls import Attempt
from storage.tables.goals import Task


class Recovery:
    """Finds out what became of an attempt that nobody finished."""

    def __init__(self, *, executor: Executor) -> None:
        self._executor = executor

    async def look(self, task: Task, database: Database) -> tuple[int, Outcome]:
        """Return (attempt id, outcome) of a task whose lease and longest call are both over.

        The claim made sure that the old attempt cannot send any more, so a look-up that finds
        nothing proves that nothing happened.
        """
        async with database.transaction() as tx:
            attempt = await tx.calls.latest_attempt(task.team_id, task.id)
            if attempt is None:
                message = f"task {task.id} is running without an attempt"
                raise StorageError(message)
            call = await tx.calls.get(task.team_id, attempt.call_id)
        return attempt.id, await self._outcome(attempt, FrozenCall.model_validate(call.body))

    async def _outcome(self, attempt: Attempt, call: FrozenCall) -> Outcome:
        idempotency = Idempotency(attempt.idempotency)
        if idempotency in (Idempotency.READ, Idempotency.KEYED):
            return Repeat("The process that ran it was stopped; it is repeated safely.")
        unknown = OutcomeUnknownError(
            "The process that ran it was stopped before the answer arrived."
        )
        if idempotency is Idempotency.UNSAFE:
            return Raised(unknown)
        return await self._look_up(call, idempotency)

    async def _look_up(self, call: FrozenCall, idempotency: Idempotency) -> Outcome:
        try:
            result = await self._executor.verify(
                permits.read_permit(
                    team_id=call.team_id,
                    requester_id=call.requester_id,
                    connection_id=call.connection_id,
                    purpose="verify",
                ),
                call,
                idempotency=idempotency,
            )
        except ConnectorError as error:
            if isinstance(error, RetryLaterError) and not error.uses_a_try:
                return Unseen(error)
            # A look-up that was refused says nothing about the call itself.
            return Raised(OutcomeUnknownError(error.message))
        if result is None:
            why = "It was looked up and had not happened; it is run again."
            return Repeat(why, code="not_found")
        return Succeeded(result.model_dump(mode="json"))
