"""Preparing a task: fill its arguments, read what must still hold, and freeze the call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import JsonValue, ValidationError

from approvals import permits
from approvals.policy import Subject
from bot.engine.absent import nothing_there
from bot.engine.arguments import fill, finished, made_here, missing_required
from bot.engine.chosen import choose, show_chosen
from bot.engine.control import control_labels
from bot.engine.doubt import doubtful
from bot.engine.references import Resolved
from bot.engine.refusals import Refusal, refusal_of
from bot.engine.rows import count_rows, list_of
from connectors.actions import (
    Action,
    Arguments,
    Detail,
    Effect,
    Idempotency,
    Preview,
    PreviewContext,
)
from connectors.calls import CanonicalJsonError, FrozenCall
from connectors.errors import (
    ConnectorError,
    ReconnectRequiredError,
    RetryLaterError,
)
from connectors.execute import Executor, ReadPermit
from connectors.labels import Labels, Provenance, complete, labels_from_json
from connectors.registry import Registry
from connectors.removed import MESSAGE
from storage.database import Database, Transaction
from storage.tables.calls import Call
from storage.tables.connections import Connection, ConnectionStatus
from storage.tables.goals import Goal, Task
from storage.tables.people import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A task whose call is frozen: ready for the gate."""

    task: Task
    action: Action
    call: FrozenCall
    labels: dict[str, Provenance]
    preview: Preview
    shown_labels: Labels
    """Where the preview's words about chosen records came from; policy does not judge them."""
    effect: Effect
    idempotency: Idempotency
    made_here: frozenset[str]
    """The arguments that are ids of records which this plan itself made."""
    control: Labels
    """Where came from what decides whether and how often it runs."""
    rows: int
    """How many calls are made in one go with this one (S38)."""
    undoes: bool
    """True when it takes back what this person's own goal did: their click is the ask."""

    def subject(self, *, requester_role: str) -> Subject:
        """Return what policy judges."""
        return Subject(
            connector=self.action.connector,
            action=self.action.name,
            effect=self.effect,
            arguments=self.call.arguments,
            labels=self.labels,
            requester_role=requester_role,
            always_asks=self.action.deletes and not self.undoes,
            control=self.control,
            rows=self.rows,
        )


@dataclass(frozen=True, slots=True)
class NeedsConnection:
    """A task that waits until its requester connects a provider with these scopes."""

    task: Task
    provider: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class CannotPrepare:
    """A task for which nothing can be frozen; the message says what the person can do."""

    task: Task
    code: str
    message: str
    reference: str | None = None
    """Of the log, where a defect of ours is the reason: then it is handed to a human."""
    refusal: Refusal | None = None
    """Which values are the reason, where others could be given instead."""


@dataclass(frozen=True, slots=True)
class TryLater:
    """A task whose provider cannot answer now; nothing happened."""

    task: Task
    error: RetryLaterError


Preparation = Prepared | NeedsConnection | CannotPrepare | TryLater


@dataclass(frozen=True, slots=True)
class Scene:
    """What preparing a goal's tasks needs to know, read in one transaction."""

    goal: Goal
    requester: Person
    tasks: Sequence[Task]
    connections: Mapping[str, Connection]
    doubtful: Mapping[int, Call]
    """Task id → the call that may have happened already; it is repeated as it is."""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.requester.zone)


