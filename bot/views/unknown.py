"""A call whose reply was lost: a human looks and says what became of it."""

from bot.engine.cards import UnknownCard
from bot.views import blocks, ids, words
from bot.views.blocks import Block


def build_unknown_blocks(card: UnknownCard) -> list[Block]:
    """Return the question with three answers, or how it was settled."""
    shown = [
        blocks.section(f"I do not know whether this happened: {card.sentence}"),
    ]
    if card.details:
        shown.append(blocks.context("\n".join(words.detail(shown) for shown in card.details)))
    if card.settled is not None:
        shown.append(blocks.section(card.settled))
        return blocks.fit(shown)
    shown.append(
        blocks.section(
            f"{card.provider_title} did not answer, and I never try such a thing twice on a "
            "guess. Please look there, then tell me."
        )
    )
    value = str(card.task_id)
    row = [blocks.button("It happened", action_id=ids.UNKNOWN_HAPPENED, value=value)]
    if card.can_run_again:
        row.append(_run_again(card, value))
    row.append(blocks.button("Leave it", action_id=ids.UNKNOWN_LEAVE, value=value))
    if card.look_url:
        row.insert(0, blocks.link_button(f"Open {card.provider_title}", card.look_url))
    return blocks.fit(shown, tail=[blocks.actions(*row)])


def unknown_fallback(card: UnknownCard) -> str:
    if card.settled is not None:
        return blocks.fallback(f"{card.sentence}: {card.settled}")
    return blocks.fallback(f"I do not know whether this happened: {card.sentence}")


def _run_again(card: UnknownCard, value: str) -> Block:
    return blocks.button(
        "It did not: run it again",
        action_id=ids.UNKNOWN_RUN_AGAIN,
        value=value,
        confirm=blocks.confirm(
            title="Run it again?",
            text=f"If it did happen, it happens twice: {card.sentence}",
            yes="Run it again",
            no="Back",
            danger=True,
        ),
    )
