"""Remarks: messages about a goal under way that are asked about, and the clicks that answer."""

from collections.abc import Sequence

from bot.engine.budgets import Budgets
from bot.engine.card_queries import CardQueries
from bot.engine.cards import RemarkCard
from bot.engine.options import MOST, Meaning, Option
from bot.engine.plans import CHANGEABLE
from bot.engine.rounds import Rounds
from bot.engine.starting import start_goal
from bot.engine.wishes import Wishes
from bot.goals.clicks import Answer, Click
from bot.goals.messages import IncomingMessage
from storage import outbox
from storage.database import Database, Transaction
from storage.queue import Priority
from storage.tables.goals import Goal, GoalStatus
from storage.tables.remarks import Remark, RemarkStatus

READ_JOB = "read_remark"
"""The job that `bot.engine.reading_job` does."""

STALE = (
    "The plan has changed since I asked, so I changed nothing. Write it again if you still want it."
)
TOO_EARLY = (
    "I am still working out this goal, and nothing is changed. If that is about it, write it again "
    "when its card shows the plan."
)
_OPEN = frozenset({RemarkStatus.READING, RemarkStatus.ASKING})
_NOT_YOURS = "Only the person who asked for this can answer."
_ANSWERED = "I have that answer already; nothing changed."
_ADDING = "I am fitting that in. The card shows the new plan before anything of it is done."
_PAUSED = "It is paused: write “resume” first, then say that again."
_CLOSED = "I cannot add to this goal any more. Send it as a new message."
_NONE = "Nothing was changed. Tell me in other words what you would like."


class RemarkService:
    """Answers the buttons under a question about what a message means."""

    def __init__(
        self, *, database: Database, wishes: Wishes, rounds: Rounds, budgets: Budgets
    ) -> None:
        self._database = database
        self._rounds = rounds
        self._budgets = budgets
        self._wishes = wishes

    async def pick(self, click: Click, remark_id: int, number: int) -> Answer:
        """Do what the option of that number says, if the plan is still the one it was made for."""
        async with self._database.transaction() as tx:
            remark, goal, problem = await self._locked(tx, click, remark_id)
            if problem is not None:
                return problem
            options = [Option.from_json(item) for item in remark.options]
            if number >= len(options):
                return Answer(_ANSWERED, ok=False)
            option = options[number]
            if option.meaning is Meaning.NEW_GOAL:
                await start_remarked(tx, remark)
                said = "I took it as a new goal."
            elif goal.plan_version != remark.version:
                said = STALE
            elif option.meaning is Meaning.ADD:
                said = await add_wish(
                    tx, goal, remark.text, rounds=self._rounds, budgets=self._budgets
                )
            else:
                said = await self._wishes.bring(tx, goal, option.wish)
            await settle_remark(tx, remark, said)
        return Answer(said)

    async def dismiss(self, click: Click, remark_id: int) -> Answer:
        """Close a question whose meanings were all wrong."""
        async with self._database.transaction() as tx:
            remark, _, problem = await self._locked(tx, click, remark_id)
            if problem is not None:
                return problem
            await settle_remark(tx, remark, _NONE)
        return Answer(_NONE)

    async def _locked(
        self, tx: Transaction, click: Click, remark_id: int
    ) -> tuple[Remark, Goal, Answer | None]:
        """Return the remark under its goal's lock, and why this click cannot answer it."""
        found = await tx.remarks.get(click.team_id, remark_id)
        goal = await tx.goals.lock(click.team_id, found.goal_id)
        remark = await tx.remarks.get(click.team_id, remark_id)
        if remark.person_id != click.person_id:
            return remark, goal, Answer(_NOT_YOURS, ok=False)
        if remark.status is not RemarkStatus.ASKING:
            return remark, goal, Answer(_ANSWERED, ok=False)
        return remark, goal, None


async def add_wish(
    tx: Transaction, goal: Goal, text: str, *, rounds: Rounds, budgets: Budgets
) -> str:
    """Send a goal back to its planner with what its requester wants besides; return the answer.

    What is finished or runs stays; new writes are shown before they run.

    Args:
        tx: holds the goal's row.
        goal: as it is now.
        text: what the requester wrote.
        rounds: asks the planner.
        budgets: say whether a model may be asked once more.
    """
    if goal.status not in CHANGEABLE:
        return _CLOSED
    if goal.status is GoalStatus.PAUSED:
        return _PAUSED
    spent = await budgets.spent(tx, goal)
    if spent is not None:
        return f"{spent} The plan stays as it was; send this as a new message."
    if not await rounds.wish(tx, goal, text):
        return _CLOSED
    await outbox.touch(tx, team_id=goal.team_id, noun="goal", subject=goal.id, priority=1)
    return _ADDING


