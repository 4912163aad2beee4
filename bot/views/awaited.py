"""One sentence in a goal's thread: what was long awaited came, so it goes on."""

from bot.engine.cards import AwaitedCard
from bot.views import blocks
from bot.views.blocks import Block
from bot.views.text import inline


def build_awaited_blocks(card: AwaitedCard) -> list[Block]:
    """Return the sentence; only the requester is mentioned, whatever it quotes."""
    return [blocks.marked_section(f"<@{card.requester_id}> {inline(card.text)}")]


def awaited_fallback(card: AwaitedCard) -> str:
    return blocks.fallback(card.text)
