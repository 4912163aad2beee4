"""Instants that a model read: what moves keeps its length, and what the person said is theirs."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.engine.readings import steps_seen, to_wish
from bot.engine.targets import Around
from bot.engine.wishes import Refused, Wish
from bot.planning.reading import MessageKind, NewValue, Reading
from connectors.google_calendar.actions import CONNECTOR
from connectors.registry import Registry
from storage.tables.goals import Task, TaskStatus

NOW = datetime(2026, 11, 21, 11, tzinfo=UTC)
"""A Saturday."""
ZONE = ZoneInfo("Europe/Berlin")
REGISTRY = Registry((CONNECTOR,))


def around() -> Around:
    """Return a goal with one open event on Thursday, from 10 to 11:30 in Berlin."""
    action = REGISTRY.action("create_event")
    given: dict[str, Any] = {
        "title": "Kickoff",
        "start": "2026-11-26T10:00:00+01:00",
        "end": "2026-11-26T11:30:00+01:00",
    }
    arguments = {
        name: given.get(name, info.get_default(call_default_factory=True))
        for name, info in action.arguments.model_fields.items()
    }
    labels = {f"/{name}": {"label": "message", "source": "typed"} for name in arguments}
    spec: dict[str, Any] = {
        "key": "t1",
        "action": action.qualified_name,
        "arguments": arguments,
        "after": [],
        "when": None,
        "why": "",
        "depends_on": [],
        "labels": labels,
    }
    task = Task(
        key="t1",
        action=action.qualified_name,
        spec=spec,
        depends_on=[],
        status=TaskStatus.PENDING,
        parent_key=None,
        dropped_in=None,
        call_id=None,
    )
    return Around([task], REGISTRY, ZONE, NOW, is_proposed=True)


def read(text: str, value: str) -> Wish | Refused:
    found = Reading(MessageKind.CHANGE, values=(NewValue("t1", "start", value),))
    return to_wish(found, around(), text=text, people=())


def test_model_sees_instants_in_the_persons_zone() -> None:
    """The form's own text, so that a changed one reads the same way."""
    (seen,) = steps_seen(around())
    fields = {one.name: one.value for one in seen.fields}
    assert (fields["start"], fields["end"]) == ("2026-11-26 10:00", "2026-11-26 11:30")


@pytest.mark.parametrize(
    ("text", "label"),
    [("Could we do Friday?", "message"), ("könnten wir das auf Freitag legen?", "model")],
)
def test_moved_event_keeps_its_length_and_its_words(text: str, label: str) -> None:
    """Where our own parse reads the same instant it is the person's word, else the model's (S3)."""
    wish = read(text, "2026-11-27 10:00")
    assert isinstance(wish, Wish)
    assert wish.values["t1"]["start"] == "2026-11-27 10:00"
    end = datetime.fromisoformat(wish.values["t1"]["end"])
    assert end == datetime(2026, 11, 27, 10, 30, tzinfo=UTC)
    assert {item.label.value for item in wish.labels["t1"].values()} == {label}


def test_instant_that_the_words_do_not_say_is_the_models() -> None:
    """A model that answers Monday to “Friday” is not covered by the word “Friday” (S3)."""
    wish = read("Could we do Friday?", "2026-11-30 10:00")
    assert isinstance(wish, Wish)
    assert wish.labels["t1"]["/start"].label.value == "model"


def test_instant_in_the_past_is_asked_about() -> None:
    """No event is moved to a day that is over."""
    assert read("gestern", "2026-11-20 10:00") == Refused(
        "That time is in the past. When should it be?"
    )
