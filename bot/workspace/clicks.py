"""A use of one element, and the `actions` entry that tells the bot of it."""

from dataclasses import dataclass, field

from bot.workspace.blocks import interactive_elements
from bot.workspace.core import Workspace
from bot.workspace.inputs import Typed, element_state
from bot.workspace.shapes import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """A use of one element, as a client sends it: nothing in it has been checked.

    `value` replaces a button's value, so that a forged click can be sent. `selected` is what was
    chosen in a menu or picker. `state` is what stands in the inputs around it.
    """

    action_id: str
    block_id: str | None = None
    value: str | None = None
    selected: object = None
    state: Typed = field(default_factory=dict)


def action_entry(workspace: Workspace, blocks: list[JsonObject], click: Click) -> JsonObject:
    """Return the `actions` entry; a made-up button if the element is no longer shown."""
    action: JsonObject = {"action_id": click.action_id, "block_id": click.block_id or "gone"}
    found = _element(blocks, click)
    if found is None:
        action |= {"type": "button", "text": {"type": "plain_text", "text": "?", "emoji": True}}
        action["value"] = click.value or ""
    else:
        block_id, element = found
        action["block_id"] = block_id
        action["type"] = element["type"]
        action |= _outcome(element, click)
    action["action_ts"] = workspace.store.mint_ts()
    return action


def _outcome(element: JsonObject, click: Click) -> JsonObject:
    if element["type"] == "button":
        kept: JsonObject = {
            k: element[k] for k in ("text", "value", "style", "url") if k in element
        }
        return kept if click.value is None else {**kept, "value": click.value}
    chosen = click.selected if click.selected is not None else click.value
    state = element_state(element, chosen)
    outcome = {k: v for k, v in state.items() if k != "type"}
    if "placeholder" in element:
        outcome["placeholder"] = element["placeholder"]
    return outcome


def _element(blocks: list[JsonObject], click: Click) -> tuple[str, JsonObject] | None:
    for block in blocks:
        if click.block_id is not None and block.get("block_id") != click.block_id:
            continue
        for element in interactive_elements(block):
            if element.get("action_id") == click.action_id:
                return block["block_id"], element
    return None
