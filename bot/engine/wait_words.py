"""What cards say about a wait: what it is for, that it came late, and that it is over."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.engine.references import Finished
from bot.engine.waits import NoMomentError, Surroundings, end_of
from bot.planning.moments import Duration
from bot.planning.plan import Ref, Wait, WaitEvent, WaitFor, WaitUntil
from bot.planning.valid import read_wait
from connectors.registry import Registry
from storage.tables.goals import Goal, GoalStatus, Task, TaskStatus
from storage.tables.waits import Wait as WaitRow
from storage.tables.waits import WaitEnding

LATE = timedelta(minutes=1)
"""Later than this after its instant a task says that, and why, it did not run in time."""


@dataclass(frozen=True, slots=True)
class WaitWords:
    """What a step says about its wait.

    Attributes:
        waits: "waits until Tue 1 Dec 09:00 CET", as long as it may still wait; None afterwards.
        note: a sentence where it ran late, at once, or waited in vain for its instant.
    """

    waits: str | None = None
    note: str | None = None


def wait_words(
    task: Task,
    row: WaitRow | None,
    *,
    goal: Goal,
    zone: ZoneInfo,
    results: Mapping[str, Finished],
    registry: Registry,
) -> WaitWords:
    """Return what a task's card says about its wait, from its plan and its newest row."""
    wait = read_wait(task.spec)
    if wait is None:
        return WaitWords()
    if row is not None and row.ended_at is not None:
        return WaitWords(note=_note(row, zone, is_paused=goal.status is GoalStatus.PAUSED))
    if row is None and task.status not in (TaskStatus.PENDING, TaskStatus.READY):
        return WaitWords()
    around = Surroundings(goal.created_at, zone, results, goal.created_at)
    return WaitWords(waits=_waits(wait, row, around, registry))


def _waits(wait: Wait, row: WaitRow | None, around: Surroundings, registry: Registry) -> str:
    if isinstance(wait, WaitEvent):
        event = registry.find_event(wait.event)
        what = event.words(wait.value) if event else "something happens"
        return f"waits until {what}, at most {Duration.parse(wait.at_most).words()}"
    if row is not None:
        return f"waits until {moment(row.due_at, around.zone, since=row.started_at)}"
    if isinstance(wait, WaitFor):
        return f"waits {Duration.parse(wait.duration).words()}"
    try:
        return f"waits until {moment(end_of(wait, around), around.zone, since=around.now)}"
    except NoMomentError:
        return _until_found(wait)


def _until_found(wait: WaitUntil) -> str:
    time = f", {wait.at}" if wait.at else ""
    field = wait.until.path[-1] if isinstance(wait.until, Ref) and wait.until.path else "date"
    return f"waits until the {str(field).replace('_', ' ')} that an earlier step finds{time}"


def _note(row: WaitRow, zone: ZoneInfo, *, is_paused: bool = False) -> str | None:
    due = moment(row.due_at, zone, since=row.started_at)
    match row.ending:
        case WaitEnding.PAST:
            return f"It was due {due}, which was over already, so it did not wait."
        case WaitEnding.HELD if is_paused:
            return f"It was due {due}; it runs once you resume this."
        case WaitEnding.HELD:
            return f"It was due {due}; this was paused then, so it ran after you resumed it."
        case WaitEnding.REACHED if row.ended_at and row.ended_at - row.due_at > LATE:
            ran = moment(row.ended_at, zone, since=row.started_at)
            return f"Due {due}, begun {ran}: I was not running in between."
        case _:
            return None


def moment(at: datetime, zone: ZoneInfo, *, since: datetime) -> str:
    """Return an instant in somebody's zone, with its year where that is not the one of `since`."""
    local = at.astimezone(zone)
    year = "" if local.year == since.astimezone(zone).year else f" {local.year}"
    return f"{local:%a} {local.day} {local:%b}{year} {local:%H:%M %Z}"


def awaited_words(
    row: WaitRow, wait: Wait | None, *, zone: ZoneInfo, step: str, registry: Registry
) -> str:
    """Return the one sentence that tells somebody that a long wait is over."""
    if isinstance(wait, WaitEvent):
        event = registry.find_event(wait.event)
        what = event.words(wait.value) if event else "what you waited for"
        if row.ending is WaitEnding.HAPPENED:
            return f"You wanted to wait until {what}. It happened, so I go on with: {step}."
        length = Duration.parse(wait.at_most).words()
        return f"I waited {length} until {what}. It did not happen, so this was not done: {step}."
    late = _note(row, zone)
    due = moment(row.due_at, zone, since=row.started_at)
    return f"{late or f'It is {due}.'} I go on with: {step}."
