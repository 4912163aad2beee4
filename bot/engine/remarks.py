"""Remarks: messages about a goal under way that are asked about, and the clicks that answer."""

from collections.abc import Sequence

from bot.engine.cards import RemarkCard
from bot.engine.options import MOST, Meaning, Option
from bot.engine.starting import start_goal
from bot.engine.wishes import Wishes
from bot.goals.clicks import Answer, Click
from bot.goals.messages import IncomingMessage
from storage import outbox
from storage.database import Database, Transaction
from storage.tables.goals import Goal
from storage.tables.remarks import Remark, RemarkStatus

STALE = (
    "The plan has changed since I asked, so I changed nothing. Write it again if you still want it."
)
_NOT_YOURS = "Only the person who asked for this can answer."
_ANSWERED = "I have that answer already; nothing changed."
_NONE = "Nothing was changed. Tell me in other words what you would like."


class RemarkService:
    """Answers the buttons under a question about what a message means."""

    def __init__(self, *, database: Database, wishes: Wishes) -> None:
        self._database = database
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


async def remark_card(tx: Transaction, team_id: str, remark_id: int) -> RemarkCard:
    """Return what a remark's card shows now.

    Raises:
        NotFoundError: there is none of that id.
    """
    remark = await tx.remarks.get(team_id, remark_id)
    options = [Option.from_json(item) for item in remark.options]
    return RemarkCard(
        remark_id=remark.id,
        requester_id=remark.person_id,
        text=remark.text,
        status=remark.status,
        said=remark.said,
        options=tuple((option.label, option.line) for option in options),
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
