"""An approval's card, for the people who may decide, and the modal that asks for a reason."""

from collections import Counter

from bot.engine.cards import ApprovalCard, ApprovalLine, ShownDetail
from bot.views import blocks, ids, limits, words
from bot.views.blocks import Block
from bot.views.metadata import Place, encode_place
from bot.views.rows import MOST_ROWS, SAMPLE
from bot.views.text import as_sentence, inline, one_line, shorten
from storage.tables.approvals import ApprovalStatus
from storage.tables.goals import TaskStatus

_GOAL_SHOWN = 200
_OPEN = frozenset({ApprovalStatus.PENDING})
_PASSED = frozenset({ApprovalStatus.APPROVED, ApprovalStatus.USED})


def build_approval_blocks(card: ApprovalCard) -> list[Block]:
    """Return the card: what will happen, in whose name, by when; buttons only while it waits."""
    is_open = any(line.status is ApprovalStatus.PENDING for line in card.lines)
    name = inline(card.requester_name)
    verb = "asks you to countersign" if is_open else "asked for a countersignature"
    is_bulk = len(card.lines) > MOST_ROWS
    what = f" {len(card.lines)} steps" if is_bulk else ""
    shown: list[Block] = [blocks.marked_section(f"*{name}* {verb}{what}:")]
    if is_bulk:
        shown += _sample(card)
    else:
        shown += [block for line in card.lines for block in _line(card, line)]
    goal = shorten(one_line(card.goal_text), _GOAL_SHOWN)
    first_name = card.requester_name.split(" ")[0]
    small = [f"{first_name} wrote: “{goal}”"]
    if is_open:
        small.append(f"You are asked because {card.why}.")
    shown.append(blocks.context("\n".join(small)))
    return blocks.fit(shown, tail=_buttons_for_all(card, is_bulk=is_bulk))


def approval_fallback(card: ApprovalCard) -> str:
    """Return the approval in one line, for notifications and screen readers."""
    sentences = "; ".join(line.sentence for line in card.lines[:MOST_ROWS])
    if len(card.lines) > MOST_ROWS:
        sentences = f"{len(card.lines)} steps, among them {sentences}"
    pending = any(line.status is ApprovalStatus.PENDING for line in card.lines)
    if pending:
        return blocks.fallback(f"{card.requester_name} asks you to countersign: {sentences}")
    return blocks.fallback(f"{words.APPROVAL[card.lines[0].status]}: {sentences}")


def build_reject_modal(item_id: int, *, sentence: str, place: Place) -> Block:
    """Return the modal that says what is rejected and asks why; the requester reads the reason."""
    return _reject_modal(sentence, encode_place(place, item_id=item_id))


def build_reject_all_modal(approval_id: int, *, sentence: str, place: Place) -> Block:
    """Return the same modal for all calls of an approval that are still open."""
    return _reject_modal(sentence, encode_place(place, approval_id=approval_id))


def _reject_modal(sentence: str, metadata: str) -> Block:
    return {
        "type": "modal",
        "callback_id": ids.MODAL_REJECT,
        "title": blocks.plain("Reject", limits.MODAL_TITLE),
        "submit": blocks.plain("Reject", limits.MODAL_BUTTON),
        "close": blocks.plain("Back", limits.MODAL_BUTTON),
        "private_metadata": metadata,
        "blocks": [
            blocks.section(sentence),
            {
                "type": "input",
                "block_id": ids.REASON,
                "label": blocks.plain("Why? The requester reads this.", limits.LABEL),
                "element": {
                    "type": "plain_text_input",
                    "action_id": ids.REASON,
                    "multiline": True,
                    "max_length": 1000,
                },
            },
        ],
    }


