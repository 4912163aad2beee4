"""An answer for the requester alone, from rows."""

from collections.abc import Sequence

from bot.engine.cards import AnswerCard
from bot.views import blocks
from bot.views.blocks import Block
from bot.views.text import defang, one_line, shorten
from connectors.actions import Link

_MOST_ROWS = 10
_MOST_LINKS = 10
_CELL_SHOWN = 200


def build_answer_blocks(card: AnswerCard) -> list[Block]:
    """Return the rows, one paragraph each; what is not shown is counted."""
    shown = [blocks.section(card.title)]
    links = {link.text: link for link in reversed(card.links)}
    for number, row in enumerate(card.rows[:_MOST_ROWS]):
        link = links.pop(row[0], None) if row else None
        shown.append(blocks.section(_row(card, row), button=_open(link, number)))
    missing = card.total - min(len(card.rows), _MOST_ROWS)
    if missing > 0:
        shown.append(blocks.context(f"… and {missing:,} more"))
    if links:
        shown.append(blocks.marked_context(blocks.links([*links.values()][:_MOST_LINKS])))
    if card.outside and card.rows:
        shown.append(blocks.context("People outside may have written some of this."))
    return blocks.fit(shown)


def answer_fallback(card: AnswerCard) -> str:
    rows = "; ".join(_row(card, row) for row in card.rows[:_MOST_ROWS])
    return blocks.fallback(f"{card.title}: {rows}" if rows else card.title)


def _open(link: Link | None, number: int) -> Block | None:
    """Return a button to a row's record; what it stands beside is said to screen readers."""
    if link is None or not blocks.is_safe_url(link.url):
        return None
    return blocks.link_button("Open", link.url, number=number, label=f"Open {link.text}")


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
