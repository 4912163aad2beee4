"""Noun → what Slack shows, from the newest rows."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from bot.engine.cards import ApprovalCard
from bot.notifier.loaders import Loaders
from bot.views.answers import answer_fallback, build_answer_blocks
from bot.views.approvals import approval_fallback, build_approval_blocks
from bot.views.awaited import awaited_fallback, build_awaited_blocks
from bot.views.blocks import Block
from bot.views.connections import build_connect_blocks, connect_fallback
from bot.views.digests import build_digest_blocks, digest_fallback
from bot.views.goals import build_goal_blocks, goal_fallback
from bot.views.handoffs import build_handoff_blocks, handoff_fallback
from bot.views.home import build_home
from bot.views.notes import build_note_blocks, note_fallback
from bot.views.questions import build_question_blocks, question_fallback
from bot.views.remarks import build_remark_blocks, remark_fallback
from bot.views.summaries import build_summary_blocks, has_summary, summary_fallback
from bot.views.unknown import build_unknown_blocks, unknown_fallback
from bot.views.welcome import build_welcome_blocks, welcome_fallback
from storage.database import Transaction
from storage.errors import NotFoundError
from storage.tables.slack import OutboxCard


@dataclass(frozen=True, slots=True)
class Rendered:
    """What to show. `owner_id` reads it in direct messages if the channel cannot be posted to."""

    text: str
    blocks: list[Block]
    owner_id: str | None = None
    view: Block | None = None
    """A Home to publish; text and blocks are then empty."""


Renderer: TypeAlias = Callable[[Transaction, OutboxCard], Awaitable[Rendered | None]]


class Renderers:
    """Draws cards. It reads, and writes nothing but what a loader writes (a connect link)."""

    def __init__(self, loaders: Loaders) -> None:
        self._loaders = loaders
        self._by_noun: dict[str, Renderer] = {
            "goal": self._goal,
            "summary": self._summary,
            "approval": self._approval,
            "answer": self._answer,
            "awaited": self._awaited,
            "unknown": self._unknown,
            "question": self._question,
            "handoff": self._handoff,
            "remark": self._remark,
            "connect": self._connect,
            "digest": self._digest,
            "home": self._home,
            "welcome": self._welcome,
            "note": self._note,
        }

    async def render(self, tx: Transaction, card: OutboxCard) -> Rendered | None:
        """Return what a card shows now, None when there is nothing to show.

        Raises:
            KeyError: nobody draws this noun.
        """
        try:
            return await self._by_noun[card.noun](tx, card)
        except NotFoundError:
            return None

    async def _goal(self, tx: Transaction, card: OutboxCard) -> Rendered | None:
        goal = await self._loaders.goal(tx, card)
        if goal is None:
            return None
        return Rendered(goal_fallback(goal), build_goal_blocks(goal), goal.requester_id)

    async def _summary(self, tx: Transaction, card: OutboxCard) -> Rendered | None:
        goal = await self._loaders.goal(tx, card)
        if goal is None or not has_summary(goal):
            return None
        return Rendered(summary_fallback(goal), build_summary_blocks(goal), goal.requester_id)

    async def _approval(self, tx: Transaction, card: OutboxCard) -> Rendered | None:
        approval = await self._loaders.approval(tx, card)
        if approval is None or not approval.lines:
            return None
        named = await _with_names(tx, card.team_id, approval)
        return Rendered(approval_fallback(named), build_approval_blocks(named))

    async def _answer(self, tx: Transaction, card: OutboxCard) -> Rendered | None:
        answer = await self._loaders.answer(tx, card)
        if answer is None:
            return None
        return Rendered(answer_fallback(answer), build_answer_blocks(answer), card.recipient_id)

    async def _awaited(self, tx: Transaction, card: OutboxCard) -> Rendered | None:
        awaited = await self._loaders.awaited(tx, card)
        if awaited is None:
            return None
        return Rendered(
            awaited_fallback(awaited), build_awaited_blocks(awaited), awaited.requester_id
        )

    async def _unknown(self, tx: Transaction, card: OutboxCard) -> Rendered | None:
        unknown = await self._loaders.unknown(tx, card)
        if unknown is None:
            return None
        return Rendered(unknown_fallback(unknown), build_unknown_blocks(unknown))

    async def _question(self, tx: Transaction, card: OutboxCard) -> Rendered | None:
        asked = await self._loaders.question(tx, card)
        if asked is None:
            return None
        return Rendered(question_fallback(asked), build_question_blocks(asked), asked.requester_id)

    async def _handoff(self, tx: Transaction, card: OutboxCard) -> Rendered | None:
        handoff = await self._loaders.handoff(tx, card)
        if handoff is None:
            return None
        return Rendered(handoff_fallback(handoff), build_handoff_blocks(handoff))

    async def _remark(self, tx: Transaction, card: OutboxCard) -> Rendered | None:
        remark = await self._loaders.remark(tx, card)
        if remark is None:
            return None
        return Rendered(remark_fallback(remark), build_remark_blocks(remark), remark.requester_id)

    async def _connect(self, tx: Transaction, card: OutboxCard) -> Rendered | None:
        connect = await self._loaders.connect(tx, card)
        if connect is None:
            return None
        return Rendered(connect_fallback(connect), build_connect_blocks(connect))

    async def _digest(self, tx: Transaction, card: OutboxCard) -> Rendered | None:
        digest = await self._loaders.digest(tx, card)
        if digest is None:
            return None
        return Rendered(digest_fallback(digest), build_digest_blocks(digest), digest.person_id)

    async def _home(self, tx: Transaction, card: OutboxCard) -> Rendered | None:
        home = await self._loaders.home(tx, card)
        return None if home is None else Rendered("", [], view=build_home(home))

    async def _welcome(self, tx: Transaction, card: OutboxCard) -> Rendered | None:
        examples = await self._loaders.examples(tx, card)
        return Rendered(welcome_fallback(), build_welcome_blocks(examples))

    async def _note(self, _tx: Transaction, card: OutboxCard) -> Rendered | None:
        text, url = str(card.data["text"]), card.data.get("url")
        return Rendered(note_fallback(text), build_note_blocks(text, url=url))


async def _with_names(tx: Transaction, team_id: str, card: ApprovalCard) -> ApprovalCard:
    """Return the card with names in place of the ids of who decided: a mention would ping."""
    lines = []
    for line in card.lines:
        person = await tx.people.find(team_id, line.decided_by) if line.decided_by else None
        lines.append(replace(line, decided_by=person.name) if person else line)
    return replace(card, lines=tuple(lines))