def _sample(card: ApprovalCard) -> list[Block]:
    """Return a few of many calls, and how many there are in which state (S38)."""
    ordered = sorted(card.lines, key=lambda line: line.status is not ApprovalStatus.PENDING)
    shown: list[Block] = []
    for line in ordered[:SAMPLE]:
        shown.append(blocks.section(line.sentence))
        details = [words.detail(item) for item in line.details]
        what = [f"→ {line.notifies}"] if line.notifies else []
        if details or what:
            shown.append(blocks.context("\n".join([*what, *details])))
    small = [f"These are {SAMPLE} of {len(card.lines)}. Press Details to see all of them."]
    small.append(f"As {card.requester_name} ({card.account}) in {card.provider_title}")
    if ordered[0].status is ApprovalStatus.PENDING:
        deadline = words.instant(card.deadline_at, card.zone)
        small.append(f"Decide by {deadline}, else they expire and nothing happens.")
    shown.append(blocks.context("\n".join(small)))
    states = Counter(_outcome(card, line) for line in card.lines if line.status not in _OPEN)
    shown += [
        blocks.section(f"{count} of {len(card.lines)}: {said}")
        for said, count in states.most_common(SAMPLE)
    ]
    return shown


def _buttons_for_all(card: ApprovalCard, *, is_bulk: bool) -> list[Block]:
    """Return what decides all open calls at once; of many it is the only way on the card."""
    count = sum(line.status is ApprovalStatus.PENDING for line in card.lines)
    value = str(card.approval_id)
    row: list[Block] = []
    if count > 1 or (is_bulk and count):
        row = [
            blocks.button(
                f"Approve all {count}",
                action_id=ids.APPROVAL_APPROVE_ALL,
                value=value,
                style="primary" if is_bulk else None,
            ),
            blocks.button(
                f"Reject all {count}",
                action_id=ids.APPROVAL_REJECT_ALL,
                value=value,
                style="danger" if is_bulk else None,
            ),
        ]
    if is_bulk:
        row.append(blocks.button("Details", action_id=ids.GOAL_PAGE, value=str(card.goal_id)))
    return [blocks.actions(*row)] if row else []


def _line(card: ApprovalCard, line: ApprovalLine) -> list[Block]:
    shown = [blocks.section(line.sentence)]
    what = f"→ {line.notifies}" if line.notifies else f"in {card.provider_title}"
    small = [f"As {card.requester_name} ({card.account}) {what}"]
    if line.status is ApprovalStatus.PENDING:
        deadline = words.instant(card.deadline_at, card.zone)
        small.append(f"Decide by {deadline}, else it expires and nothing happens.")
    small += [words.detail(shown_detail) for shown_detail in line.details]
    if line.difference:
        small.append("Changed since it was last shown:")
        small += [words.detail(ShownDetail(changed)) for changed in line.difference]
    shown.append(blocks.context("\n".join(small)))
    if line.status is ApprovalStatus.PENDING:
        shown.append(_buttons(line))
        return shown
    shown.append(blocks.section(_outcome(card, line)))
    if line.links:
        shown.append(blocks.marked_context(blocks.links(line.links)))
    return shown


def _buttons(line: ApprovalLine) -> Block:
    value = str(line.item_id)
    return blocks.actions(
        blocks.button(
            "Approve",
            action_id=ids.APPROVAL_APPROVE,
            value=value,
            style="primary",
            label=f"Approve: {line.sentence}",
        ),
        blocks.button(
            "Edit", action_id=ids.APPROVAL_EDIT, value=value, label=f"Edit: {line.sentence}"
        ),
        blocks.button(
            "Reject",
            action_id=ids.APPROVAL_REJECT,
            value=value,
            style="danger",
            label=f"Reject: {line.sentence}",
        ),
        block_id=f"approval:{line.item_id}",
    )


def _outcome(card: ApprovalCard, line: ApprovalLine) -> str:
    said = words.APPROVAL[line.status]
    if line.decided_by:
        said += f" by {line.decided_by}"
    if line.decided_at:
        said += f", {words.instant(line.decided_at, card.zone)}"
    if line.reason:
        said += f": “{line.reason}”"
    if line.status_reason and line.status_reason != line.reason:
        said += f". {as_sentence(line.status_reason)}"
    if line.status in _PASSED and line.task_status is not None:
        said += f" — {_result(line.task_status)}"
    return said


def _result(status: TaskStatus) -> str:
    return "it is done" if status is TaskStatus.SUCCEEDED else words.TASK[status]
