"""Proposed answers: words that may be the answer to a question about a value, or something else.

Whoever is asked for a value may write about something else all the same. What is no plain value
is never stored as one without a click.
"""

import re

from bot.engine.options import Meaning, Option
from bot.engine.plans import CHANGEABLE
from bot.engine.questions import Question
from bot.engine.wishes import Refused, Wish, Wishes
from bot.planning.text import folded, plain
from storage.database import Transaction
from storage.tables.goals import Goal

MOST_WORDS = 5
"""A value of more words is asked about: a new goal or a remark is rarely said in fewer."""

_QUESTION = re.compile(
    r"(?:what|when|where|who|whom|whose|why|how|which|was|wann|wo|wer|wen|wem|warum|wieso|wie|welche"
    r"|welcher|welches|qué|cuándo|dónde|quién|cómo|quand|où|qui|pourquoi|comment)\b(?:'s)? \w"
    r"|(?:is|are|was|does|do|did|can|could|will|would|should|shall|may|have|has)"
    r" (?:it|i|you|we|they|this|that|these|those|the|there|she|he)\b"
)


def is_plain_value(text: str) -> bool:
    """Whether words are short and no question: "Acme Corp", not "what is the status of this?"."""
    said = folded(plain(text))
    is_question = said.endswith("?") or _QUESTION.match(said) is not None
    return not is_question and len(said.split()) <= MOST_WORDS


async def as_answer(
    tx: Transaction, goal: Goal, text: str, wishes: Wishes
) -> tuple[Question, list[Option]] | None:
    """Return what the goal asks, with the button that takes words as the answer.

    None where nothing is asked; no button where the words cannot be the value, or the goal is in
    no state for it.

    Args:
        tx: holds the goal's row.
        goal: open.
        text: the whole message.
        wishes: checks the value.
    """
    tasks = await tx.tasks.list_(goal.team_id, goal.id)
    question = next((asked for task in tasks if (asked := Question.of(task))), None)
    if question is None:
        return None
    if goal.status not in CHANGEABLE:
        return question, []
    await tx.results.load(tasks)
    wish = Wish(values={question.step: {question.fields[0]: " ".join(plain(text).split())}})
    checked = await wishes.check(tx, goal, tasks, wish)
    if isinstance(checked, Refused):
        return question, []
    return question, [Option(Meaning.CHANGE, "Use it as the answer", f"{checked.will[0]}.", wish)]
