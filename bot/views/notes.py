"""One sentence, as a message or as a modal."""

from bot.views import blocks, ids, limits
from bot.views.blocks import Block


def build_note_blocks(text: str, *, url: str | None = None) -> list[Block]:
    """Return a sentence, with a button that opens `url` if there is one."""
    shown = [blocks.section(text)]
    if url is not None:
        shown.append(blocks.actions(blocks.link_button("Open", url, style="primary")))
    return shown


def note_fallback(text: str) -> str:
    return blocks.fallback(text)


def build_notice_modal(text: str, *, url: str | None = None) -> Block:
    """Return a modal that only says something: the answer to a click on Home or in a modal."""
    return {
        "type": "modal",
        "callback_id": ids.MODAL_NOTICE,
        "title": blocks.plain("Countersign", limits.MODAL_TITLE),
        "close": blocks.plain("OK", limits.MODAL_BUTTON),
        "blocks": build_note_blocks(text, url=url),
    }
