"""Links from digests and Home to the cards they talk about."""

from storage.database import Transaction
from storage.tables.people import Person

_OWN_ONLY = frozenset({"approval", "unknown"})
"""Shown to several people, to each in their own direct messages."""


async def permalink(tx: Transaction, person: Person, noun: str, subject: str | int) -> str | None:
    """Return the link to the message that shows a card to this person, once it was posted."""
    cards = await tx.outbox.list_for(person.team_id, noun, str(subject))
    links = {
        card.channel_id: str(card.data["permalink"]) for card in cards if "permalink" in card.data
    }
    own = links.get(person.dm_channel_id or "")
    if own is not None or noun in _OWN_ONLY:
        return own
    return next(iter(links.values()), None)
