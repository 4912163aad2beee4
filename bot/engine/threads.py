"""Words in a goal's thread that are no new goal: pause, resume, undo, and changes of mind."""

from bot.engine.answers import AnswerService
from bot.engine.changes import ChangeService
from bot.engine.options import A_NEW_GOAL
from bot.engine.pauses import PauseService
from bot.engine.plans import CHANGEABLE
from bot.engine.remarks import TOO_EARLY, ask_about, read_later
from bot.engine.telling import note
from bot.engine.undo import UndoService
from bot.goals.messages import IncomingMessage
from bot.planning.interpret import ThreadWord, talk_kind, thread_word
from storage.database import Transaction
from storage.tables.goals import Goal, GoalKind

_AN_ANSWER = "Is that the answer to my question, or a new goal? Nothing is changed yet."
_NO_ANSWER = (
    "I did not take that as the answer to my question, and nothing is changed. Answer in a few "
    "words, or press “Write another value” under it."
)
_NOT_OVER = "It is not over yet: write “stop” first, then “undo”."


class ThreadService:
    """Does what a requester writes about the goal of a thread."""

    def __init__(
        self,
        *,
        pauses: PauseService,
        undos: UndoService,
        changes: ChangeService,
        answers: AnswerService,
        can_read: bool,
    ) -> None:
        """Take the services; `can_read`: a model reads what the exact forms do not."""
        self._can_read = can_read
        self._answers = answers
        self._pauses = pauses
        self._undos = undos
        self._changes = changes

    async def take_word(self, tx: Transaction, message: IncomingMessage) -> str | None:
        """Do what a single word says; return the answer, or None where it is no such word."""
        match thread_word(message.text):
            case None:
                return None
            case ThreadWord.UNDO:
                return await self._undo(tx, message)
            case word:
                goal = await self._open(tx, message)
                if goal is None:
                    return f"There is nothing of yours to {word.value} in this thread."
                act = self._pauses.pause_locked
                if word is ThreadWord.RESUME:
                    act = self._pauses.resume_locked
                return (await act(tx, goal, person_id=message.person_id)).text

    async def take_change(self, tx: Transaction, message: IncomingMessage) -> bool:
        """Change the thread's open goal and say so, or take the answer to its question.

        False where the message is neither.
        """
        if message.thread_ts is None:
            return False
        goal = await self._open(tx, message)
        if goal is None or goal.kind is GoalKind.UNDO:
            return False
        if await self._changes.take(tx, goal, message):
            return True
        if talk_kind(message.text) is not None:
            return False
        answer = await self._answers.take(tx, goal, message.text)
        if answer is not None and (answer.ok or not self._can_read):
            await note(tx, message, answer.text)
            return True
        return await self._take_remark(tx, goal, message)

    async def _take_remark(self, tx: Transaction, goal: Goal, message: IncomingMessage) -> bool:
        """Let a model read what no form fits, or ask; False where it is no change of the goal."""
        if self._can_read and goal.status in CHANGEABLE:
            await read_later(tx, goal, message)
            return True
        asked = await self._changes.offer_answer(tx, goal, message.text)
        if asked is not None:
            said = _AN_ANSWER if asked[1] else _NO_ANSWER
            await ask_about(tx, goal, message, said, [*asked[1], A_NEW_GOAL])
            return True
        if not self._can_read:
            return await self._changes.ask(tx, goal, message)
        await ask_about(tx, goal, message, TOO_EARLY, [A_NEW_GOAL])
        return True

    async def _undo(self, tx: Transaction, message: IncomingMessage) -> str:
        """Take back what the newest goal of this thread did that did anything."""
        latest = await self._open(tx, message)
        if latest is not None:
            return "I am taking it back already." if latest.kind is GoalKind.UNDO else _NOT_OVER
        said = "There is nothing of yours in this thread that I could undo."
        found = await tx.goals.list_settled_in_thread(
            message.team_id, message.channel_id, message.thread_ts or message.ts
        )
        for ended in found:
            goal = await tx.goals.lock(message.team_id, ended.id)
            answer = await self._undos.undo_locked(tx, goal, person_id=message.person_id)
            said = answer.text
            if answer.ok:
                break
        return said

    async def _open(self, tx: Transaction, message: IncomingMessage) -> Goal | None:
        """Return the newest open goal of the thread, locked, where it is the writer's own."""
        found = await tx.goals.find_open_in_thread(
            message.team_id, message.channel_id, message.thread_ts or message.ts
        )
        if found is None or found.requester_id != message.person_id:
            return None
        return await tx.goals.lock(message.team_id, found.id)
