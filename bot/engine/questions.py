"""Questions: a call that is refused for a value which its requester gave is asked about, once.

Nothing was done, so another value is no second try: it becomes a new version of the plan, and the
step goes through the gate from the start.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from bot.engine.forms import is_editable, offered
from bot.engine.refusals import Refusal
from bot.engine.rounds import Rounds
from bot.goals.lifecycle import SETTLED, move_task
from connectors.actions import Action
from connectors.labels import Label, labels_from_json
from connectors.registry import Registry
from storage import outbox
from storage.database import Transaction
from storage.tables.goals import Goal, GoalKind, Task, TaskStatus

CODE = "question"
"""The failure's code of a task that asks."""

ANSWERED = "in answer to my question"
"""Where a person typed a value with which a question was answered."""

MOST_CHOICES = 5
"""More are offered in the form, where they are a menu."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a task asks, stored in its row until it is answered.

    Attributes:
        message: why, in a sentence.
        fields: the arguments that may be changed; the first is the one that words answer.
        choices: values of the first one to choose from, as its form shows them.
        version: of the plan that asked, so that no older card answers a newer question.
    """

    message: str
    fields: tuple[str, ...]
    choices: tuple[str, ...]
    version: int
    step: str
    """The key of the step whose values these are: the one that asks, or a read before it."""

    def to_json(self) -> dict[str, Any]:
        return {"code": CODE, **asdict(self)}

    @classmethod
    def of(cls, task: Task) -> Self | None:
        """Return what a task asks now; None where it asks nothing."""
        if task.status is not TaskStatus.ASKING or task.failure is None:
            return None
        data = task.failure
        return cls(
            data["message"],
            tuple(data["fields"]),
            tuple(data["choices"]),
            data["version"],
            # A version before asked about the step's own values alone.
            data.get("step", task.key),
        )


class Questions:
    """Asks requesters about values. It changes no plan: `bot.engine.answers` does."""

    def __init__(self, *, registry: Registry, rounds: Rounds) -> None:
        self._registry = registry
        self._rounds = rounds

    async def ask(self, tx: Transaction, goal: Goal, task: Task, refusal: Refusal) -> bool:
        """Let a task wait for its requester's answer; False where there is nothing to ask.

        Rows of lists are not asked about, one by one: their list says what failed. Nor is an undo,
        nor a value that the planner chose, or what it had looked for, as long as the planner may
        find another.

        Args:
            tx: holds the goal's row.
            goal: the task's.
            task: ready or running; no try of it may have happened.
            refusal: why.
        """
        source = task
        if refusal.step:
            tasks = await tx.tasks.list_(goal.team_id, goal.id)
            source = next(item for item in tasks if item.key == refusal.step)
        action = self._registry.stored_action(source.action)
        fields = tuple(name for name in refusal.fields if is_editable(action, name))
        if not fields or goal.status in SETTLED or goal.stopped_because is not None:
            return False
        if goal.kind is not GoalKind.REQUEST or task.parent_key is not None:
            return False
        is_theirs = not refusal.step and _is_theirs(task, fields)
        if not is_theirs and self._rounds.may_deviate(goal):
            return False
        question = Question(
            message=refusal.message,
            fields=fields,
            choices=_choices(action, source, fields[0], refusal.allowed.get(fields[0], ())),
            version=goal.plan_version,
            step=source.key,
        )
        await move_task(
            tx,
            task,
            to=TaskStatus.ASKING,
            audit={"fields": list(fields)},
            failure=question.to_json(),
            held_since=None,
        )
        await outbox.show(
            tx,
            team_id=goal.team_id,
            noun=CODE,
            subject=task.id,
            channel_id=goal.channel_id,
            thread_ts=goal.thread_ts,
            priority=2,
        )
        return True


def _is_theirs(task: Task, fields: Sequence[str]) -> bool:
    """Whether the requester gave one of these values: in the message, an edit, or an answer."""
    labels = labels_from_json(task.spec.get("labels", {}))
    return any(
        item.label is Label.MESSAGE and pointer.split("/")[1] in fields
        for pointer, item in labels.items()
    )


def _choices(action: Action, task: Task, name: str, allowed: Sequence[str]) -> tuple[str, ...]:
    """Return what to offer: what the provider takes, else what the form would; not the refused."""
    refused = task.spec["arguments"].get(name)
    return offered(action, name, allowed, but=refused)[:MOST_CHOICES]
