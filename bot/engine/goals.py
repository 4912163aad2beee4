"""Goals: a message becomes one, a person answers, chooses or cancels."""

import re

from approvals.decisions import DecisionService
from bot.engine.cancelling import cancel_goal
from bot.engine.remarks import forget_message, is_open
from bot.engine.starting import start_from, start_goal
from bot.engine.telling import note
from bot.engine.threads import ThreadService
from bot.goals.clicks import Answer, Click
from bot.goals.lifecycle import SETTLED, move_goal
from bot.goals.messages import IncomingMessage
from bot.planning.interpret import asks_to_cancel, talk_kind
from bot.planning.outcome import TalkKind
from storage import outbox
from storage.database import Database, Transaction
from storage.queue import Priority
from storage.tables.goals import Goal, GoalStatus, TaskStatus

MAX_CHARACTERS = 4000
"""Longer messages are documents, not goals; the person is asked to say it shorter."""

_EMOJI_NAME = re.compile(r":[a-z0-9_+'-]+:")
"""How Slack writes an emoji."""


_FIRST_WORDS = "I still go by what you wrote first. To change that, write it in a new message here."
_NOT_BEGUN = frozenset(
    {GoalStatus.RECEIVED, GoalStatus.PLANNING, GoalStatus.ASKING, GoalStatus.PROPOSED}
)


