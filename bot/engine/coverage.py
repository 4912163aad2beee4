"""What a Run answers for: values that stood on the card, and records that the plan itself made."""

from collections.abc import Mapping

from pydantic import JsonValue, ValidationError

from bot.engine.prepare import Prepared
from connectors.actions import Action
from connectors.calls import normalise
from storage.tables.goals import PlanRun


def covers(run: PlanRun, item: Prepared) -> bool:
    """Whether a Run answers for a call: every value stood on the card, or this plan made it."""
    shown: Mapping[str, JsonValue] | None = run.shown.get(item.task.key)
    if shown is None:
        return False
    given = item.call.arguments
    known = {name: value for name, value in shown.items() if name in given}
    as_it_would_run = _normal(item.action, {**given, **known})
    return all(
        (name in known and as_it_would_run.get(name) == value) or name in item.made_here
        for name, value in given.items()
    )


def _normal(action: Action, arguments: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """Return arguments as a call freezes them: a card may have shown "48000" for "48000.00"."""
    try:
        typed = action.arguments.model_validate(arguments)
    except ValidationError:
        return {}
    normal = normalise(typed.model_dump(mode="json"))
    return normal if isinstance(normal, dict) else {}
