"""Slack's markup in what people type → plain words (Slack escapes & < > and wraps references)."""

import re
from collections.abc import Awaitable, Callable

_REFERENCE = re.compile(r"<([^<>]*)>")
_PERSON = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
_MOST_PEOPLE = 10


def without_mention(text: str, bot_user_id: str) -> str:
    """Return text without the mentions of us."""
    return re.sub(rf"<@{re.escape(bot_user_id)}(\|[^<>]*)?>", " ", text).strip()


async def plain_words(text: str, *, name_of: Callable[[str], Awaitable[str]]) -> str:
    """Return what a person meant to write: bare links and names in place of Slack's references.

    Source: https://docs.slack.dev/messaging/formatting-message-text

    Args:
        text: as Slack delivers it.
        name_of: gives the address or name of a colleague by person id; asked for ten at most.
    """
    mentioned = list(dict.fromkeys(_PERSON.findall(text)))[:_MOST_PEOPLE]
    names = {person_id: await name_of(person_id) for person_id in mentioned}

    def replace(match: re.Match[str]) -> str:
        target, _, label = match[1].partition("|")
        if target.startswith("@"):
            return names.get(target[1:], label or target)
        if target.startswith("#"):
            return f"#{label or target[1:]}"
        if target.startswith("!"):
            return label or f"@{target[1:].partition('^')[0]}"
        if target.startswith("mailto:"):
            return target.removeprefix("mailto:")
        return target

    return unescape(_REFERENCE.sub(replace, text))


def unescape(text: str) -> str:
    """Undo Slack's escaping, which is these three entities and no other."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