class GoalService:
    """Starts and ends goals. Receiving the same message twice changes nothing."""

    def __init__(
        self, *, database: Database, decisions: DecisionService, threads: ThreadService
    ) -> None:
        self._database = database
        self._decisions = decisions
        self._threads = threads

    async def receive(self, message: IncomingMessage) -> None:
        """Turn a message into a goal, an answer, a change of a goal, or a word of welcome."""
        async with self._database.transaction() as tx:
            if message.is_edited:
                await self._edited(tx, message)
                return
            if not await tx.inbox.take_message(
                team_id=message.team_id, channel_id=message.channel_id, ts=message.ts
            ):
                return
            problem = _unreadable(message)
            if problem is not None:
                await note(tx, message, problem)
            elif asks_to_cancel(message.text):
                await self._stop(tx, message)
            elif (said := await self._threads.take_word(tx, message)) is not None:
                await note(tx, message, said)
            elif await self._answered(tx, message):
                return
            elif not await self._threads.take_change(tx, message):
                await self._begin(tx, message)

    async def start_example(self, click: Click, text: str) -> Answer:
        """Start a goal from an example that a person clicked."""
        if click.channel_id is None or click.message_ts is None:
            return Answer(f"Write this to me: {text}", ok=False)
        async with self._database.transaction() as tx:
            await start_goal(
                tx,
                team_id=click.team_id,
                person_id=click.person_id,
                channel_id=click.channel_id,
                thread_ts=click.message_ts,
                source_key=f"example:{click.channel_id}:{click.message_ts}:{text}",
                text=text,
            )
        return Answer(f"On it: {text}")

    async def message_deleted(self, team_id: str, channel_id: str, ts: str) -> None:
        """End a goal that has not begun when its message is deleted; a running one goes on.

        What a deleted message in a goal's thread meant is neither read nor asked any more.
        """
        async with self._database.transaction() as tx:
            await forget_message(tx, team_id, channel_id, ts)
            found = await tx.goals.find_by_source(team_id, f"message:{channel_id}:{ts}")
            if found is None:
                return
            goal = await tx.goals.lock(team_id, found.id)
            if goal.status in _NOT_BEGUN:
                await cancel_goal(
                    tx,
                    goal,
                    decisions=self._decisions,
                    actor=goal.requester_id,
                    reason="You deleted your message, so nothing was done.",
                )

    async def person_left(self, team_id: str, person_id: str) -> None:
        """End the open goals of somebody who was deactivated; approvers are told (S13)."""
        async with self._database.transaction() as tx:
            for found in await tx.goals.list_open(team_id, person_id):
                goal = await tx.goals.lock(team_id, found.id)
                if goal.status not in SETTLED:
                    await cancel_goal(
                        tx,
                        goal,
                        decisions=self._decisions,
                        actor="system",
                        reason="Its requester's account was deactivated.",
                    )

    async def choose(self, click: Click, goal_id: int, choice: str) -> Answer:
        """Take a clicked choice as the answer to a goal's question."""
        async with self._database.transaction() as tx:
            goal = await tx.goals.lock(click.team_id, goal_id)
            if goal.requester_id != click.person_id:
                return Answer("Only the person who asked for this can answer.", ok=False)
            if goal.status is not GoalStatus.ASKING:
                return Answer("I have that answer already; nothing changed.", ok=False)
            await self._take_answer(tx, goal, choice)
        return Answer(f"Thanks: {choice}")

    async def cancel(self, click: Click, goal_id: int) -> Answer:
        """End a goal: what runs finishes, what waits is dropped, approvers are told."""
        async with self._database.transaction() as tx:
            goal = await tx.goals.lock(click.team_id, goal_id)
            if goal.requester_id != click.person_id:
                return Answer("Only the person who asked for this can cancel it.", ok=False)
            if goal.status in SETTLED:
                status = goal.status.value.replace("_", " ")
                return Answer(f"This goal is {status} already; nothing changed.", ok=False)
            done = await cancel_goal(
                tx,
                goal,
                decisions=self._decisions,
                actor=click.person_id,
                reason="You cancelled it.",
            )
            statuses = {task.status for task in await tx.tasks.list_(goal.team_id, goal.id)}
        if TaskStatus.UNKNOWN in statuses:
            return Answer(
                "Cancelled. I do not know whether one step happened: please look, and tell me in "
                "the message I sent you. What was done stays; its Undo is on the card."
            )
        if done:
            return Answer("Cancelled. What was done already stays; its Undo is on the card.")
        return Answer("Cancelled. Nothing was done.")

    async def _begin(self, tx: Transaction, message: IncomingMessage) -> None:
        match talk_kind(message.text):
            case TalkKind.THANKS:
                await note(tx, message, "You are welcome.")
            case TalkKind.GREETING | TalkKind.HELP:
                await self._welcome(tx, message)
            case None:
                await start_from(tx, message)

    async def _answered(self, tx: Transaction, message: IncomingMessage) -> bool:
        """Take a reply in the thread of a goal that asked as its answer."""
        if message.thread_ts is None:
            return False
        asking = await tx.goals.find_asking(message.team_id, message.channel_id, message.thread_ts)
        if asking is None or asking.requester_id != message.person_id:
            return False
        goal = await tx.goals.lock(message.team_id, asking.id)
        if goal.status is not GoalStatus.ASKING:
            return False
        await self._take_answer(tx, goal, message.text.strip())
        return True

    async def _take_answer(self, tx: Transaction, goal: Goal, answer: str) -> None:
        await tx.goals.add_clarification(goal, answer)
        await move_goal(tx, goal, to=GoalStatus.PLANNING, actor=goal.requester_id)
        await tx.defer(
            "plan_goal",
            once=str(goal.id),
            priority=Priority.INTERACTIVE,
            team_id=goal.team_id,
            goal_id=goal.id,
        )
        await outbox.touch(tx, team_id=goal.team_id, noun="goal", subject=goal.id, priority=1)

    async def _stop(self, tx: Transaction, message: IncomingMessage) -> None:
        open_goal = await tx.goals.find_open_in_thread(
            message.team_id, message.channel_id, message.thread_ts or message.ts
        )
        if open_goal is None or open_goal.requester_id != message.person_id:
            await note(
                tx,
                message,
                "There is nothing of yours to stop in this thread. To cancel a "
                "goal, use Cancel on its card or write “stop” in its thread.",
            )
            return
        goal = await tx.goals.lock(message.team_id, open_goal.id)
        if goal.status not in SETTLED:
            await cancel_goal(
                tx,
                goal,
                decisions=self._decisions,
                actor=message.person_id,
                reason="You stopped it.",
            )

    async def _edited(self, tx: Transaction, message: IncomingMessage) -> None:
        """Tell whoever corrects a message that its first words count, where they still do."""
        if await is_open(tx, message):
            await note(tx, message, _FIRST_WORDS)
            return
        goal = await tx.goals.find_by_source(
            message.team_id, f"message:{message.channel_id}:{message.ts}"
        )
        if goal is None or goal.status in SETTLED or goal.text == message.text.strip():
            return
        await outbox.show(
            tx,
            team_id=message.team_id,
            noun="note",
            subject=f"edited:{goal.id}",
            channel_id=message.channel_id,
            thread_ts=goal.thread_ts,
            data={
                "text": "I still work on what you wrote first. To change it, use Edit on the "
                "card, or cancel it and send a new message."
            },
        )

    async def _welcome(self, tx: Transaction, message: IncomingMessage) -> None:
        await outbox.show(
            tx,
            team_id=message.team_id,
            noun="welcome",
            subject=f"{message.channel_id}:{message.ts}",
            channel_id=message.channel_id,
            thread_ts=message.thread_ts,
            priority=1,
        )


def _unreadable(message: IncomingMessage) -> str | None:
    """Return what to answer to a message that cannot be a goal."""
    text = message.text.strip()
    if len(text) > MAX_CHARACTERS:
        return (
            f"That message has {len(text):,} characters; I read at most {MAX_CHARACTERS:,}. "
            "Tell me in a sentence or two what you want done."
        )
    if not text and message.has_files:
        return "I cannot read attachments yet. Tell me in a sentence what you want done."
    if not any(character.isalnum() for character in _EMOJI_NAME.sub("", text)):
        return "I did not find a word in that. Tell me in a sentence what you want done."
    return None
