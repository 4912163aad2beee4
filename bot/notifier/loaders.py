"""Where the renderers get what a card shows."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from bot.digests.models import Digest
from bot.engine.cards import (
    AnswerCard,
    ApprovalCard,
    AwaitedCard,
    ConnectCard,
    GoalCard,
    HandoffCard,
    QuestionCard,
    RemarkCard,
    UnknownCard,
)
from bot.engine.home import HomeView
from storage.database import Transaction
from storage.tables.slack import OutboxCard

T = TypeVar("T")
Load: TypeAlias = Callable[[Transaction, OutboxCard], Awaitable[T | None]]
"""Reads what a card shows; None, or a NotFoundError, when there is nothing to show any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaders:
    """One loader a noun. `card.subject` is the id of what to load, `card.data` the rest."""

    goal: Load[GoalCard]
    """Also for the noun `summary`."""
    approval: Load[ApprovalCard]
    answer: Load[AnswerCard]
    awaited: Load[AwaitedCard]
    unknown: Load[UnknownCard]
    question: Load[QuestionCard]
    handoff: Load[HandoffCard]
    remark: Load[RemarkCard]
    connect: Load[ConnectCard]
    digest: Load[Digest]
    home: Load[HomeView]
    examples: Callable[[Transaction, OutboxCard], Awaitable[tuple[str, ...]]]
    """The sentences that a welcome offers to click."""
