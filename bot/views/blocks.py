"""Block Kit's pieces, each within its limit. Data goes into plain text, which Slack never parses.

Only section, context, actions, header, divider and input: every workspace and client shows them.
Source: https://docs.slack.dev/reference/block-kit/blocks
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

from bot.views import ids, limits
from bot.views.text import escaped, inline, one_line, shorten, units, visible
from connectors.actions import Link

Block: TypeAlias = dict[str, Any]
"""One block or element of Block Kit, as JSON."""


def plain(text: str, limit: int) -> Block:
    """Return a plain_text object: no formatting, links, mentions or emoji names in it."""
    return {"type": "plain_text", "text": shorten(visible(text), limit) or "—", "emoji": False}


def marked(mrkdwn: str, limit: int = limits.SECTION_TEXT) -> Block:
    """Return an mrkdwn object of text that we wrote ourselves; data in it was made `inline`."""
    if units(mrkdwn) > limit:
        mrkdwn = shorten(mrkdwn, limit)
    return {"type": "mrkdwn", "text": mrkdwn, "verbatim": True}


def section(text: str, *, button: Block | None = None) -> Block:
    """Return a paragraph of data."""
    block: Block = {"type": "section", "text": plain(text, limits.SECTION_TEXT)}
    return block if button is None else {**block, "accessory": button}


def marked_section(mrkdwn: str, *, button: Block | None = None) -> Block:
    """Return a paragraph of our own words."""
    block: Block = {"type": "section", "text": marked(mrkdwn)}
    return block if button is None else {**block, "accessory": button}


def context(*texts: str) -> Block:
    """Return small print of data; what does not fit into one block is counted."""
    shown = [plain(text, limits.CONTEXT_TEXT) for text in texts]
    if len(shown) > limits.CONTEXT_ELEMENTS:
        more = len(shown) - limits.CONTEXT_ELEMENTS + 1
        shown = [*shown[: limits.CONTEXT_ELEMENTS - 1], plain(f"… and {more} more", 40)]
    return {"type": "context", "elements": shown}


def marked_context(mrkdwn: str) -> Block:
    """Return small print of our own words."""
    return {"type": "context", "elements": [marked(mrkdwn, limits.CONTEXT_TEXT)]}


def header(text: str) -> Block:
    return {"type": "header", "text": plain(text, limits.HEADER_TEXT)}


def divider() -> Block:
    return {"type": "divider"}


def actions(*elements: Block, block_id: str | None = None) -> Block:
    """Return a row of buttons."""
    block: Block = {"type": "actions", "elements": list(elements[: limits.ACTIONS_ELEMENTS])}
    return block if block_id is None else {**block, "block_id": block_id[: limits.BLOCK_ID]}


def button(
    text: str,
    *,
    action_id: str,
    value: str | None = None,
    style: str | None = None,
    url: str | None = None,
    confirm: Block | None = None,
    label: str | None = None,
) -> Block:
    """Return a button. `value` is an opaque id (S15); `label` is what screen readers say."""
    element: Block = {
        "type": "button",
        "text": plain(one_line(text), limits.BUTTON_TEXT),
        "action_id": action_id,
    }
    optional = {"value": value, "style": style, "url": url, "confirm": confirm}
    element |= {name: given for name, given in optional.items() if given is not None}
    if label is not None:
        element["accessibility_label"] = shorten(one_line(label), limits.BUTTON_TEXT)
    return element


def link_button(
    text: str, url: str, *, number: int = 0, style: str | None = None, label: str | None = None
) -> Block:
    """Return a button that opens a page in the browser."""
    action_id = ids.numbered(ids.LINK, number)
    return button(text, action_id=action_id, url=url, style=style, label=label)


def confirm(*, title: str, text: str, yes: str, no: str, danger: bool = False) -> Block:
    """Return the question that a client asks before it sends a click."""
    asked: Block = {
        "title": plain(title, limits.CONFIRM_TITLE),
        "text": plain(text, limits.CONFIRM_TEXT),
        "confirm": plain(yes, limits.CONFIRM_BUTTON),
        "deny": plain(no, limits.CONFIRM_BUTTON),
    }
    return {**asked, "style": "danger"} if danger else asked


def links(found: Sequence[Link]) -> str:
    """Return links as mrkdwn; one whose address is not plain http is shown as its text."""
    return " · ".join(_link(link.text, link.url) for link in found)


def linked(text: str, url: str | None) -> str:
    """Return a line as mrkdwn, as a link where it has an address."""
    return _link(text, url) if url else inline(text) or "—"


def fallback(text: str) -> str:
    """Return the text of a message for notifications and screen readers: data, escaped."""
    return escaped(visible(one_line(text)), limits.MESSAGE_TEXT) or "Countersign"


def fit(
    blocks: Sequence[Block], *, most: int = limits.BLOCKS_PER_MESSAGE, tail: Sequence[Block] = ()
) -> list[Block]:
    """Return blocks that fit one message or view; what is left out is said, `tail` always shown."""
    room = most - len(tail)
    if len(blocks) <= room:
        return [*blocks, *tail]
    note = marked_context("_There is more than fits here. Open the goal's page to see it all._")
    return [*blocks[: room - 1], note, *tail]


def is_safe_url(url: str) -> bool:
    """Whether an address is plain http that Slack takes."""
    plain_web = url.startswith(("https://", "http://")) and not set(url) & set("|<> \n\t")
    return plain_web and units(url) <= limits.URL


def _link(text: str, url: str) -> str:
    text = text or url
    if not is_safe_url(url):
        return inline(text) or "—"
    return f"<{url.replace('&', '&amp;')}|{inline(text)}>"
