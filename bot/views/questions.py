"""A value that was refused: its requester gives another one, leaves the step out, or stops."""

from bot.engine.cards import QuestionCard
from bot.views import blocks, ids
from bot.views.blocks import Block


def build_question_blocks(card: QuestionCard) -> list[Block]:
    """Return the question with its choices, or what became of it."""
    if card.answered is not None:
        return [blocks.section(f"✓ {card.sentence}"), blocks.context(card.answered)]
    shown = [
        blocks.section(f"I need another value for this step: {card.sentence}"),
        blocks.section(card.message),
        blocks.context(_how(card)),
    ]
    value = f"{card.task_id}:{card.version}"
    tail: list[Block] = []
    if card.choices:
        choices = [
            blocks.button(
                choice,
                action_id=ids.numbered(ids.QUESTION_CHOOSE, number),
                value=f"{value}:{number}",
            )
            for number, choice in enumerate(card.choices)
        ]
        tail.append(blocks.actions(*choices))
    row = [
        blocks.button("Write another value", action_id=ids.QUESTION_WRITE, value=value),
        blocks.button("Leave this step out", action_id=ids.QUESTION_LEAVE_OUT, value=value),
        blocks.button("Stop", action_id=ids.GOAL_CANCEL, value=str(card.goal_id)),
    ]
    return blocks.fit(shown, tail=[*tail, blocks.actions(*row)])


def question_fallback(card: QuestionCard) -> str:
    if card.answered is not None:
        return blocks.fallback(f"{card.sentence}: {card.answered}")
    return blocks.fallback(f"I need another value for “{card.sentence}”: {card.message}")


def _how(card: QuestionCard) -> str:
    """Say how to answer, and that nothing was done."""
    pick = "Press one of these, or write" if card.choices else "Write"
    return f"Nothing of it was done. {pick} the new value in this thread: {card.fields[0].lower()}."
