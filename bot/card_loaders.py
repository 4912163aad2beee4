"""Where each card's content comes from, once everything is wired."""

from bot.digests.queries import DigestQueries
from bot.engine.awaited import awaited_card
from bot.engine.card_queries import CardQueries
from bot.engine.cards import AwaitedCard
from bot.engine.connections import ConnectionDesk
from bot.engine.handoff import HandoffService
from bot.engine.home_queries import HomeQueries
from bot.engine.remarks import remark_card
from bot.notifier.loaders import Loaders
from bot.planning.schema import shown_examples
from connectors.registry import Registry
from storage.database import Transaction
from storage.tables.slack import OutboxCard


def card_loaders(
    *,
    cards: CardQueries,
    connects: ConnectionDesk,
    handoffs: HandoffService,
    digests: DigestQueries,
    homes: HomeQueries,
    registry: Registry,
) -> Loaders:
    """Return one loader for each noun."""
    examples = shown_examples(registry)

    async def awaited(tx: Transaction, card: OutboxCard) -> AwaitedCard:
        wait_id = int(card.data["wait_id"])
        return await awaited_card(tx, card.team_id, wait_id, cards=cards, registry=registry)

    async def welcome(_tx: Transaction, _card: OutboxCard) -> tuple[str, ...]:
        return examples

    return Loaders(
        goal=lambda tx, card: cards.goal(tx, card.team_id, int(card.subject)),
        approval=lambda tx, card: cards.approval(tx, card.team_id, int(card.subject)),
        answer=lambda tx, card: cards.answer(tx, card.team_id, int(card.subject)),
        handoff=lambda tx, card: handoffs.card(tx, card.team_id, int(card.subject)),
        remark=lambda tx, card: remark_card(tx, card.team_id, int(card.subject), cards=cards),
        awaited=awaited,
        question=lambda tx, card: cards.questions.load(tx, card.team_id, int(card.subject)),
        unknown=lambda tx, card: cards.unknown(tx, card.team_id, int(card.subject)),
        connect=lambda tx, card: connects.card(tx, card.team_id, card.subject),
        digest=lambda tx, card: digests.load(tx, card.team_id, int(card.subject)),
        home=lambda tx, card: homes.read(tx, card.team_id, card.subject),
        examples=welcome,
    )
