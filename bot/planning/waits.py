"""Whether a planned wait is one: a moment that comes, a declared event, an id of its kind."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bot.planning.fitting import Declared
from bot.planning.moments import MAX_AHEAD, TOO_FAR, Duration, MomentError, read_until
from bot.planning.plan import Ref, Wait, WaitEvent, WaitFor, WaitUntil
from bot.planning.shapes import Kind, find
from connectors.actions import Out
from connectors.registry import Registry

_GREENWICH = ZoneInfo("UTC")
"""Whether a moment is too far ahead does not hang on the hours between zones."""


class WaitFlawError(Exception):
    """A wait cannot be waited for; the message tells the planner what would do."""


def check_wait(
    wait: Wait,
    *,
    declared: Callable[[Ref], Declared | str],
    registry: Registry,
    now: datetime | None,
) -> None:
    """Refuse what cannot be waited for.

    A moment that is over already is no flaw: its task runs at once and its card says so.

    Raises:
        WaitFlawError: names what is wrong.
    """
    try:
        match wait:
            case WaitUntil(until=Ref() as ref):
                _check_moment(ref, declared)
            case WaitUntil(until=str() as until, at=at):
                _check_ahead(read_until(until, at=at, zone=_GREENWICH), now)
            case WaitFor(duration=duration):
                _check_length(duration)
            case WaitEvent():
                _check_event(wait, declared, registry)
                _check_length(wait.at_most)
    except MomentError as error:
        raise WaitFlawError(str(error)) from error


def _check_moment(ref: Ref, declared: Callable[[Ref], Declared | str]) -> None:
    found = declared(ref)
    if isinstance(found, str):
        raise WaitFlawError(found)
    if any(member.kind not in (Kind.INSTANT, Kind.TEXT) for member in found.members):
        raise WaitFlawError(f"{ref} is no date or instant")


def _check_ahead(moment: datetime, now: datetime | None) -> None:
    if now is not None and moment > now + MAX_AHEAD:
        raise WaitFlawError(TOO_FAR)


def _check_length(duration: str) -> None:
    start = datetime(2000, 1, 1, tzinfo=UTC)
    _check_ahead(Duration.parse(duration).after(start, _GREENWICH), start)


def _check_event(
    wait: WaitEvent, declared: Callable[[Ref], Declared | str], registry: Registry
) -> None:
    event = registry.find_event(wait.event)
    if event is None:
        names = ", ".join(sorted(item.name for item in registry.events())) or "none"
        raise WaitFlawError(f"there is no event called {wait.event[:60]!r}; there are: {names}")
    if event.value is not None and not (wait.value or "").strip():
        raise WaitFlawError(f"{event.name} needs a value: the {event.value}")
    if event.value is None and wait.value is not None:
        raise WaitFlawError(f"{event.name} takes no value; leave it null")
    found = declared(wait.subject)
    if isinstance(found, str):
        raise WaitFlawError(found)
    kinds = {out.id_kind for member in found.members if (out := find(member.metadata, Out))}
    if found.out is not None:
        kinds.add(found.out.id_kind)
    if event.subject not in kinds:
        raise WaitFlawError(f"{wait.subject} is no id of kind {event.subject}")
