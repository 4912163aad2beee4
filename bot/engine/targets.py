"""Targets: what of a goal a change of mind can mean, found by the person's own words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from bot.engine.arguments import fill
from bot.engine.cards import FormField
from bot.engine.forms import step_form
from bot.engine.plans import can_change
from bot.engine.progress import is_read
from bot.engine.said import moment_of, moment_text
from bot.planning.changes import Drop, Make, words_of
from bot.planning.moments import MomentError, first_instant, read_until
from bot.planning.parse.instants import When
from bot.planning.parse.money import Money
from bot.planning.parse.scan import Doubt
from bot.planning.plan import WaitUntil
from bot.planning.valid import read_wait
from connectors.registry import Registry
from storage.tables.goals import Task, TaskStatus

_BARE = 100
"""An amount without a currency that is smaller may be an hour or a count."""

_BEGUN = frozenset({TaskStatus.RUNNING, TaskStatus.SUCCEEDED, TaskStatus.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Target:
    """One way to apply a change of mind.

    Attributes:
        task: the step.
        what: the value that changes, as its form calls it; "" where the step itself is meant.
        values: the inputs of its form with their new texts.
        wait: what it waits for instead.
        is_begun: True where it is too late.
    """

    task: Task
    what: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    wait: WaitUntil | None = None
    is_begun: bool = False


@dataclass(frozen=True, slots=True)
class Around:
    """What words are read against.

    Attributes:
        tasks: all of the goal's.
        registry: what the actions are.
        zone: where the person is.
        now: an aware instant.
        is_proposed: whether the plan waits for its Run.
    """

    tasks: Sequence[Task]
    registry: Registry
    zone: ZoneInfo
    now: datetime
    is_proposed: bool


def find_targets(
    wish: Drop | Make, around: Around, *, loosely: bool = False
) -> list[Target | Doubt]:
    """Return everything that the words may mean; a doubt where they fit and are not certain.

    Args:
        wish: what is to change, and how the person called it.
        around: what the words are read against.
        loosely: whatever could take the value, or be left out, by whatever name it was called.
    """
    found: list[Target | Doubt] = []
    for task in around.tasks:
        if task.dropped_in is not None or is_read(task, around.registry):
            continue
        is_begun = task.status in _BEGUN
        if is_begun and task.parent_key is not None:
            continue
        if not is_begun and not can_change(task, around.tasks, is_proposed=around.is_proposed):
            continue
        own = _words(task, around) | (wish.words if loosely else frozenset())
        if isinstance(wish, Make):
            found += _made(wish, task, own, around, is_begun=is_begun)
        elif wish.words and wish.words <= own:
            found.append(Target(task, is_begun=is_begun))
    return found


def _made(
    wish: Make, task: Task, own: frozenset[str], around: Around, *, is_begun: bool
) -> list[Target | Doubt]:
    """Return the ways in which one step can take a new value."""
    fields = [one for one in form_fields(task, around) if _means(wish, own, one)]
    match wish.value:
        case When() as when:
            made = _timed(wish, task, own, when, fields, around)
        case Money() as money:
            is_clear = wish.words or money.currency or float(money.amount) >= _BARE
            made = [
                Target(task, one.title, {one.name: money.amount, **_currency(money, fields)})
                for one in fields
                if is_clear and one.kind == "number" and one.value
            ]
        case text:
            made = [
                Target(task, one.title, {one.name: text})
                for one in fields
                if words_of(one.title) <= wish.words
            ]
    return [
        Target(one.task, one.what, one.values, one.wait, is_begun=is_begun)
        if isinstance(one, Target)
        else one
        for one in made
    ]


def _timed(
    wish: Make,
    task: Task,
    own: frozenset[str],
    when: When,
    fields: Sequence[FormField],
    around: Around,
) -> list[Target | Doubt]:
    """Return what of a step can move to another time: what it waits for, and its instants."""
    found: list[Target | Doubt] = []
    wait = _new_wait(task, when, around) if wish.words <= own else None
    if isinstance(wait, Doubt):
        found.append(wait)
    elif wait is not None:
        found.append(Target(task, "When it goes on", wait=wait))
    moments = [one for one in fields if one.kind == "datetime"]
    moved = _moved(moments, when, around) if moments else None
    if isinstance(moved, Doubt):
        found.append(moved)
    elif moved is not None:
        found.append(Target(task, moments[0].title, moved))
    return found


def _means(wish: Make, own: frozenset[str], field_: FormField) -> bool:
    """Whether the words that a person used name this step or this value of it, or "it"."""
    return wish.words <= own | words_of(field_.title)


def form_fields(task: Task, around: Around) -> Sequence[FormField]:
    """Return the inputs of a step's form; none where its action is gone."""
    action = around.registry.stored_action(task.action)
    if action.is_removed:
        return ()
    resolved = fill(task, around.tasks, around.registry)
    return step_form(
        action,
        key=task.key,
        title="",
        arguments=resolved.arguments,
        fixed=frozenset(pointer.split("/")[1] for pointer, _ in resolved.pending),
        can_drop=True,
        zone=around.zone,
    ).fields


