"""E-mail addresses, and lists of them in which colleagues may stand by name."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.planning.parse.scan import Found, ends_word, matches, skip_spaces

_LOCAL = r"[A-Za-z0-9](?:[A-Za-z0-9._%+\-]{0,62}[A-Za-z0-9_%+\-])?"
_DOMAIN = r"(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}"
EMAIL = re.compile(rf"{_LOCAL}@{_DOMAIN}")
_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")
_JOINT = re.compile(r"(?: ?, ?and | ?, ?| and | & )", re.IGNORECASE)
_MAX_ADDRESSES = 20


@dataclass(frozen=True, slots=True)
class Colleague:
    """A member of the requester's Slack team whom a message may name."""

    person_id: str
    name: str
    email: str


def find_email(text: str, pos: int) -> Iterator[Found[str]]:
    """Yield the address that is written at `pos`."""
    for match in matches(EMAIL, text, pos):
        yield Found(match.end(), match[0])


def find_emails(
    text: str, pos: int, *, people: Sequence[Colleague] = ()
) -> Iterator[Found[tuple[str, ...]]]:
    """Yield every list of addresses that begins at `pos`, the longest first."""
    found: list[Found[tuple[str, ...]]] = []
    values: tuple[str, ...] = ()
    while len(values) < _MAX_ADDRESSES:
        item = _one(text, pos, people)
        if item is None:
            break
        values = (*values, item.value)
        found.append(Found(item.end, tuple(dict.fromkeys(values))))
        joint = _JOINT.match(text, item.end)
        if joint is None:
            break
        pos = joint.end()
    yield from reversed(found)


def _one(text: str, pos: int, people: Sequence[Colleague]) -> Found[str] | None:
    for found in find_email(text, pos):
        return found
    start = skip_spaces(text, pos)
    mention = _MENTION.match(text, start)
    if mention is not None:
        known = [person.email for person in people if person.person_id == mention[1]]
        return Found(mention.end(), known[0]) if known else None
    return _named(text, start, people)


def _named(text: str, start: int, people: Sequence[Colleague]) -> Found[str] | None:
    """Return the one colleague whose full name, or else whose first name, is written here."""
    full = [(person.name, person.email) for person in people]
    first = [(person.name.split(" ")[0], person.email) for person in people]
    for names in (full, first):
        hits = [
            (email, start + len(name))
            for name, email in names
            if name
            and text[start : start + len(name)].casefold() == name.casefold()
            and ends_word(text, start + len(name))
        ]
        if len({email for email, _ in hits}) == 1:
            return Found(hits[0][1], hits[0][0])
    return None
