"""Halting every write: what admins see of it in Home, and the modal that asks first."""

from bot.engine.home import HomeHalt
from bot.views import blocks, ids, limits
from bot.views.blocks import Block

MOST_REASON = 300


def build_halt_blocks(halt: HomeHalt) -> list[Block]:
    """Return the state of the halt with the button that changes it, for an admin's Home."""
    if halt.said is None:
        wanted = blocks.button(
            "Halt everything",
            action_id=ids.HALT_WANTED,
            style="danger",
            label="Halt everything: no step that changes something starts any more",
        )
        return [blocks.section("Steps may run.", button=wanted)]
    text = f"{halt.said}\nNo step that changes something starts. {_held(halt.held)}"
    if not halt.can_resume:
        return [blocks.section(f"{text} Whoever runs Countersign can resume.")]
    resume = blocks.button(
        "Resume",
        action_id=ids.HALT_RESUMED,
        label="Resume: what is held goes on",
        confirm=blocks.confirm(
            title="Resume everything?",
            text="What is held goes on at once.",
            yes="Resume",
            no="Stay halted",
        ),
    )
    return [blocks.section(text, button=resume)]


def _held(held: int) -> str:
    return "1 goal is held." if held == 1 else f"{held} goals are held."


def build_halt_modal() -> Block:
    """Return the modal that confirms a halt and asks why."""
    return {
        "type": "modal",
        "callback_id": ids.MODAL_HALT,
        "title": blocks.plain("Halt everything?", limits.MODAL_TITLE),
        "submit": blocks.plain("Halt", limits.MODAL_BUTTON),
        "close": blocks.plain("Back", limits.MODAL_BUTTON),
        "blocks": [
            blocks.section(
                "No step that changes something starts any more, for anybody in this workspace. "
                "What was sent already ends. Nothing is lost: it goes on when an admin resumes."
            ),
            {
                "type": "input",
                "block_id": ids.REASON,
                "optional": True,
                "label": blocks.plain("Why? It stands on the cards of held goals.", limits.LABEL),
                "element": {
                    "type": "plain_text_input",
                    "action_id": ids.REASON,
                    "max_length": MOST_REASON,
                },
            },
        ],
    }
