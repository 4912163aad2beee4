"""A message as plain text: what both planners read and what provenance points into."""

import html
import re
import unicodedata

_MAILTO = re.compile(r"<mailto:([^|>\s]+)(?:\|[^>]*)?>")
_LINK = re.compile(r"<(https?://[^|>\s]+)(?:\|([^>]*))?>")
_QUOTES = str.maketrans("\u201c\u201d\u201e\u00ab\u00bb\u2018\u2019", '"""""\'\'')
_SPACES = re.compile(r"[^\S\n]+")


def plain(text: str) -> str:
    """Return a Slack message as a person typed it: NFKC, straight quotes, single spaces.

    Slack writes an address as `<mailto:a@b|a@b>`, a link as `<url|label>` and escapes `&<>`;
    mentions (`<@U1>`) stay, since they name somebody.
    Source: https://docs.slack.dev/messaging/formatting-message-text
    """
    unwrapped = _LINK.sub(lambda m: m.group(2) or m.group(1), _MAILTO.sub(r"\1", text))
    normal = unicodedata.normalize("NFKC", html.unescape(unwrapped)).translate(_QUOTES)
    lines = (_SPACES.sub(" ", line).strip() for line in normal.split("\n"))
    return "\n".join(line for line in lines if line)


def folded(text: str) -> str:
    """Return text for comparing: NFKC, case folded, white space collapsed."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def json_part(text: str) -> str:
    """Return what stands between the outermost braces: endpoints wrap JSON in prose or fences."""
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else text
