"""A digest: what waits on one person, done, next, stuck."""

from collections.abc import Sequence

from bot.digests.models import Digest, DigestLine
from bot.views import blocks
from bot.views.blocks import Block
from bot.views.text import one_line, shorten

_MOST_LINES = 8
_LINE_SHOWN = 220
"""A goal's beginning and a whole sentence with its remedy; eight such lines fit one section."""


def build_digest_blocks(digest: Digest) -> list[Block]:
    """Return the four lists that have something in them; an empty digest says so in a line."""
    day = digest.until.astimezone(digest.zone)
    shown = [blocks.header(f"Your digest, {day:%a} {day.day} {day:%b}")]
    if digest.late_note:
        shown.append(blocks.context(digest.late_note))
    if digest.is_empty:
        shown.append(blocks.section("Nothing waits on you, and nothing is stuck."))
    for title, lines in _parts(digest):
        if lines:
            shown.append(blocks.marked_section(f"*{title}*\n{_list(lines)}"))
    return blocks.fit(shown)


def digest_fallback(digest: Digest) -> str:
    counts = [f"{title.lower()}: {len(lines)}" for title, lines in _parts(digest) if lines]
    return blocks.fallback("Your digest: " + (", ".join(counts) or "nothing waits on you"))


def _parts(digest: Digest) -> tuple[tuple[str, Sequence[DigestLine]], ...]:
    return (
        ("Waits on you", digest.waiting),
        ("Done", digest.done),
        ("Next", digest.next),
        ("Stuck", digest.stuck),
    )


def _list(lines: Sequence[DigestLine]) -> str:
    shown = [
        f"• {blocks.linked(shorten(one_line(line.text), _LINE_SHOWN), line.url)}"
        for line in lines[:_MOST_LINES]
    ]
    if len(lines) > _MOST_LINES:
        shown.append(f"… and {len(lines) - _MOST_LINES} more")
    return "\n".join(shown)
