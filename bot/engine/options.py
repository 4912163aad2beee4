"""Options: what a remark about a goal may mean, each a button under the question."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from pydantic import JsonValue

from bot.engine.wishes import Wish

MOST = 4
"""So many meanings get a button; of more the person is asked to say which with a word."""


class Meaning(StrEnum):
    CHANGE = "change"
    """This goal's plan changes as its wish says."""
    ADD = "add"
    """The planner fits the message into this goal's plan."""
    NEW_GOAL = "new_goal"
    """The message becomes a goal of its own."""


@dataclass(frozen=True, slots=True)
class Option:
    """One meaning.

    Attributes:
        label: what its button says.
        line: what it would do, in a line.
    """

    meaning: Meaning
    label: str
    line: str
    wish: Wish = field(default_factory=Wish)

    def to_json(self) -> dict[str, JsonValue]:
        return {
            "meaning": self.meaning.value,
            "label": self.label,
            "line": self.line,
            "wish": self.wish.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        wish = Wish.from_json(data["wish"])
        return cls(Meaning(data["meaning"]), data["label"], data["line"], wish)


THIS_GOAL = "Change this goal"
A_NEW_GOAL = Option(Meaning.NEW_GOAL, "A new goal", "A new goal: I plan it by itself.")
