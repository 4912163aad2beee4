"""Asking one person to connect a provider."""

from bot.engine.cards import ConnectCard
from bot.views import blocks
from bot.views.blocks import Block


def build_connect_blocks(card: ConnectCard) -> list[Block]:
    """Return the request with its scopes in plain words, or that it is connected."""
    if card.connected_as is not None:
        return [blocks.section(f"✓ {card.title} is connected as {card.connected_as}.")]
    scopes = "\n".join(f"• {scope}" for scope in card.scopes)
    shown = [blocks.section(f"To go on I need your {card.title}: {card.why}")]
    if scopes:
        shown.append(blocks.context(f"It asks only for:\n{scopes}"))
    connect = blocks.link_button(f"Connect {card.title}", card.url, style="primary")
    shown.append(blocks.actions(connect))
    shown.append(blocks.context("The link is yours alone and works for a day."))
    return shown


def connect_fallback(card: ConnectCard) -> str:
    if card.connected_as is not None:
        return blocks.fallback(f"{card.title} is connected as {card.connected_as}.")
    return blocks.fallback(f"To go on I need your {card.title}: {card.why}")