def _moved(
    moments: Sequence[FormField], when: When, around: Around
) -> dict[str, str] | Doubt | None:
    """Return the instants of a step moved so that its first is `when`; its length stays.

    None where the words leave out what the step does not have either.
    """
    first, *rest = moments
    old = moment_of(first.value, around.zone)
    start = combined(when, old, zone=around.zone, now=around.now)
    if start is None or isinstance(start, Doubt):
        return start
    values = {first.name: start.astimezone(around.zone).isoformat()}
    for one in rest:
        moment = moment_of(one.value, around.zone)
        if moment is not None and old is not None:
            values[one.name] = (moment + (start - old)).astimezone(around.zone).isoformat()
    if when.span is not None and when.span.end is not None and rest:
        end = datetime.combine(start.astimezone(around.zone).date(), when.span.end, around.zone)
        values[rest[0].name] = end.isoformat()
    return values


def combined(
    when: When, old: datetime | None, *, zone: ZoneInfo, now: datetime
) -> datetime | Doubt | None:
    """Return the instant that the words name; what they leave out stays as it is."""
    for part in (when.day, when.span):
        if part is not None and part.doubt is not None:
            return part.doubt
    local = old.astimezone(zone) if old is not None else None
    day = when.day.day if when.day else local.date() if local else None
    time = when.span.start if when.span else local.time() if local else None
    if day is None or time is None:
        return None
    start = first_instant(datetime.combine(day, time), zone)
    if start <= now:
        return Doubt(f"{moment_text(start, zone)} is in the past. When should it be?")
    return start


def _new_wait(task: Task, when: When, around: Around) -> WaitUntil | Doubt | None:
    """Return the wait of a step with its instant moved; None where it waits for no instant."""
    old = wait_moment(task, around.zone)
    if old is None:
        return None
    start = combined(when, old, zone=around.zone, now=around.now)
    return wait_at(start, around.zone) if isinstance(start, datetime) else start


def wait_moment(task: Task, zone: ZoneInfo) -> datetime | None:
    """Return the instant that a step waits for; None where it waits for no written one."""
    wait = read_wait(task.spec)
    if not isinstance(wait, WaitUntil) or not isinstance(wait.until, str):
        return None
    try:
        return read_until(wait.until, at=wait.at, zone=zone)
    except MomentError:
        return None


def wait_at(moment: datetime, zone: ZoneInfo) -> WaitUntil:
    """Return the wait for an instant, said as the person's day and time."""
    local = moment.astimezone(zone)
    return WaitUntil(until=local.date().isoformat(), at=f"{local:%H:%M}")


def _currency(money: Money, fields: Sequence[FormField]) -> dict[str, str]:
    """Return the currency that was written, where the step has an input for one."""
    names = [one.name for one in fields if one.name == "currency"]
    return {names[0]: money.currency} if names and money.currency else {}


def _words(task: Task, around: Around) -> frozenset[str]:
    """Return the words by which a person may call a step."""
    action = around.registry.stored_action(task.action)
    texts = [action.summary, around.registry.stored_connector(action.connector).title]
    texts += _strings(dict(fill(task, around.tasks, around.registry).arguments))
    return frozenset[str]().union(*map(words_of, texts))


def _strings(value: JsonValue) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for item in value.values() for text in _strings(item)]
        case list():
            return [text for item in value for text in _strings(item)]
    return []
