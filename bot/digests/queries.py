"""Digest queries: read what a person's digest shows, in one transaction."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.digests.lines import instant, quoted, sentence
from bot.digests.models import Digest, DigestLine
from bot.digests.schedule import zone_of
from bot.goals.pending import gather
from bot.goals.permalinks import permalink
from connectors.registry import Registry
from storage.database import Transaction
from storage.errors import NotFoundError
from storage.tables.goals import Goal, GoalStatus, Task, TaskStatus
from storage.tables.people import Person
from storage.tables.records import DigestRun

LATE = timedelta(minutes=10)
"""The tick comes once a minute: a digest that is this late waited for Countersign itself."""

_YOURS = {
    GoalStatus.PROPOSED: "Run, edit or cancel",
    GoalStatus.ASKING: "Answer a question about",
}
_STUCK = frozenset({TaskStatus.FAILED, TaskStatus.DECLINED})
_ENDED = frozenset({GoalStatus.DONE, GoalStatus.PARTLY_DONE, GoalStatus.FAILED})


class DigestQueries:
    """Composes digests from rows; it asks neither Slack nor a provider."""

    def __init__(self, *, registry: Registry) -> None:
        self._registry = registry

    async def load(self, tx: Transaction, team_id: str, run_id: int) -> Digest:
        """Return the digest of a run as things stand now.

        Raises:
            NotFoundError: when this team has no such run.
        """
        run = await tx.digests.find_run(team_id, run_id)
        if run is None:
            raise NotFoundError("digest", run_id)
        person = await tx.people.get(team_id, run.person_id)
        return await self.compose(
            tx, person, since=run.since, until=run.created_at, late_note=late_note(run, person)
        )

    async def compose(
        self,
        tx: Transaction,
        person: Person,
        *,
        since: datetime,
        until: datetime,
        late_note: str | None = None,
    ) -> Digest:
        """Return what waits on a person, what ended in between, what is next and what is stuck."""
        goals = await tx.digests.list_goals(
            person.team_id, person.person_id, since=since, until=until
        )
        tasks = await self._tasks(tx, person.team_id, goals)
        return Digest(
            person_id=person.person_id,
            zone=zone_of(person.zone),
            since=since,
            until=until,
            waiting=await self._waiting(tx, person, goals, tasks, until=until),
            done=await self._done(tx, person, goals),
            next=await self._next(tx, person, goals, tasks),
            stuck=await self._stuck(tx, person, goals, tasks),
            late_note=late_note,
        )

    async def _tasks(
        self, tx: Transaction, team_id: str, goals: Sequence[Goal]
    ) -> Mapping[int, Sequence[Task]]:
        by_goal: dict[int, list[Task]] = defaultdict(list)
        for task in await tx.digests.list_tasks(team_id, [goal.id for goal in goals]):
            by_goal[task.goal_id].append(task)
        return by_goal

    async def _waiting(
        self,
        tx: Transaction,
        person: Person,
        goals: Sequence[Goal],
        tasks: Mapping[int, Sequence[Task]],
        *,
        until: datetime,
    ) -> tuple[DigestLine, ...]:
        lines = await self._to_decide(tx, person, until=until)
        for goal in goals:
            if goal.status is GoalStatus.PROPOSED:
                lines.append(await _line(tx, person, goal, f"Run, edit or cancel {quoted(goal)}"))
            elif goal.status is GoalStatus.ASKING or _asks(tasks.get(goal.id, ())):
                lines.append(
                    await _line(tx, person, goal, f"Answer a question about {quoted(goal)}")
                )
            lines += await self._to_connect(tx, person, goal, tasks.get(goal.id, ()))
        return tuple(lines)

    async def _to_decide(
        self, tx: Transaction, person: Person, *, until: datetime
    ) -> list[DigestLine]:
        lines = []
        pending = await tx.approvals.list_pending_for(person.team_id, person.person_id)
        for line in gather(pending):
            if line.approval.deadline_at <= until:
                continue
            call = await tx.calls.get(person.team_id, line.item.call_id)
            by = instant(line.approval.deadline_at, zone_of(person.zone))
            url = await permalink(tx, person, "approval", line.approval.id)
            said = line.say(sentence(call.preview["sentence"]))
            lines.append(DigestLine(f"Countersign by {by}: {said}", url))
        return lines

    async def _to_connect(
        self, tx: Transaction, person: Person, goal: Goal, tasks: Sequence[Task]
    ) -> list[DigestLine]:
        providers = dict.fromkeys(
            task.action.partition(".")[0]
            for task in tasks
            if task.status is TaskStatus.NEEDS_CONNECTION
        )
        return [
            DigestLine(
                f"Connect {self._registry.stored_connector(name).title} for {quoted(goal)}",
                await permalink(tx, person, "connect", f"{goal.id}:{name}"),
            )
            for name in providers
        ]

    async def _done(
        self, tx: Transaction, person: Person, goals: Sequence[Goal]
    ) -> tuple[DigestLine, ...]:
        words = {GoalStatus.DONE: "", GoalStatus.PARTLY_DONE: "In part: "}
        return tuple(
            [
                await _line(tx, person, goal, f"{words[goal.status]}{quoted(goal)}")
                for goal in goals
                if goal.status in words
            ]
        )

    async def _next(
        self,
        tx: Transaction,
        person: Person,
        goals: Sequence[Goal],
        tasks: Mapping[int, Sequence[Task]],
    ) -> tuple[DigestLine, ...]:
        lines = []
        for goal in goals:
            said = await self._says_next(tx, person, goal, tasks.get(goal.id, ()))
            if said is not None:
                lines.append(await _line(tx, person, goal, f"{quoted(goal)} {said}"))
        return tuple(lines)

    async def _says_next(
        self, tx: Transaction, person: Person, goal: Goal, tasks: Sequence[Task]
    ) -> str | None:
        """Say what a goal does or waits for, unless it waits on this very person or ended."""
        if goal.status in _ENDED or goal.status in _YOURS:
            return None
        if goal.status is GoalStatus.PAUSED:
            return "is paused"
        zone = zone_of(person.zone)
        for task in tasks:
            if task.status is TaskStatus.NEEDS_APPROVAL:
                return await _waits_for(tx, person, task, zone)
            if task.status is TaskStatus.READY and task.not_before is not None:
                return f"is tried again at {instant(task.not_before, zone)}"
        if _waits_on_requester(goal, tasks):
            return None
        return "is being planned" if goal.status in _PLANNING else "is running"

    async def _stuck(
        self,
        tx: Transaction,
        person: Person,
        goals: Sequence[Goal],
        tasks: Mapping[int, Sequence[Task]],
    ) -> tuple[DigestLine, ...]:
        lines = []
        for goal in goals:
            broken = [task for task in tasks.get(goal.id, ()) if task.status in _STUCK]
            for task in tasks.get(goal.id, ()):
                if task.status is TaskStatus.UNKNOWN:
                    url = await permalink(tx, person, "unknown", task.id)
                    text = f"Tell me what became of a step of {quoted(goal)}"
                    lines.append(DigestLine(text, url))
            if broken:
                why = (broken[0].failure or {}).get("message", "a step could not be done")
                lines.append(await _line(tx, person, goal, f"{quoted(goal)}: {sentence(why)}"))
            elif goal.status is GoalStatus.FAILED:
                why = goal.reason or "it could not be done"
                lines.append(await _line(tx, person, goal, f"{quoted(goal)}: {sentence(why)}"))
        return tuple(lines)


_PLANNING = frozenset({GoalStatus.RECEIVED, GoalStatus.PLANNING})


def late_note(run: DigestRun, person: Person) -> str | None:
    """Say when a scheduled digest should have come, if it is late."""
    if run.slot.startswith("now:"):
        return None
    slot = datetime.fromisoformat(run.slot)
    if run.created_at - slot < LATE:
        return None
    return f"This should have come {instant(slot, zone_of(person.zone))}; Countersign was not up."


def _asks(tasks: Sequence[Task]) -> bool:
    """Whether a step of a goal that runs asks for another value."""
    return any(task.status is TaskStatus.ASKING for task in tasks)


def _waits_on_requester(goal: Goal, tasks: Sequence[Task]) -> bool:
    """Whether a goal rests until its requester, who is told so elsewhere, does something."""
    theirs = {TaskStatus.NEEDS_CONNECTION, TaskStatus.ASKING}
    if goal.status is GoalStatus.WAITING:
        theirs.add(TaskStatus.UNKNOWN)
    elif goal.status is not GoalStatus.PLANNING or goal.deviation is not None:
        return False
    return any(task.status in theirs for task in tasks)


async def _waits_for(tx: Transaction, person: Person, task: Task, zone: ZoneInfo) -> str | None:
    """Say whose decision a task waits for; None when it is the reader's own, listed before."""
    item = await tx.approvals.latest_item(task.team_id, task.id)
    if item is None:
        return "waits for a decision"
    approval = await tx.approvals.get(task.team_id, item.approval_id)
    asked = list(approval.ask["people"])
    if person.person_id in asked:
        return None
    names = []
    for person_id in asked:
        found = await tx.people.find(task.team_id, person_id)
        names.append(found.name if found is not None else person_id)
    return f"waits for {' or '.join(names)} until {instant(approval.deadline_at, zone)}"


async def _line(tx: Transaction, person: Person, goal: Goal, text: str) -> DigestLine:
    return DigestLine(text, await permalink(tx, person, "goal", goal.id))
