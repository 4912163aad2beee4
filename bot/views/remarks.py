"""What a message about a goal may mean: the question with a button for each meaning."""

from bot.engine.cards import RemarkCard
from bot.views import blocks, ids
from bot.views.blocks import Block
from bot.views.text import one_line, shorten
from storage.tables.remarks import RemarkStatus

_TEXT_SHOWN = 200
_READING = "I am reading that…"


def build_remark_blocks(card: RemarkCard) -> list[Block]:
    """Return the question, or what became of the message."""
    shown = [
        blocks.section(_said(card)),
        blocks.context(f"“{shorten(one_line(card.text), _TEXT_SHOWN)}”"),
    ]
    if card.status is not RemarkStatus.ASKING:
        return blocks.fit(shown)
    lines = "\n".join(f"• {line}" for _, line in card.options)
    shown.insert(1, blocks.section(lines))
    buttons = [
        blocks.button(
            label,
            action_id=ids.numbered(ids.REMARK_PICK, number),
            value=f"{card.remark_id}:{number}",
            label=line,
        )
        for number, (label, line) in enumerate(card.options)
    ]
    none = "None of these" if len(card.options) > 1 else "No"
    buttons.append(blocks.button(none, action_id=ids.REMARK_NONE, value=str(card.remark_id)))
    return blocks.fit(shown, tail=[blocks.actions(*buttons)])


def remark_fallback(card: RemarkCard) -> str:
    return blocks.fallback(_said(card))


def _said(card: RemarkCard) -> str:
    return _READING if card.status is RemarkStatus.READING else card.said
