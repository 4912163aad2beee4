"""A validated plan: what the engine runs. Only the validator and a person's edit make one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import JsonValue, TypeAdapter

from bot.planning.plan import Guard, Ref, Wait
from connectors.labels import escape_pointer

REF_KEY = "$ref"
"""A stored reference is `{"$ref": {"task": "t1", "path": ["deals", 0, "id"]}}`."""

_WAIT: TypeAdapter[Wait] = TypeAdapter(Wait)


@dataclass(frozen=True, slots=True)
class ValidTask:
    """A task whose action exists and whose arguments and references fit; stored in `tasks.spec`.

    Attributes:
        key: unique in the goal ("t1").
        action: the qualified name ("hubspot.create_deal").
        arguments: every field of the argument model; each leaf a normalised literal or a
            reference in the stored form (`REF_KEY`).
        after: tasks to wait for besides the referenced ones.
        when: the guard, or None.
        why: one line for the card.
        depends_on: every task it waits for: references, `after`, the guard and the list, in plan
            order.
        for_each: the list whose every element becomes a task of its own, or None.
        wait: what it waits for once its dependencies are met, or None.
    """

    key: str
    action: str
    arguments: dict[str, JsonValue]
    after: tuple[str, ...]
    when: Guard | None
    why: str
    depends_on: tuple[str, ...]
    for_each: Ref | None = None
    wait: Wait | None = None

    def to_json(self) -> dict[str, JsonValue]:
        return {
            "key": self.key,
            "action": self.action,
            "arguments": self.arguments,
            "after": list(self.after),
            "when": self.when.model_dump(mode="json") if self.when else None,
            "why": self.why,
            "depends_on": list(self.depends_on),
            "for_each": self.for_each.model_dump(mode="json") if self.for_each else None,
            "wait": self.wait.model_dump(mode="json", by_alias=True) if self.wait else None,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the task that `to_json` wrote; it was validated then and is not checked again."""
        return cls(
            key=data["key"],
            action=data["action"],
            arguments=data["arguments"],
            after=tuple(data["after"]),
            when=Guard.model_validate(data["when"]) if data["when"] else None,
            why=data["why"],
            depends_on=tuple(data["depends_on"]),
            # Plans that were stored before there were lists and waits have none.
            for_each=Ref.model_validate(each) if (each := data.get("for_each")) else None,
            wait=read_wait(data),
        )


@dataclass(frozen=True, slots=True)
class ValidPlan:
    """Tasks in an order in which each one follows everything it depends on.

    Attributes:
        say: one line for the requester.
        tasks: what finished and what is to do.
        writes: qualified names of the write actions that a later round may add.
        final: False: run this, show the planner the results, then it plans the rest.
        shown_because: why this version is shown before it runs, whatever policy says; "" leaves
            that to policy. The engine sets it, no planner.
    """

    say: str
    tasks: tuple[ValidTask, ...]
    writes: tuple[str, ...] = ()
    final: bool = True
    shown_because: str = ""

    def to_json(self) -> dict[str, JsonValue]:
        return {
            "say": self.say,
            "tasks": [task.to_json() for task in self.tasks],
            "writes": list(self.writes),
            "final": self.final,
            "shown_because": self.shown_because,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(
            say=data["say"],
            tasks=tuple(ValidTask.from_json(task) for task in data["tasks"]),
            writes=tuple(data["writes"]),
            # Plans that were stored before there were rounds have neither.
            final=data.get("final", True),
            shown_because=data.get("shown_because", ""),
        )


def read_wait(spec: Mapping[str, Any]) -> Wait | None:
    """Return what a stored task waits for."""
    stored = spec.get("wait")
    return _WAIT.validate_python(stored) if stored else None


def stored_ref(ref: Ref) -> dict[str, JsonValue]:
    return {REF_KEY: {"task": ref.task, "path": list[JsonValue](ref.path)}}


def read_ref(value: JsonValue) -> Ref | None:
    """Return the reference that a stored argument value is, or None for a literal."""
    if isinstance(value, dict) and value.keys() == {REF_KEY}:
        return Ref.model_validate(value[REF_KEY])
    return None


def references(value: JsonValue, pointer: str = "") -> Iterator[tuple[str, Ref]]:
    """Yield (JSON pointer, reference) for every reference inside a stored argument value."""
    ref = read_ref(value)
    if ref is not None:
        yield pointer, ref
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from references(item, f"{pointer}/{escape_pointer(key)}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from references(item, f"{pointer}/{index}")
