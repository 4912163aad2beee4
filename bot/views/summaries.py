"""What became of a goal, as the last word in its thread."""

from bot.engine.cards import GoalCard, Step
from bot.views import blocks, ids, words
from bot.views.blocks import Block
from bot.views.rows import progress, shown_rows, without_repeats
from bot.views.text import one_line, shorten
from storage.tables.goals import GoalStatus, TaskStatus

_MOST_STEPS = 12
_LEAD = {
    GoalStatus.DONE: "All done.",
    GoalStatus.PARTLY_DONE: "Done in part.",
    GoalStatus.FAILED: "This was not done.",
    GoalStatus.CANCELLED: "This was cancelled.",
}

_MOST_NAMED = 3
_NAMED = 60
"""Steps in the question before everything is undone, and characters of each: it is short."""

_UNDO_LEAD = {
    GoalStatus.DONE: "All of it is undone.",
    GoalStatus.PARTLY_DONE: "Undone in part. What was not undone is as it was.",
    GoalStatus.FAILED: "Nothing was undone.",
    GoalStatus.CANCELLED: "The undo was cancelled.",
}


def build_summary_blocks(card: GoalCard) -> list[Block]:
    """Return what was done, with Undo, and what was not and why; the links are on the card."""
    steps = [step for step in card.steps if not step.is_read or step.problem]
    shown = [blocks.section(_lead(card))]
    if card.reason and card.status is not GoalStatus.CANCELLED and not is_told(card):
        shown.append(blocks.section(card.reason))
    for step in steps[:_MOST_STEPS]:
        shown += _step(step)
        shown += _rows(step)
    if len(steps) > _MOST_STEPS:
        shown.append(blocks.context(f"… and {len(steps) - _MOST_STEPS} more steps"))
    return blocks.fit(shown, tail=build_undo_all(card))


def is_told(card: GoalCard) -> bool:
    """Whether a step says already why the goal ended as it did."""
    return any(step.problem == card.reason for step in card.every_step)


def has_summary(card: GoalCard) -> bool:
    """Whether a summary says anything that the card and the answer do not.

    A card that changes notifies nobody; so a goal that somebody was asked about, or that was not
    done, gets a new message. A question has its answer, and what ran at once has its card.
    """
    if card.status is GoalStatus.CANCELLED:
        return False  # Whoever cancelled was answered.
    steps = [step for step in card.steps if not step.is_read or step.problem]
    return bool(steps) and not (card.ran_at_once and card.status is GoalStatus.DONE)


def summary_fallback(card: GoalCard) -> str:
    done = "; ".join(
        step.sentence
        for step in card.steps
        if step.status is TaskStatus.SUCCEEDED and not step.is_read
    )
    return blocks.fallback(f"{_lead(card)} {done}".strip())


def _lead(card: GoalCard) -> str:
    if card.is_undo:
        return _UNDO_LEAD.get(card.status, words.GOAL[card.status])
    return _LEAD.get(card.status, words.GOAL[card.status])


def _rows(step: Step) -> list[Block]:
    """Return a list's rows; of many only those that went wrong, since the list has the count."""
    found = shown_rows([row for row in step.rows if not row.is_read or row.problem], is_open=False)
    rows = found.rows if found.note is None else [row for row in found.rows if row.problem]
    kept, small = without_repeats(rows)
    shown = [block for row in kept for block in _step(row)]
    return [*shown, blocks.context("\n".join(small))] if small else shown


def _step(step: Step) -> list[Block]:
    how_far = progress(step)
    is_part = how_far is not None and step.status is TaskStatus.CANCELLED
    sign = "•" if is_part else words.TASK_SIGN.get(step.status, "•")
    state = "" if step.status is TaskStatus.SUCCEEDED else f" — {words.TASK[step.status]}"
    state = f" — {how_far}" if how_far else state
    undo = build_undo_button(step) if step.can_undo else None
    shown = [blocks.section(f"{sign} {step.sentence}{state}", button=undo)]
    if step.problem:
        shown.append(blocks.context(step.problem))
    if step.note:
        shown.append(blocks.context(step.note))
    return shown


def build_undo_button(step: Step) -> Block:
    """Return the button that takes a step back; the client asks first."""
    return blocks.button(
        "Undo",
        action_id=ids.TASK_UNDO,
        value=str(step.task_id),
        label=f"Undo: {step.sentence}",
        confirm=blocks.confirm(
            title="Undo this step?", text=step.sentence, yes="Undo it", no="Keep it"
        ),
    )


def build_undo_all(card: GoalCard) -> list[Block]:
    """Return the button that takes everything back, where there is more than one thing."""
    steps = card.undoable
    if not steps:
        return []
    named = [f"• {shorten(one_line(step.sentence), _NAMED)}" for step in steps[::-1][:_MOST_NAMED]]
    if len(steps) > _MOST_NAMED:
        named.append(f"… and {len(steps) - _MOST_NAMED} more")
    asked = blocks.confirm(
        title=f"Undo {len(steps)} steps?",
        text="\n".join(["The last one first:", *named]),
        yes="Undo all",
        no="Keep all",
    )
    button = blocks.button(
        "Undo all",
        action_id=ids.GOAL_UNDO,
        value=str(card.goal_id),
        label=f"Undo all {len(steps)} steps of: {card.text}",
        confirm=asked,
    )
    return [blocks.actions(button)]
