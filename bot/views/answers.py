"""An answer for the requester alone, from rows."""

from collections.abc import Sequence

from bot.engine.cards import AnswerCard
from bot.views import blocks, words
from bot.views.blocks import Block
from bot.views.text import defang, one_line, shorten
from connectors.labels import Label

_MOST_ROWS = 10
_MOST_LINKS = 10
_CELL_SHOWN = 200


def build_answer_blocks(card: AnswerCard) -> list[Block]:
    """Return the rows, one paragraph each; what is not shown is counted."""
    shown = [blocks.section(card.title)]
    shown += [blocks.section(_row(card, row)) for row in card.rows[:_MOST_ROWS]]
    missing = card.total - min(len(card.rows), _MOST_ROWS)
    if missing > 0:
        shown.append(blocks.context(f"… and {missing:,} more"))
    if card.links:
        shown.append(blocks.marked_context(blocks.links(card.links[:_MOST_LINKS])))
    if card.outside and card.rows:
        shown.append(blocks.context(f"Some of this is {words.label(Label.OUTSIDE)}."))
    return blocks.fit(shown)


def answer_fallback(card: AnswerCard) -> str:
    rows = "; ".join(_row(card, row) for row in card.rows[:_MOST_ROWS])
    return blocks.fallback(f"{card.title}: {rows}" if rows else card.title)


def _row(card: AnswerCard, row: Sequence[str]) -> str:
    """Return the first cell, then the others by name; a stranger's links cannot be clicked."""
    cells = [shorten(one_line(cell), _CELL_SHOWN) for cell in row]
    if card.outside:
        cells = [defang(cell) for cell in cells]
    named = [
        f"{column}: {cell}"
        for column, cell in zip(card.columns[1:], cells[1:], strict=False)
        if cell
    ]
    return "\n".join(part for part in (cells[0] if cells else "", " · ".join(named)) if part)
