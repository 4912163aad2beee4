"""Something that a defect of ours stopped: a person looks at it."""

from bot.engine.cards import HandoffCard
from bot.views import blocks, ids
from bot.views.blocks import Block


def build_handoff_blocks(card: HandoffCard) -> list[Block]:
    """Return what was asked, what is known, and a button for whoever looked."""
    shown = [
        blocks.section(f"Something went wrong on my side. {card.requester} asked: {card.asked}"),
        blocks.section(_known(card)),
        blocks.context(
            f"Reference {card.reference}: under it an admin finds the cause in the log."
        ),
    ]
    if card.settled_by is not None:
        shown.append(blocks.section(f"{card.settled_by} looked and settled it."))
        return blocks.fit(shown)
    row = [
        blocks.button(
            "I looked: settled", action_id=ids.HANDOFF_SETTLED, value=str(card.handoff_id)
        )
    ]
    if card.look_url and card.provider_title:
        row.insert(0, blocks.link_button(f"Open {card.provider_title}", card.look_url))
    return blocks.fit(shown, tail=[blocks.actions(*row)])


def handoff_fallback(card: HandoffCard) -> str:
    return blocks.fallback(f"Something went wrong on my side with: {card.asked}")


def _known(card: HandoffCard) -> str:
    if card.position is None:
        return (
            "I stopped the goal. What was done before stays done. "
            "Ask me again, or do the rest by hand."
        )
    step = f"Step {card.position}: {card.step}" if card.step else f"Step {card.position}"
    if card.is_unknown:
        return f"{step}\nIt may have happened. Please look at {card.provider_title}."
    if not card.is_failed:
        return f"{step}\nA person has said meanwhile what became of it."
    return f"{step}\nIt changed nothing. Ask me again, or do it by hand."
