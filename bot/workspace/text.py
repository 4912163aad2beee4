"""What Slack makes of the words a person types: escaping, links, mentions and their blocks.

Source: https://docs.slack.dev/messaging/formatting-message-text (escaping, link syntax).
"""

import re
from collections.abc import Iterable
from zlib import crc32

from bot.workspace.config import Person
from bot.workspace.shapes import JsonObject

MAX_TEXT = 40_000
"""Longer text is cut. Source: https://docs.slack.dev/reference/methods/chat.postMessage"""

_TOKEN = re.compile(
    r"<@(?P<id>[A-Z0-9]+)>"
    r"|(?<![\w.@])@(?P<name>[a-z0-9_]+(?:[.-][a-z0-9_]+)*)\b"
    r"|(?<![A-Za-z0-9._%+-])(?P<email>[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)"
    r"|(?P<url>https?://[^\s<>|]*[^\s<>|.,;:!?)'\"\]])"
    r"|(?<![\w.@/-])(?P<domain>(?:[A-Za-z0-9-]+\.)+(?:com|org|net|io|dev)(?:/[^\s<>|]*)?)\b",
    re.IGNORECASE,
)


def escape(text: str) -> str:
    """Return `text` with Slack's three control characters escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def typed(text: str, *, people: Iterable[Person]) -> tuple[str, list[JsonObject]]:
    """Return the message text and the rich text blocks that Slack stores for typed words.

    `@name` and `<@U…>` of known people become mentions; addresses and links become Slack links;
    everything else is escaped. Formatting marks such as `*bold*` stay in the text as typed.
    """
    known = {p.id: p.id for p in people} | {p.name.lower(): p.id for p in people}
    parts: list[str] = []
    elements: list[JsonObject] = []
    position = 0
    for match in _TOKEN.finditer(text):
        link = _link(match, known)
        if link is None:
            continue
        _plain(text[position : match.start()], parts, elements)
        parts.append(link[0])
        elements.append(link[1])
        position = match.end()
    _plain(text[position:], parts, elements)
    section = {"type": "rich_text_section", "elements": elements}
    block_id = f"r{crc32(text.encode(errors='replace')):08x}"
    return "".join(parts), [{"type": "rich_text", "block_id": block_id, "elements": [section]}]


def _plain(text: str, parts: list[str], elements: list[JsonObject]) -> None:
    if text:
        parts.append(escape(text))
        elements.append({"type": "text", "text": text})


def _link(match: re.Match[str], known: dict[str, str]) -> tuple[str, JsonObject] | None:
    found = {name: value for name, value in match.groupdict().items() if value is not None}
    kind, value = next(iter(found.items()))
    if kind in {"id", "name"}:
        user = known.get(value if kind == "id" else value.lower())
        return (f"<@{user}>", {"type": "user", "user_id": user}) if user else None
    shown = escape(value)
    if kind == "email":
        element = {"type": "link", "url": f"mailto:{value}", "text": value}
        return f"<mailto:{shown}|{shown}>", element
    if kind == "url":
        return f"<{shown}>", {"type": "link", "url": value}
    return f"<http://{shown}|{shown}>", {"type": "link", "url": f"http://{value}", "text": value}
