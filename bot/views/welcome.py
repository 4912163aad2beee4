"""The first words: what this is, and three examples to click."""

from collections.abc import Sequence

from bot.views import blocks, ids
from bot.views.blocks import Block
from bot.views.limits import BUTTON_TEXT, BUTTON_VALUE
from bot.views.text import units

WELCOME = (
    "Hi, I am Countersign. Tell me in a sentence what you want done, and I do it with your own "
    "accounts. Whatever others would notice, or what cannot be taken back, I show first and "
    "wait for a countersignature."
)
_MOST = 3


def build_welcome_blocks(examples: Sequence[str]) -> list[Block]:
    """Return the welcome with up to three examples as buttons; a click asks for that."""
    shown = [blocks.section(WELCOME)]
    fitting = [example for example in examples if 0 < units(example) <= BUTTON_VALUE]
    if fitting:
        shown.append(blocks.section("Try one:"))
    for number, example in enumerate(fitting[:_MOST]):
        action_id = ids.numbered(ids.EXAMPLE, number)
        if units(example) <= BUTTON_TEXT:
            shown.append(blocks.actions(blocks.button(example, action_id=action_id, value=example)))
        else:
            # A button holds 75 characters; a longer example stands beside its button whole.
            ask = blocks.button("Ask this", action_id=action_id, value=example, label=example)
            shown.append(blocks.section(f"“{example}”", button=ask))
    return shown


def welcome_fallback() -> str:
    return blocks.fallback(WELCOME)
