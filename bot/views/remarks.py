"""What a message about a goal may mean: the question with a button for each meaning."""

from bot.engine.cards import GoalCard, RemarkCard, Step
from bot.views import blocks, ids, words
from bot.views.blocks import Block
from bot.views.text import one_line, shorten
from storage.tables.goals import GoalStatus, TaskStatus
from storage.tables.remarks import RemarkStatus

_TEXT_SHOWN = 200
_MOST_STEPS = 12
_MORE = "Its card has the rest; Details shows everything."
_READING = "I am reading that…"


def build_remark_blocks(card: RemarkCard) -> list[Block]:
    """Return the question, or what became of the message."""
    shown = [
        blocks.section(_said(card)),
        blocks.context(f"“{shorten(one_line(card.text), _TEXT_SHOWN)}”"),
    ]
    if card.goal is not None:
        shown.insert(1, blocks.section(_standing(card.goal)))
    if card.status is not RemarkStatus.ASKING:
        return blocks.fit(shown)
    lines = "\n".join(f"• {line}" for _, line in card.options)
    shown.insert(1, blocks.section(lines))
    buttons = [
        blocks.button(
            label,
            action_id=ids.numbered(ids.REMARK_PICK, number),
            value=f"{card.remark_id}:{number}",
            label=line,
        )
        for number, (label, line) in enumerate(card.options)
    ]
    none = "None of these" if len(card.options) > 1 else "No"
    buttons.append(blocks.button(none, action_id=ids.REMARK_NONE, value=str(card.remark_id)))
    return blocks.fit(shown, tail=[blocks.actions(*buttons)])


def remark_fallback(card: RemarkCard) -> str:
    return blocks.fallback(_said(card))


def _said(card: RemarkCard) -> str:
    if card.goal is not None:
        return f"This is how it stands: {words.headline(card.goal)}."
    if card.status is RemarkStatus.READING:
        return card.said or _READING
    return card.said


def _standing(goal: GoalCard) -> str:
    """Return one line a step: what it does, and how far it is or what it waits for."""
    steps = [step for step in goal.steps if not step.is_read] or goal.steps
    lines = [
        f"• {step.sentence} — {step.problem or step.waits or _waits(step)}"
        for step in steps[:_MOST_STEPS]
    ]
    if len(steps) > _MOST_STEPS:
        lines.append(f"… and {len(steps) - _MOST_STEPS} more steps")
    if goal.halted:
        lines.append(goal.halted)
    if goal.status is GoalStatus.PROPOSED:
        lines.append("It waits for you: press Run on its card.")
    return "\n".join([*lines, _MORE])


def _waits(step: Step) -> str:
    if step.status is TaskStatus.NEEDS_APPROVAL and step.asked:
        return f"waits for {step.asked}"
    return words.TASK[step.status]
