"""Asking one person to connect a provider."""

from bot.engine.cards import ConnectCard
from bot.views import blocks
from bot.views.blocks import Block
from bot.views.text import one_line, shorten

_GOAL_SHOWN = 300


def build_connect_blocks(card: ConnectCard) -> list[Block]:
    """Return the request with its scopes in plain words, or that it is connected."""
    if card.connected_as is not None:
        return [blocks.section(f"✓ {card.title} is connected as {card.connected_as}.")]
    scopes = "\n".join(f"• {scope}" for scope in card.scopes)
    shown = [blocks.section(_ask(card))]
    if scopes:
        shown.append(blocks.context(f"I ask {card.title} only for:\n{scopes}"))
    connect = blocks.link_button(f"Connect {card.title}", card.url, style="primary")
    shown.append(blocks.actions(connect))
    shown.append(
        blocks.context("I go on by myself once it is connected. The link is for you alone.")
    )
    return shown


def connect_fallback(card: ConnectCard) -> str:
    if card.connected_as is not None:
        return blocks.fallback(f"{card.title} is connected as {card.connected_as}.")
    return blocks.fallback(_ask(card))


def _ask(card: ConnectCard) -> str:
    goal = shorten(one_line(card.why), _GOAL_SHOWN)
    return f"Please connect your {card.title}, so that I can go on with “{goal}”."
