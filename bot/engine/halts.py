"""Halt: no further write starts, anywhere, until somebody resumes (S39).

The row is the switch: spending a permit looks for it in the very statement that spends, so no
process can miss it, whenever it started. Reads go on, and people may still decide: a halt stops
calls, not people. What a halt refuses keeps its approval, its place and its tries; no request
expires during a halt, and each gets back the time that the halt took.
"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bot.engine.drive import defer_drive
from bot.engine.said import moment_text
from bot.goals.clicks import Answer, Click
from storage import outbox
from storage.database import Database, Transaction
from storage.errors import NotFoundError
from storage.queue import Priority
from storage.tables.halts import COMMAND_LINE, EVERY_TEAM, Halt
from storage.tables.people import Person, Role

NUDGE_JOB = "nudge_held"

_NOT_ADMIN = "Only an admin can do that."
_PAGE = 100
"""Goals that one round of nudges wakes; each has a transaction of its own."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a halt has come.

    Attributes:
        in_flight: writes that were sent before it and have not ended.
        held: goals with a step that could run.
    """

    in_flight: int
    held: int


class HaltService:
    """Halts and resumes one team or all of them; a second halt or resume changes nothing."""

    def __init__(self, *, database: Database, grace_s: float) -> None:
        """Take the longest a call may last after its lease ended, in seconds."""
        self._database = database
        self._grace_s = grace_s

    async def halt(self, team_id: str, *, by: str, reason: str) -> bool:
        """Halt a team, or `EVERY_TEAM`; False when it is halted already.

        When this returns no further write starts. Those in flight are not waited for.
        """
        async with self._database.transaction() as tx:
            added = await tx.halts.add(team_id, halted_by=by, reason=reason)
            if added:
                await _record(tx, team_id, by=by, verb="halt", data={"reason": reason})
                await tx.defer(NUDGE_JOB, priority=Priority.INTERACTIVE, team_id=team_id)
        async with self._database.transaction() as tx:
            await tx.halts.pass_barrier()
        return added

    async def resume(self, team_id: str, *, by: str) -> bool:
        """End the halt of a team, or that of `EVERY_TEAM`; False when there is none."""
        async with self._database.transaction() as tx:
            since = await tx.halts.remove(team_id)
            if since is not None:
                for its_team, approval_id in await tx.approvals.extend_open(team_id, since=since):
                    await outbox.touch(tx, team_id=its_team, noun="approval", subject=approval_id)
                await _record(tx, team_id, by=by, verb="resume", data={})
                await tx.defer(NUDGE_JOB, priority=Priority.INTERACTIVE, team_id=team_id)
        return since is not None

    async def standing(self, team_id: str) -> Standing:
        """Return what is still in flight and what is held."""
        async with self._database.reading() as tx:
            return Standing(
                await tx.halts.count_in_flight(team_id, grace_s=self._grace_s),
                await tx.halts.count_held(team_id),
            )

    async def list_(self) -> list[tuple[Halt, str]]:
        """Return every halt with the name of who halted."""
        async with self._database.reading() as tx:
            return [(halt, await name_of(tx, halt)) for halt in await tx.halts.list_()]

    async def nudge_held(self, team_id: str) -> None:
        """Wake every goal with a step that could run: to say that it is halted, or to go on.

        A job; the sweeper finds whatever is left when it dies on its way.
        """
        after_id = 0
        while True:
            async with self._database.reading() as tx:
                held = await tx.halts.list_held(team_id, after_id=after_id, limit=_PAGE)
            for its_team, goal_id in held:
                await self._nudge(its_team, goal_id)
            if len(held) < _PAGE:
                return
            after_id = held[-1][1]

    async def _nudge(self, team_id: str, goal_id: int) -> None:
        async with self._database.transaction() as tx:
            try:
                await tx.goals.lock(team_id, goal_id)
            except NotFoundError:
                return
            await defer_drive(tx, team_id, goal_id)

    async def halt_team(self, click: Click, reason: str | None) -> Answer:
        """Halt the clicker's team."""
        async with self._database.transaction() as tx:
            if not await _is_admin(tx, click):
                return Answer(_NOT_ADMIN, ok=False)
        if not await self.halt(click.team_id, by=click.person_id, reason=reason or ""):
            return Answer("It is halted already; nothing changed.", ok=False)
        return Answer("Halted. No further write starts until you resume.")

    async def resume_team(self, click: Click) -> Answer:
        """End the halt of the clicker's team; one from the command line ends there."""
        async with self._database.transaction() as tx:
            if not await _is_admin(tx, click):
                return Answer(_NOT_ADMIN, ok=False)
            standing = await tx.halts.find(click.team_id)
        if standing is not None and standing.team_id == EVERY_TEAM:
            return Answer(
                "Everything is halted from the command line; `countersign resume` ends that.",
                ok=False,
            )
        if not await self.resume(click.team_id, by=click.person_id):
            return Answer("Nothing is halted; nothing changed.", ok=False)
        return Answer("Resumed. What was held goes on.")


async def _record(
    tx: Transaction, team_id: str, *, by: str, verb: str, data: dict[str, str]
) -> None:
    """Write a halt's or a resume's audit row of each team, and redraw its admins' Home."""
    source = "cli" if by == COMMAND_LINE else "slack"
    teams = await tx.people.list_teams() if team_id == EVERY_TEAM else [team_id]
    for each in teams:
        await tx.audit.record(team_id=each, tag=f"{source}:writes:{verb}", actor=by, data=data)
        for admin in await tx.people.list_by_role(each, Role.ADMIN):
            await outbox.touch(tx, team_id=each, noun="home", subject=admin.person_id, priority=1)


async def _is_admin(tx: Transaction, click: Click) -> bool:
    person = await tx.people.find(click.team_id, click.person_id)
    return person is not None and is_admin(person)


def is_admin(person: Person) -> bool:
    """Whether somebody may halt and resume."""
    return person.role is Role.ADMIN and person.is_active and not person.is_guest


async def name_of(tx: Transaction, halt: Halt) -> str:
    """Return who halted, as people call them."""
    if halt.halted_by == COMMAND_LINE:
        return "the operator"
    person = await tx.people.find(halt.team_id, halt.halted_by)
    return person.name if person else "an admin"


async def say_halt(tx: Transaction, team_id: str, zone: ZoneInfo) -> str | None:
    """Return what halts a team, or None.

    It reads "Halted by Ada Park on Sat 21 Nov 14:05 CET: wrong list."
    """
    halt = await tx.halts.find(team_id)
    if halt is None:
        return None
    said = f"Halted by {await name_of(tx, halt)} on {moment_text(halt.halted_at, zone)}"
    return f"{said}: {halt.reason.rstrip('.')}." if halt.reason else f"{said}."
