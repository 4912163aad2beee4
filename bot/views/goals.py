"""A goal's card: what was asked, the steps, what the requester can do about it."""

from collections import Counter
from collections.abc import Sequence

from bot.engine.cards import GoalCard, Step
from bot.goals.lifecycle import ENDED_TASKS, SETTLED
from bot.views import blocks, ids, words
from bot.views.blocks import Block
from bot.views.rows import MOST_ROWS, progress, shown_rows, without_repeats
from bot.views.summaries import build_undo_all, build_undo_button, has_summary, is_told
from bot.views.text import inline, one_line, shorten
from storage.tables.goals import GoalStatus, TaskStatus

_RESTS = "Nothing more starts until you press Resume. Approvals can be given meanwhile."
_TEXT_SHOWN = 300
_MOST_STEPS = 12
_MOST_CHOICES = 5


def build_goal_blocks(card: GoalCard) -> list[Block]:
    """Return the card of a goal in whatever state it is."""
    steps = [step for step in card.steps if not (step.is_read and _is_quiet(step))]
    shown: list[Block] = [
        blocks.marked_section(f"*{inline(words.headline(card))}*"),
        blocks.context(f"“{shorten(one_line(card.text), _TEXT_SHOWN)}”"),
    ]
    if card.say and card.status is GoalStatus.PROPOSED:
        shown.append(blocks.section(card.say))
    for number, step in enumerate(steps[:_MOST_STEPS], start=1):
        shown += _step(step, card, number=number)
        shown += _rows(step, card)
    if len(steps) > _MOST_STEPS:
        shown.append(blocks.context(f"… and {len(steps) - _MOST_STEPS} more steps"))
    if card.changes and card.status is GoalStatus.PROPOSED:
        shown.append(blocks.context("\n".join(card.changes)))
    shown += _said(card)
    if card.decides_alone and card.status not in SETTLED:
        shown.append(
            blocks.context("There is nobody else to ask here, so you decide alone. It is recorded.")
        )
    return blocks.fit(shown, tail=_buttons(card))


def _said(card: GoalCard) -> list[Block]:
    """Return what is said below the steps: a question, a reason, what comes next."""
    shown: list[Block] = []
    if card.question:
        shown.append(blocks.section(card.question))
        pick = "Press one of these, or answer" if card.choices else "Answer"
        shown.append(blocks.context(f"{pick} in this thread."))
    if card.halted:
        shown.append(blocks.section(f"{card.halted}\nIt goes on by itself once that is over."))
    if card.status is GoalStatus.PAUSED:
        shown.append(blocks.context(_RESTS))
    if card.reason and not is_told(card):
        shown.append(blocks.section(card.reason))
    if words.headline(card) == words.ANSWERED:
        shown.append(blocks.context("I answered in private."))
    if card.status is GoalStatus.PROPOSED:
        small = ["Nothing happens before you press Run."]
        if taking := words.takes(card):
            small.append(f"Then it takes {taking}.")
        if card.author == "offline":
            small.append("I read this without a language model: check that it is what you meant.")
        shown.append(blocks.context(" ".join(small)))
    return shown


def goal_fallback(card: GoalCard) -> str:
    """Return the goal in one line, for notifications and screen readers."""
    told = card.question or card.reason or ""
    return blocks.fallback(f"{words.headline(card)}: {card.text}" + (f". {told}" if told else ""))


def _is_quiet(step: Step) -> bool:
    """Whether a read needs no line: it went well or nothing can be said about it yet."""
    told = step.problem or step.waits or step.note
    return not told and step.status not in {TaskStatus.FAILED, TaskStatus.UNKNOWN}


def _rows(step: Step, card: GoalCard) -> list[Block]:
    """Return the rows of a list, few of them one by one, many as a sample."""
    rows = [row for row in step.rows if not (row.is_read and _is_quiet(row))]
    found = shown_rows(rows, is_open=card.status is GoalStatus.PROPOSED)
    kept, small = without_repeats(found.rows)
    shown = [block for row in kept for block in _step(row, card, number=None)]
    small += [found.note] if found.note else []
    if card.status is GoalStatus.PROPOSED:
        small += _asked_of_rows([row for row in rows if row.status not in ENDED_TASKS])
    return [*shown, blocks.context("\n".join(small))] if small else shown


def _asked_of_rows(rows: Sequence[Step]) -> list[str]:
    """Return who is asked about a list's rows, each of them once and not below every row."""
    counts = Counter(row.asked for row in rows if row.asked)
    if len(counts) == 1 and sum(counts.values()) == len(rows) > 1:
        return [f"Approval of each: {rows[0].asked}"]
    return [f"Approval of {count}: {asked}" for asked, count in counts.items()]


