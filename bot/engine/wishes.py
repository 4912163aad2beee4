"""Wishes: a change of a goal's plan, checked against the plan as it is now, and brought into it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from approvals.decisions import DecisionService
from bot.engine.forecast import Forecaster
from bot.engine.forms import value_text
from bot.engine.plans import (
    CHANGEABLE,
    can_change,
    leaves_nothing,
    needed_errors,
    read_edit,
    with_rows,
    words,
)
from bot.engine.revisions import Change, bring
from bot.engine.said import moment_text
from bot.planning.moments import read_until
from bot.planning.plan import WaitUntil
from bot.planning.valid import read_wait
from connectors.fields import argument_at
from connectors.labels import Labels, labels_from_json, labels_to_json
from connectors.registry import Registry
from storage import outbox
from storage.database import Transaction
from storage.tables.goals import Goal, GoalStatus, Task

_SOURCE = "in the thread"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to change: names and texts, as a form would send them; nothing of it is checked.

    Attributes:
        dropped: the steps that go.
        values: step → input of its form → the new text.
        waits: step → the written instant that it waits for instead.
        labels: step → where its new values came from; those without one were typed by the person.
    """

    dropped: frozenset[str] = frozenset()
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    waits: Mapping[str, WaitUntil] = field(default_factory=dict)
    labels: Mapping[str, Labels] = field(default_factory=dict)

    def to_json(self) -> dict[str, JsonValue]:
        return {
            "dropped": list[JsonValue](sorted(self.dropped)),
            "values": {key: dict(texts) for key, texts in self.values.items()},
            "waits": {
                key: wait.model_dump(mode="json", by_alias=True) for key, wait in self.waits.items()
            },
            "labels": {key: labels_to_json(labels) for key, labels in self.labels.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            frozenset(data["dropped"]),
            data["values"],
            {
                key: wait
                for key, stored in data["waits"].items()
                if isinstance(wait := read_wait({"wait": stored}), WaitUntil)
            },
            {key: labels_from_json(labels) for key, labels in data["labels"].items()},
        )


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a wish cannot be done, in a sentence with the remedy."""

    problem: str


@dataclass(frozen=True, slots=True)
class Ready:
    """A wish that can be done.

    Attributes:
        change: what is brought into the plan.
        will: one line a step, of what would be done.
        did: the same lines, of what was done.
    """

    change: Change
    will: tuple[str, ...]
    did: tuple[str, ...]


class Wishes:
    """Checks wishes and brings them into plans, for every way in which a person may say one."""

    def __init__(
        self, *, registry: Registry, forecaster: Forecaster, decisions: DecisionService
    ) -> None:
        self._registry = registry
        self._forecaster = forecaster
        self._decisions = decisions

    async def bring(self, tx: Transaction, goal: Goal, wish: Wish) -> str:
        """Make the next version of the plan, as an edit on the card would; return the answer.

        Nothing is changed where the wish cannot be done any more; the answer says why.

        Args:
            tx: holds the goal's row.
            goal: as it is now.
            wish: names steps of the plan's newest version.
        """
        if goal.status not in CHANGEABLE:
            return f"This goal is {words(goal.status)} already, so I changed nothing."
        tasks = await tx.tasks.list_(goal.team_id, goal.id)
        await tx.results.load(tasks)
        checked = await self.check(tx, goal, tasks, wish)
        if isinstance(checked, Refused):
            return checked.problem
        await bring(
            tx,
            goal,
            tasks,
            checked.change,
            person_id=goal.requester_id,
            decisions=self._decisions,
        )
        await outbox.touch(tx, team_id=goal.team_id, noun="goal", subject=goal.id, priority=1)
        return " ".join([*checked.did, _next(goal)])

    async def check(
        self, tx: Transaction, goal: Goal, tasks: Sequence[Task], wish: Wish
    ) -> Ready | Refused:
        """Return the change that a wish is, every value read by its argument's own type.

        Args:
            tx: reads.
            goal: may be changed now.
            tasks: all of the goal's, with their results.
            wish: may name anything.
        """
        by_key = {task.key: task for task in tasks}
        is_proposed = goal.status is GoalStatus.PROPOSED
        for key in {*wish.dropped, *wish.values, *wish.waits}:
            task = by_key.get(key)
            if task is None or not can_change(task, tasks, is_proposed=is_proposed):
                return Refused("That step has begun or is over, so I changed nothing.")
        dropped = with_rows(tasks, wish.dropped)
        if problem := await self._left_out(tx, goal, tasks, dropped):
            return problem
        will, did = [], []
        for key in sorted(wish.dropped, key=lambda key: by_key[key].position):
            sentence = await self.sentence(tx, goal, by_key[key], tasks)
            will.append(f"Leave out: {sentence}")
            did.append(f"Left out: {sentence}.")
        read = await self._values(tx, goal, tasks, wish, dropped)
        if isinstance(read, Refused):
            return read
        for key, (_, shown) in read.items():
            sentence = await self.sentence(tx, goal, by_key[key], tasks)
            becomes = ", ".join(f"{what.lower()} becomes {value}" for what, value in shown)
            now = ", ".join(f"{what.lower()} is now {value}" for what, value in shown)
            will.append(f"{sentence}: {becomes}")
            did.append(f"Changed: {sentence}. {now[:1].upper()}{now[1:]}.")
        for key in wish.waits:
            sentence = await self.sentence(tx, goal, by_key[key], tasks)
            when = await self._goes_on(tx, goal, wish.waits[key])
            will.append(f"{sentence}: goes on {when}")
            did.append(f"Changed when it goes on: {sentence}. It goes on {when}.")
        if not did:
            return Refused("It is so already; nothing changed.")
        changes = {key: changed for key, (changed, _) in read.items()}
        labels = {key: wish.labels[key] for key in changes if key in wish.labels}
        change = Change(dropped, changes, dict(wish.waits), _SOURCE, labels)
        return Ready(change, tuple(will), tuple(did))

    async def sentence(self, tx: Transaction, goal: Goal, task: Task, tasks: Sequence[Task]) -> str:
        """Return a step as its card calls it."""
        if task.call_id is not None:
            call = await tx.calls.get(goal.team_id, task.call_id)
            return str(call.preview["sentence"])
        requester = await tx.people.get(goal.team_id, goal.requester_id)
        forecast = await self._forecaster.forecast(tx, goal, task, tasks, requester=requester)
        return forecast.preview.sentence

    async def _goes_on(self, tx: Transaction, goal: Goal, wait: WaitUntil) -> str:
        """Return the instant that a step is to wait for, as a sentence has it."""
        zone = ZoneInfo((await tx.people.get(goal.team_id, goal.requester_id)).zone)
        return moment_text(read_until(str(wait.until), at=wait.at, zone=zone), zone)

    async def _left_out(
        self, tx: Transaction, goal: Goal, tasks: Sequence[Task], dropped: frozenset[str]
    ) -> Refused | None:
        """Return why steps cannot be left out."""
        if errors := needed_errors(tasks, dropped):
            needed = next(task for task in tasks if task.key == errors[0][0])
            sentence = await self.sentence(tx, goal, needed, tasks)
            first = errors[0][2].split(" needs", 1)[0].lower()
            return Refused(
                f"I did not leave out “{sentence}”: {first} of the plan builds on it. "
                "Use Edit on the card to drop both."
            )
        if dropped and leaves_nothing(tasks, dropped, self._registry):
            return Refused("That leaves nothing to do. To end the goal, write “stop”.")
        return None

    async def _values(
        self,
        tx: Transaction,
        goal: Goal,
        tasks: Sequence[Task],
        wish: Wish,
        dropped: frozenset[str],
    ) -> "dict[str, _Changed] | Refused":
        """Return what changes of each step that stays, or what is wrong with it."""
        found = {}
        for task in tasks:
            if task.key in dropped or task.key not in wish.values:
                continue
            read = await self._read(tx, goal, tasks, task, wish.values[task.key])
            if isinstance(read, Refused):
                return read
            if read[0]:
                found[task.key] = read
        return found

    async def _read(
        self,
        tx: Transaction,
        goal: Goal,
        tasks: Sequence[Task],
        task: Task,
        texts: Mapping[str, str],
    ) -> "_Changed | Refused":
        """Return the changed arguments of a step and how they read, or what is wrong with them."""
        requester = await tx.people.get(goal.team_id, goal.requester_id)
        zone = ZoneInfo(requester.zone)
        changed, errors = read_edit(task, tasks, texts, self._registry, zone)
        if errors:
            sentence = await self.sentence(tx, goal, task, tasks)
            return Refused(f"I could not change “{sentence}”: {errors[0][2]}")
        action = self._registry.stored_action(task.action)
        shown = []
        for name in action.arguments.model_fields:
            if name in changed:
                declared = argument_at(action.arguments, [name])
                title = declared.title if declared else name.replace("_", " ").capitalize()
                shown.append((title, value_text(action, name, changed[name], zone)))
        return changed, shown


_Changed: TypeAlias = tuple[dict[str, JsonValue], list[tuple[str, str]]]
"""The changed arguments of a step, and what each is called and reads now."""


def _next(goal: Goal) -> str:
    """Return what happens now."""
    match goal.status:
        case GoalStatus.PROPOSED:
            return "The card shows the new version; press Run when it is right."
        case GoalStatus.PAUSED:
            return "It stays paused until you resume."
    return "The rest goes on; if the change needs your word, the card asks for it."