async def ask_about(
    tx: Transaction, goal: Goal, message: IncomingMessage, said: str, options: Sequence[Option]
) -> None:
    """Ask what a message means, with a button for each meaning.

    Args:
        tx: holds the goal's row.
        goal: whose thread it is in.
        message: of the goal's requester.
        said: the question.
        options: at most `MOST`.
    """
    remark_id = await add_remark(
        tx,
        goal,
        message,
        status=RemarkStatus.ASKING,
        said=said,
        options=[option.to_json() for option in options[:MOST]],
    )
    if remark_id is not None:
        await _show(tx, message, remark_id)


async def read_later(tx: Transaction, goal: Goal, message: IncomingMessage) -> None:
    """Let a model read a message, and show that it is being read; once, however often it comes."""
    remark_id = await add_remark(tx, goal, message, status=RemarkStatus.READING)
    if remark_id is not None:
        await _show(tx, message, remark_id)
        await tx.defer(
            READ_JOB, priority=Priority.INTERACTIVE, team_id=goal.team_id, remark_id=remark_id
        )


async def forget_message(tx: Transaction, team_id: str, channel_id: str, ts: str) -> None:
    """Close what is open of a message that its writer deleted; nothing is changed by it."""
    found = await tx.remarks.find(team_id, channel_id, ts)
    if found is None:
        return
    await tx.goals.lock(team_id, found.goal_id)
    remark = await tx.remarks.get(team_id, found.id)
    if remark.status in _OPEN:
        await settle_remark(tx, remark, "You deleted your message, so nothing was changed.")


async def is_open(tx: Transaction, message: IncomingMessage) -> bool:
    """Whether a message is read or asked about, in other words than it has now."""
    found = await tx.remarks.find(message.team_id, message.channel_id, message.ts)
    return found is not None and found.status in _OPEN and found.text != message.text.strip()


async def add_remark(
    tx: Transaction,
    goal: Goal,
    message: IncomingMessage,
    *,
    status: RemarkStatus,
    said: str = "",
    options: Sequence[object] = (),
) -> int | None:
    """Store a message about a goal; None where it arrived before."""
    return await tx.remarks.add(
        team_id=message.team_id,
        goal_id=goal.id,
        person_id=message.person_id,
        channel_id=message.channel_id,
        thread_ts=message.thread_ts or message.ts,
        ts=message.ts,
        text=message.text.strip(),
        status=status,
        version=goal.plan_version,
        said=said,
        options=list(options),
    )


async def settle_remark(tx: Transaction, remark: Remark, said: str) -> None:
    """End a remark and redraw its card, which has no buttons then."""
    await tx.remarks.settle(remark, said=said)
    await redraw(tx, remark)


async def redraw(tx: Transaction, remark: Remark) -> None:
    await outbox.touch(tx, team_id=remark.team_id, noun="remark", subject=remark.id, priority=1)


async def start_remarked(tx: Transaction, remark: Remark) -> None:
    """Make a goal of a remark, as if its message had begun one at once."""
    await start_goal(
        tx,
        team_id=remark.team_id,
        person_id=remark.person_id,
        channel_id=remark.channel_id,
        thread_ts=remark.thread_ts,
        source_key=f"message:{remark.channel_id}:{remark.ts}",
        text=remark.text,
    )


async def remark_card(
    tx: Transaction, team_id: str, remark_id: int, *, cards: CardQueries
) -> RemarkCard:
    """Return what a remark's card shows now.

    Raises:
        NotFoundError: there is none of that id.
    """
    remark = await tx.remarks.get(team_id, remark_id)
    options = [Option.from_json(item) for item in remark.options]
    is_told = remark.status is RemarkStatus.TOLD
    return RemarkCard(
        remark_id=remark.id,
        requester_id=remark.person_id,
        text=remark.text,
        status=remark.status,
        said=remark.said,
        options=tuple((option.label, option.line) for option in options),
        goal=await cards.goal(tx, team_id, remark.goal_id) if is_told else None,
    )


async def _show(tx: Transaction, message: IncomingMessage, remark_id: int) -> None:
    await outbox.show(
        tx,
        team_id=message.team_id,
        noun="remark",
        subject=remark_id,
        channel_id=message.channel_id,
        thread_ts=message.thread_ts or message.ts,
        priority=1,
    )
