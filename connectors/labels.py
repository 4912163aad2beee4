"""Labels: where a value came from (ARCHITECTURE.md, section 5).

Every leaf of every argument carries a label and a source. A lost label is `outside`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from pydantic import JsonValue


class Label(StrEnum):
    """Origin of a value, from the most to the least trusted."""

    MESSAGE = "message"
    PROFILE = "profile"
    RECORD = "record"
    MODEL = "model"
    OUTSIDE = "outside"


_TRUST = list(Label)


@dataclass(frozen=True, slots=True)
class Provenance:
    """A label and a pointer to the source: a message span, `t3.deals.0.id`, a model's name."""

    label: Label
    source: str

    def to_json(self) -> dict[str, JsonValue]:
        return {"label": self.label.value, "source": self.source}


LOST = Provenance(Label.OUTSIDE, "unknown")
"""What a leaf without a label counts as (S3)."""

Labels: TypeAlias = Mapping[str, Provenance]
"""JSON pointer of a leaf (`/attendees/0`) → where its value came from."""


def join(provenances: Iterable[Provenance]) -> Provenance:
    """Return the least trusted of them; of none, `LOST`."""
    return max(provenances, key=lambda item: _TRUST.index(item.label), default=LOST)


def labels_from_json(data: Mapping[str, Mapping[str, Any]]) -> dict[str, Provenance]:
    return {
        pointer: Provenance(Label(item["label"]), str(item["source"]))
        for pointer, item in data.items()
    }


def labels_to_json(labels: Labels) -> dict[str, JsonValue]:
    return {pointer: item.to_json() for pointer, item in labels.items()}


def escape_pointer(part: str) -> str:
    """Escape one reference token of a JSON pointer (RFC 6901, section 3)."""
    return part.replace("~", "~0").replace("/", "~1")


def leaves(value: JsonValue, pointer: str = "") -> Iterator[tuple[str, JsonValue]]:
    """Yield (JSON pointer, value) of every leaf; an empty list or object is a leaf itself."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, f"{pointer}/{escape_pointer(key)}")
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from leaves(item, f"{pointer}/{index}")
    else:
        yield pointer, value


def complete(value: JsonValue, labels: Labels) -> dict[str, Provenance]:
    """Return labels for exactly the leaves of `value`; a leaf without one is `LOST` (S3)."""
    return {pointer: labels.get(pointer, LOST) for pointer, _ in leaves(value)}
