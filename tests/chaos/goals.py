"""The goals: a read and five writes each, of every kind, in chains, side by side and mixed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.planning.valid import ValidTask
from tests.bot.engine.world import add, ref, step
from tests.chaos.scale import REQUESTERS, WRITES

_KINDS = ("keyed", "verifiable", "unsafe")
_WEIGHTS = (4, 4, 2)

_SHAPES: dict[str, tuple[int | None, ...]] = {
    "parallel": (None, None, None, None, None),
    "chain": (None, 0, 1, 2, 3),
    "fan": (None, 0, 0, 0, 0),
    "pairs": (None, 0, None, 2, None),
}
"""Shape → for each write, the write whose result it needs."""

_APPROVED_SHARE = 0.2
_OWN_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Asked:
    """A goal as it is submitted; the names of its writes occur nowhere else."""

    number: int
    requester_id: str
    tasks: tuple[ValidTask, ...]

    @property
    def source_key(self) -> str:
        return f"chaos:{self.number}"


def ask_all(count: int, rng: random.Random) -> Iterator[Asked]:
    """Give so many goals; the same seed gives the same ones."""
    for number in range(count):
        yield _goal(number, rng)


def requester_id(number: int) -> str:
    return f"U-P{number:02}"


def name_of(goal: int, write: int) -> str:
    return f"g{goal}w{write}"


def _goal(number: int, rng: random.Random) -> Asked:
    parents = _SHAPES[rng.choice(sorted(_SHAPES))]
    is_own = rng.random() < _OWN_SHARE
    guest_at = rng.randrange(WRITES) if rng.random() < _APPROVED_SHARE else None
    tasks = [step("find", "find_items", query=f"nothing like {number}")]
    for write, parent in enumerate(parents):
        more: dict[str, Any] = {"is_own": is_own}
        if parent is not None:
            more["parent_id"] = ref(f"w{parent}", "id")
        if write == guest_at:
            more["guests"] = ["sam@acme.example"]
        kind = rng.choices(_KINDS, _WEIGHTS)[0]
        tasks.append(add(f"w{write}", name_of(number, write), kind=kind, after=("find",), **more))
    who = requester_id(rng.randrange(REQUESTERS))
    return Asked(number, who, tuple(tasks))
