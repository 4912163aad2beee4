"""Forecast: what a step will do and who will be asked, before its call is frozen."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from pydantic import JsonValue, ValidationError

from approvals.askees import Askees, resolve
from approvals.policy import Answer, Ask, Policy, PolicyVerdict, Subject
from bot.engine.arguments import fill, finished, not_found
from bot.engine.chosen import choose, show_chosen
from bot.engine.control import control_labels
from bot.engine.forms import value_text
from bot.engine.references import Resolved
from bot.engine.rows import count_rows, list_of
from connectors.actions import Action, Arguments, Detail, Effect, Preview, PreviewContext
from connectors.fields import argument_at
from connectors.labels import Labels, complete
from connectors.registry import Registry
from connectors.removed import MESSAGE
from storage.database import Transaction
from storage.tables.goals import Goal, Task
from storage.tables.people import Person

_ORDER = list(Effect)


@dataclass(frozen=True, slots=True)
class Forecast:
    """A step as it stands now: what would run, its labels, and policy's answer."""

    action: Action
    arguments: dict[str, JsonValue]
    labels: Labels
    preview: Preview
    verdict: PolicyVerdict
    askees: Askees | None
    problem: str | None = None
    """Why the step can never run; None as long as it may."""


class Forecaster:
    """Judges steps by what is known of them; what is unknown counts as the worst."""

    def __init__(self, *, registry: Registry, policy: Policy) -> None:
        self._registry = registry
        self._policy = policy

    async def forecast(
        self,
        tx: Transaction,
        goal: Goal,
        task: Task,
        tasks: Sequence[Task],
        *,
        requester: Person,
    ) -> Forecast:
        """Return what `task` would do and who would be asked if it were frozen now."""
        action = self._registry.stored_action(task.action)
        resolved = fill(task, tasks, self._registry)
        arguments = _typed(action, resolved)
        labels = complete(resolved.arguments, resolved.labels)
        verdict = self._policy.judge(
            Subject(
                connector=action.connector,
                action=action.name,
                effect=action.effect(arguments) if arguments else self._worst(action),
                arguments=resolved.arguments,
                labels=labels,
                requester_role=requester.role.value,
                always_asks=action.deletes and task.undoes_task_id is None,
                control=control_labels(task, tasks, self._registry),
                rows=count_rows(task, tasks),
            )
        )
        preview = (
            action.preview(
                arguments, PreviewContext(ZoneInfo(requester.zone), None, resolved.names)
            )
            if arguments
            else _partial_preview(action, resolved, ZoneInfo(requester.zone))
        )
        chosen = choose(
            action,
            task.spec["arguments"],
            finished(tasks, self._registry),
            every=list_of(task, tasks),
        )
        return Forecast(
            action=action,
            arguments=resolved.arguments,
            labels=labels | dict(chosen.labels),
            preview=show_chosen(preview, chosen),
            verdict=verdict,
            askees=await _asked(tx, goal, verdict),
            problem=MESSAGE if action.is_removed else not_found(resolved, action),
        )

    def _worst(self, action: Action) -> Effect:
        if action.is_removed:
            return Effect.IRREVERSIBLE
        manifest = self._registry.connector(action.connector).manifest
        if manifest is None:
            return Effect.READ
        return max(manifest.actions[action.name].effects, key=_ORDER.index)


async def _asked(tx: Transaction, goal: Goal, verdict: PolicyVerdict) -> Askees | None:
    if verdict.answer is not Answer.ASK:
        return None
    ask = verdict.ask or Ask()
    return await resolve(tx, team_id=goal.team_id, requester_id=goal.requester_id, ask=ask)


def _typed(action: Action, resolved: Resolved) -> Arguments | None:
    """Return the typed arguments, or None while some are not known yet."""
    if resolved.pending:
        return None
    try:
        return action.arguments.model_validate(resolved.arguments)
    except ValidationError:
        return None


def _partial_preview(action: Action, resolved: Resolved, zone: ZoneInfo) -> Preview:
    """Return what is known of a step that lacks a value, by the names that its form uses."""
    unknown = {pointer.split("/")[1] for pointer, _ in resolved.pending}
    details = []
    for name, value in resolved.arguments.items():
        declared = argument_at(action.arguments, [name])
        title = declared.title if declared else name.replace("_", " ").capitalize()
        if name in unknown:
            details.append(Detail(title, "what an earlier step finds", pointer=f"/{name}"))
        elif value not in (None, "", [], False) and not (declared and declared.id_kind):
            said = value_text(action, name, value, zone)
            details.append(Detail(title, said, pointer=f"/{name}"))
    return Preview(action.summary, tuple(details))