class Preparer:
    """Freezes calls. It reads through the requester's own connection and changes nothing."""

    def __init__(self, *, registry: Registry, executor: Executor, database: Database) -> None:
        self._registry = registry
        self._executor = executor
        self._database = database

    async def scene(self, team_id: str, goal_id: int) -> Scene:
        """Return a goal with its requester, tasks and the requester's connections."""
        async with self._database.reading() as tx:
            return await self.scene_of(tx, await tx.goals.get(team_id, goal_id))

    async def scene_of(self, tx: Transaction, goal: Goal) -> Scene:
        """Return the same within a transaction."""
        team_id = goal.team_id
        requester = await tx.people.get(team_id, goal.requester_id)
        tasks = await tx.tasks.list_(team_id, goal.id)
        await tx.results.load(tasks)
        connections = await tx.connections.list_(team_id, goal.requester_id)
        lost = doubtful(await tx.calls.list_attempts(team_id, goal.id))
        calls = {key: await tx.calls.get(team_id, at.call_id) for key, at in lost.items()}
        by_provider = {item.provider: item for item in connections}
        return Scene(goal, requester, tasks, by_provider, calls)

    def needs_reads(self, task: Task) -> bool:
        """Whether freezing a task's call reads at its provider first."""
        action = self._registry.stored_action(task.action)
        return action.precondition is not None or action.probe is not None

    async def prepare(self, task: Task, scene: Scene) -> Preparation:
        """Return the task's frozen call, or what it waits for, or why there is none."""
        try:
            return await self._prepare(task, scene)
        except ValidationError as error:
            return _misfit(task, error)
        except CanonicalJsonError as error:
            return CannotPrepare(task, "invalid", str(error))
        except ConnectorError as error:
            return _held_up(task, error)

    async def _prepare(self, task: Task, scene: Scene) -> Preparation:
        action = self._registry.stored_action(task.action)
        if action.is_removed:
            return CannotPrepare(task, "removed", MESSAGE)
        if task.id in scene.doubtful:
            return await self._repeat(task, action, scene.doubtful[task.id], scene)
        resolved = fill(task, scene.tasks, self._registry)
        problem = missing_required(resolved, action)
        if problem is not None:
            refusal = nothing_there(resolved, action, scene.tasks, self._registry)
            return CannotPrepare(task, "reference", problem, refusal=refusal)
        arguments = action.arguments.model_validate(resolved.arguments)
        connection = self._connection(action, arguments, scene)
        if isinstance(connection, frozenset):
            return NeedsConnection(task, action.connector, connection)
        await self._executor.check(action)
        return await self._freeze(task, action, arguments, resolved, connection, scene)

    async def _repeat(
        self, task: Task, action: Action, stored: Call, scene: Scene
    ) -> Prepared | NeedsConnection | CannotPrepare:
        """Return the stored call itself: nothing is read, so its hash and key stay the same."""
        call = FrozenCall.model_validate(stored.body)
        if call.hash != stored.hash:
            return CannotPrepare(task, "tampered", _TAMPERED)
        arguments = action.arguments.model_validate(call.arguments)
        connection = self._connection(action, arguments, scene)
        if isinstance(connection, frozenset):
            return NeedsConnection(task, action.connector, connection)
        await self._executor.check(action)
        labels = labels_from_json(stored.labels)
        judged = complete(call.arguments, labels)
        return Prepared(
            task=task,
            action=action,
            call=call,
            labels=judged,
            preview=preview_from_json(stored.preview),
            shown_labels={at: item for at, item in labels.items() if at not in judged},
            effect=action.effect(arguments),
            idempotency=Idempotency.KEYED,
            made_here=made_here(action, call.arguments, scene.tasks, self._registry),
            control=control_labels(task, scene.tasks, self._registry),
            rows=count_rows(task, scene.tasks),
            undoes=task.undoes_task_id is not None,
        )

    def _connection(
        self, action: Action, arguments: Arguments, scene: Scene
    ) -> Connection | frozenset[str] | None:
        """Return the connection, the scopes to ask for, or None where none is needed."""
        connector = self._registry.connector(action.connector)
        if connector.manifest is None:
            return None
        connection = scene.connections.get(action.connector)
        scopes = action.scopes(arguments)
        if connection is None or connection.status is not ConnectionStatus.CONNECTED:
            return scopes
        missing = connector.manifest.missing(asked=scopes, granted=connection.scopes)
        return missing or connection

    async def _freeze(
        self,
        task: Task,
        action: Action,
        arguments: Arguments,
        resolved: Resolved,
        connection: Connection | None,
        scene: Scene,
    ) -> Prepared | CannotPrepare:
        connection_id = connection.id if connection else None
        precondition = await self._executor.read_precondition(
            _reading(scene, connection_id, "precondition"), action, arguments
        )
        expected = task.spec.get("expects")
        if expected is not None and not _as_expected(precondition, expected):
            return CannotPrepare(task, "changed", _EDITED_SINCE)
        idempotency = await self._executor.probe(
            _reading(scene, connection_id, "probe"), action, arguments
        )
        canonical = arguments.model_dump(mode="json")
        call = FrozenCall.freeze(
            team_id=task.team_id,
            goal_id=task.goal_id,
            task_id=task.id,
            action=action.qualified_name,
            action_version=action.version,
            arguments=canonical,
            connection_id=connection_id,
            requester_id=scene.goal.requester_id,
            precondition=precondition,
        )
        preview = action.preview(arguments, PreviewContext(scene.zone, precondition))
        chosen = choose(
            action,
            task.spec["arguments"],
            finished(scene.tasks, self._registry),
            every=list_of(task, scene.tasks),
        )
        return Prepared(
            task=task,
            action=action,
            call=call,
            labels=complete(canonical, resolved.labels),
            preview=show_chosen(preview, chosen),
            shown_labels=chosen.labels,
            effect=action.effect(arguments),
            idempotency=idempotency,
            made_here=made_here(action, canonical, scene.tasks, self._registry),
            control=control_labels(task, scene.tasks, self._registry),
            rows=count_rows(task, scene.tasks),
            undoes=task.undoes_task_id is not None,
        )


_TAMPERED = "What was stored is not what was shown, so nothing was run. Tell an admin."
_EDITED_SINCE = (
    "Somebody changed it since, so it was left as it is. "
    "Look at it and change it back by hand if you still want to."
)


def _as_expected(
    precondition: Mapping[str, JsonValue] | None, expected: Mapping[str, JsonValue]
) -> bool:
    """Whether what an undo would take back is still as our own call left it."""
    found = precondition or {}
    return all(found.get(name) == value for name, value in expected.items())


def _reading(
    scene: Scene, connection_id: int | None, purpose: Literal["precondition", "probe"]
) -> ReadPermit:
    return permits.read_permit(
        team_id=scene.goal.team_id,
        requester_id=scene.goal.requester_id,
        connection_id=connection_id,
        purpose=purpose,
    )


def preview_from_json(data: Mapping[str, Any]) -> Preview:
    """Return the preview that was stored with a call."""
    details = tuple(Detail(**item) for item in data["details"])
    return Preview(data["sentence"], details, data["notifies"])


def _held_up(task: Task, error: ConnectorError) -> NeedsConnection | TryLater | CannotPrepare:
    match error:
        case ReconnectRequiredError():
            return NeedsConnection(task, error.provider, error.missing_scopes)
        case RetryLaterError():
            return TryLater(task, error)
        case _:
            return CannotPrepare(task, error.code, error.message, refusal=refusal_of(error))


def _misfit(task: Task, error: ValidationError) -> CannotPrepare:
    """Return which value does not fit its argument, and why."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "its values"
    said = f"This step's {place} does not fit: {first['msg']}."
    refusal = Refusal(said, tuple(str(part) for part in first["loc"][:1]), {})
    message = f"{said} Ask me again with another value."
    return CannotPrepare(task, "invalid", message, refusal=refusal)