def _step(step: Step, card: GoalCard, *, number: int | None) -> list[Block]:
    """Return a step's lines; a row of a list has no number."""
    is_open = card.status is GoalStatus.PROPOSED
    sign = words.TASK_SIGN.get(step.status, "•" if number is None else f"{number}.")
    if progress(step) and step.status is TaskStatus.CANCELLED:
        sign = "•"
    # What the rows of a list wait for stands with them.
    is_quiet = is_open or (
        bool(step.rows) and step.status is TaskStatus.WAITING and progress(step) is None
    )
    state = "" if is_quiet else _state(step, is_halted=card.halted is not None)
    changed = " (changed)" if step.changed and is_open else ""
    # Once a goal ended, its summary is the newest message and has the buttons.
    is_elsewhere = card.status in SETTLED and has_summary(card)
    undo = build_undo_button(step) if step.can_undo and not is_elsewhere else None
    shown = [blocks.section(f"{sign} {step.sentence}{changed}{state}", button=undo)]
    if small := _small(step, is_open=is_open, is_row=number is None):
        shown.append(blocks.context("\n".join(small)))
    if step.links:
        shown.append(blocks.marked_context(blocks.links(step.links)))
    return shown


def _small(step: Step, *, is_open: bool, is_row: bool) -> list[str]:
    """Return what stands below a step's line: its wait, its values, who is asked, a problem."""
    is_next = step.status in (TaskStatus.PENDING, TaskStatus.READY)
    small = [_waits(step.waits)] if step.waits and (is_open or is_next) else []
    # What has been done is not asked about again, in whatever version of the plan it stands.
    is_ahead = is_open and step.status not in ENDED_TASKS
    if is_ahead:
        small += [words.detail(it) for it in step.details if not words.is_said(it, step.sentence)]
    if step.notifies and step.status not in ENDED_TASKS:
        small.append(f"{step.notifies}.")
    if step.asked and is_ahead and not is_row:
        small.append(f"Approval: {step.asked}")
    return [*small, *(said for said in (step.problem, step.note) if said)]


def _waits(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _state(step: Step, *, is_halted: bool) -> str:
    """Return what a step's line ends with; its sign or its problem may have said it."""
    if (how_far := progress(step)) is not None:
        return f" — {how_far}"
    if step.status is TaskStatus.READY and (is_halted or step.problem):
        return " — held" if is_halted else f" — waits for {step.provider}"
    if step.status is TaskStatus.SUCCEEDED or (
        step.status is TaskStatus.NEEDS_CONNECTION and step.problem
    ):
        return ""
    if step.status is TaskStatus.NEEDS_APPROVAL and step.asked:
        return f" — waits for {step.asked}"
    if step.status is TaskStatus.WAITING and step.waits:
        return f" — {step.waits}"
    return f" — {words.TASK[step.status]}"


def _buttons(card: GoalCard) -> list[Block]:
    rows: list[Block] = []
    if card.choices and card.status is GoalStatus.ASKING:
        choices = [
            blocks.button(
                choice,
                action_id=ids.numbered(ids.GOAL_CHOOSE, number),
                value=f"{card.goal_id}:{choice}"[:1900],
            )
            for number, choice in enumerate(card.choices[:_MOST_CHOICES])
        ]
        rows.append(blocks.actions(*choices))
    version = f"{card.goal_id}:{card.version}"
    row: list[Block] = []
    if card.can_run:
        row.append(blocks.button("Run", action_id=ids.GOAL_RUN, value=version, style="primary"))
    goal_id = str(card.goal_id)
    if card.can_resume:
        row.append(
            blocks.button("Resume", action_id=ids.GOAL_RESUME, value=goal_id, style="primary")
        )
    if card.can_edit:
        row.append(blocks.button("Edit", action_id=ids.GOAL_EDIT, value=version))
    if card.can_pause:
        row.append(blocks.button("Pause", action_id=ids.GOAL_PAUSE, value=goal_id))
    if card.can_cancel:
        row.append(blocks.button("Cancel", action_id=ids.GOAL_CANCEL, value=str(card.goal_id)))
    is_sample = any(len(step.rows) > MOST_ROWS for step in card.steps)
    if card.steps and (is_sample or card.status is not GoalStatus.PROPOSED):
        row.append(blocks.button("Details", action_id=ids.GOAL_PAGE, value=str(card.goal_id)))
    if not has_summary(card):
        rows += build_undo_all(card)
    if row:
        rows.append(blocks.actions(*row))
    return rows
