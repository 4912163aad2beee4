"""`read_remark`: ask a model what a message about a goal under way means, and act on it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.engine.budgets import Budgets
from bot.engine.changes import ChangeService
from bot.engine.options import A_NEW_GOAL, MOST, THIS_GOAL, Meaning, Option
from bot.engine.plans import CHANGEABLE
from bot.engine.questions import Question
from bot.engine.readings import steps_seen, to_wish
from bot.engine.remarks import READ_JOB, TOO_EARLY, add_wish, redraw, settle_remark, start_remarked
from bot.engine.rounds import Rounds
from bot.engine.targets import Around
from bot.engine.wishes import Refused, Wish, Wishes
from bot.planning.parse.addresses import Colleague
from bot.planning.reading import MessageKind, Read, Reader, Reading, ReadRequest, Unread
from connectors.registry import Registry
from storage.database import Database, Transaction
from storage.errors import NotFoundError
from storage.tables.goals import Goal, GoalStatus, Task
from storage.tables.remarks import Remark, RemarkStatus

_PLAIN = "Plain forms always work, such as “drop the kickoff” or “make it Friday”."
_SPENT = Unread("This goal has used up its requests to a model.")
_NOBODY = Unread("There is no language model to read that any more.")
_DEFECT = Unread("Something went wrong on my side while I read that.")
_TALK = "All right. This goal goes on as it is."
_OVER = "This goal ended before I had read that, so I changed nothing."
_CHANGED = (
    "The plan changed while I was reading that, so I changed nothing. "
    "Write it again if you still want it."
)
_HELD = "I read that as soon as the plan is made."
_ASK_FIRST = (
    "I asked you something about this goal. Answer that first, then write this again; "
    "nothing is changed."
)
_NOT_NOW = {GoalStatus.PLANNING: TOO_EARLY, GoalStatus.ASKING: _ASK_FIRST}
_HOLD = timedelta(minutes=10)
"""How long a message waits for a plan: longer than a planner takes, shorter than its writer."""
_STALE_S = 120.0
"""Longer than a model may take: a remark that nobody saw to for so long lost its job."""


@dataclass(frozen=True, slots=True)
class _Begun:
    """What a model is asked, and the plan whose steps it is told of."""

    request: ReadRequest | Unread
    version: int


@dataclass(frozen=True, slots=True)
class ReadingJob:
    """Reads remarks. Running it twice for one remark acts once.

    The model is asked outside of any transaction, and its answer is checked against the goal as
    it is afterwards: what it says of steps counts for the plan that it was told of alone, as a
    newer one may use a key for another step. What it read of a goal that has begun is never done
    without a click.
    """

    database: Database
    reader: Reader | None
    """None where no model is configured any more."""
    registry: Registry
    wishes: Wishes
    changes: ChangeService
    rounds: Rounds
    budgets: Budgets
    now: Callable[[], datetime]

    async def read_remark(self, team_id: str, remark_id: int) -> None:
        """Ask the model about one remark and act on the answer."""
        begun = await self._begin(team_id, remark_id)
        if begun is None:
            return
        read = await self._read(begun.request)
        async with self.database.transaction() as tx:
            found = await _locked(tx, team_id, remark_id)
            if found is not None:
                await self._act(tx, *found, read, version=begun.version)

    async def gave_up(self, team_id: str, remark_id: int, reference: str) -> None:  # noqa: ARG002 -- every job's last word has it
        """Say that a remark could not be read, after a defect of ours."""
        async with self.database.transaction() as tx:
            found = await _locked(tx, team_id, remark_id)
            if found is not None:
                await _ask(tx, *found, _DEFECT.reason, [A_NEW_GOAL])

    async def sweep(self) -> int:
        """Nudge remarks whose job was lost, or whose goal has its plan; return how many."""
        async with self.database.transaction() as tx:
            lost = await tx.remarks.list_unread(older_than_s=_STALE_S)
            for remark in lost:
                await tx.remarks.touch(remark)
                await tx.defer(READ_JOB, team_id=remark.team_id, remark_id=remark.id)
            held = await tx.remarks.list_held()
        for remark in held:
            await self._release(remark.team_id, remark.id)
        return len(lost) + len(held)

    async def _release(self, team_id: str, remark_id: int) -> None:
        """Let a remark be read that waited for a plan."""
        async with self.database.transaction() as tx:
            found = await _locked(tx, team_id, remark_id)
            if found is not None:
                await tx.remarks.release(found[0])
                await tx.defer(READ_JOB, team_id=team_id, remark_id=remark_id)

    async def _begin(self, team_id: str, remark_id: int) -> _Begun | None:
        """Return what to ask the model, or why it is not asked; None where nothing is to do."""
        async with self.database.transaction() as tx:
            found = await _locked(tx, team_id, remark_id)
            if found is None:
                return None
            remark, goal = found
            await tx.remarks.touch(remark)
            if await self._is_put_off(tx, remark, goal):
                return None
            if not await self.budgets.allows_request(tx, goal):
                return _Begun(_SPENT, goal.plan_version)
            around = await self._around(tx, goal)
            said = [goal.text, *(item["answer"] for item in goal.clarifications)]
        request = ReadRequest(
            text=remark.text,
            goal="\n".join(said),
            zone=around.zone,
            now=around.now,
            steps=steps_seen(around),
            team_id=team_id,
            goal_id=goal.id,
            asked=_asked(around.tasks),
        )
        return _Begun(request, goal.plan_version)

    async def _is_put_off(self, tx: Transaction, remark: Remark, goal: Goal) -> bool:
        """Whether a goal cannot be changed now.

        While a plan is made the remark waits for it; of any other goal its writer is told why.
        """
        if goal.status in CHANGEABLE:
            return False
        if goal.status is GoalStatus.PLANNING and self.now() - remark.created_at < _HOLD:
            await tx.remarks.hold(remark, said=_HELD)
            await redraw(tx, remark)
        else:
            await _ask(tx, remark, goal, _NOT_NOW.get(goal.status, _OVER), [A_NEW_GOAL])
        return True

    async def _read(self, request: ReadRequest | Unread) -> Read:
        if isinstance(request, Unread):
            return request
        return _NOBODY if self.reader is None else await self.reader.read(request)

    async def _around(self, tx: Transaction, goal: Goal) -> Around:
        requester = await tx.people.get(goal.team_id, goal.requester_id)
        tasks = await tx.tasks.list_(goal.team_id, goal.id)
        await tx.results.load(tasks)
        is_proposed = goal.status is GoalStatus.PROPOSED
        return Around(tasks, self.registry, ZoneInfo(requester.zone), self.now(), is_proposed)

    async def _act(
        self, tx: Transaction, remark: Remark, goal: Goal, read: Read, *, version: int
    ) -> None:
        if isinstance(read, Unread):
            options = await self.changes.offer(tx, goal, remark.text) or []
            if answer := await self.changes.offer_answer(tx, goal, remark.text):
                options = [*answer[1], *options][: MOST - 1]
            await _ask(tx, remark, goal, f"{read.reason} {_PLAIN}", [*options, A_NEW_GOAL])
            return
        match read.kind:
            case MessageKind.GOAL:
                await start_remarked(tx, remark)
                await settle_remark(tx, remark, "I took that as a new goal.")
            case MessageKind.SMALL_TALK:
                await settle_remark(tx, remark, _TALK)
            case MessageKind.QUESTION:
                await tx.remarks.tell(remark)
                await redraw(tx, remark)
            case MessageKind.CHANGE | MessageKind.EITHER:
                await self._change(tx, remark, goal, read, version=version)

    async def _change(
        self, tx: Transaction, remark: Remark, goal: Goal, read: Reading, *, version: int
    ) -> None:
        """Do what can be seen before it happens; ask about everything else."""
        is_sure = read.kind is MessageKind.CHANGE
        if await self._is_put_off(tx, remark, goal):
            return
        if read.add:
            await self._add(tx, remark, goal, is_sure=is_sure)
        elif goal.plan_version != version:
            await _ask(tx, remark, goal, _CHANGED, [A_NEW_GOAL])
        else:
            await self._replace(tx, remark, goal, read, is_sure=is_sure)

    async def _add(self, tx: Transaction, remark: Remark, goal: Goal, *, is_sure: bool) -> None:
        if not is_sure:
            asked = "Does that belong to this goal, or is it a new one? Nothing is changed yet."
            await _ask(tx, remark, goal, asked, [_ADD, A_NEW_GOAL])
        else:
            said = await add_wish(tx, goal, remark.text, rounds=self.rounds, budgets=self.budgets)
            await settle_remark(tx, remark, said)

    async def _replace(
        self, tx: Transaction, remark: Remark, goal: Goal, read: Reading, *, is_sure: bool
    ) -> None:
        """Bring in what was read where it is shown before it runs; else ask whether it is meant."""
        around = await self._around(tx, goal)
        people = [
            Colleague(person.person_id, person.name, person.email)
            for person in await tx.people.list_active(goal.team_id)
            if person.email and not person.is_bot
        ]
        wish = to_wish(read, around, text=remark.text, people=people)
        if isinstance(wish, Refused):
            await _ask(tx, remark, goal, f"{wish.problem} Nothing is changed.", [A_NEW_GOAL])
            return
        checked = await self.wishes.check(tx, goal, around.tasks, wish)
        if isinstance(checked, Refused):
            await _ask(tx, remark, goal, checked.problem, [A_NEW_GOAL])
        elif is_sure and goal.status is GoalStatus.PROPOSED:
            await settle_remark(tx, remark, await self.wishes.bring(tx, goal, wish))
        else:
            asked = "Is this what you mean? Nothing is changed yet."
            options = [_this_goal(wish, checked.will)]
            if not is_sure:
                asked = "Is that a change of this goal, or a new one? Nothing is changed yet."
            await _ask(tx, remark, goal, asked, [*options, A_NEW_GOAL])


_ADD = Option(Meaning.ADD, THIS_GOAL, "Change this goal: I plan it in and show you the new plan.")


def _this_goal(wish: Wish, will: tuple[str, ...]) -> Option:
    return Option(Meaning.CHANGE, THIS_GOAL, f"Change this goal: {'; '.join(will)}.", wish)


def _asked(tasks: Sequence[Task]) -> tuple[str, str] | None:
    """Return the step and the field that the oldest open question is about."""
    found = next((asked for task in tasks if (asked := Question.of(task))), None)
    return (found.step, found.fields[0]) if found else None


async def _locked(tx: Transaction, team_id: str, remark_id: int) -> tuple[Remark, Goal] | None:
    """Return a remark that waits to be read, under its goal's lock."""
    try:
        goal_id = (await tx.remarks.get(team_id, remark_id)).goal_id
    except NotFoundError:
        return None
    goal = await tx.goals.lock(team_id, goal_id)
    remark = await tx.remarks.get(team_id, remark_id)
    return (remark, goal) if remark.status is RemarkStatus.READING else None


async def _ask(
    tx: Transaction, remark: Remark, goal: Goal, said: str, options: list[Option]
) -> None:
    written = [option.to_json() for option in options]
    await tx.remarks.ask(remark, said=said, options=written, version=goal.plan_version)
    await redraw(tx, remark)
