"""The rules for blocks and views, as strict as Slack's own and as talkative.

Source: https://docs.slack.dev/reference/block-kit/blocks (50 blocks in a message, 100 in a modal
or Home; lengths per block) and https://docs.slack.dev/reference/views. Newer blocks than those
named here are refused as `unsupported type`, as in workspaces that do not have them yet.
"""

import secrets

from bot.workspace.elements import ID, IMAGE, IN_ACTIONS, IN_INPUT, IN_SECTION, plain, text
from bot.workspace.schema import (
    Check,
    Field,
    Problems,
    anything,
    array,
    boolean,
    by_type,
    may,
    need,
    one_of,
    record,
    string,
)
from bot.workspace.shapes import JsonObject, encode

MAX_MESSAGE_BLOCKS = 50
MAX_VIEW_BLOCKS = 100
MAX_VIEW_BYTES = 250_000
"""Source: https://docs.slack.dev/reference/methods/views.open (`view_too_large`: 250 kB)."""


def _block(**fields: Field) -> Check:
    return record({"type": need(anything), "block_id": may(ID), **fields})


_SECTION_FIELDS = _block(
    text=may(text(3000)),
    fields=may(array(text(2000), most=10)),
    accessory=may(IN_SECTION),
    expand=may(boolean),
)


def _section(value: object, pointer: str, problems: Problems) -> None:
    _SECTION_FIELDS(value, pointer, problems)
    if isinstance(value, dict) and "text" not in value and "fields" not in value:
        problems.add(pointer, "must define either `text` or `fields`")


def _in_context(value: object, pointer: str, problems: Problems) -> None:
    is_image = isinstance(value, dict) and value.get("type") == "image"
    (IMAGE if is_image else text(3000))(value, pointer, problems)


_RICH_TEXT_PART = by_type(
    {
        kind: record(
            {
                "type": need(anything),
                "elements": need(array(anything, most=10_000, least=0)),
                "style": may(one_of({"bullet", "ordered"})),
                "indent": may(anything),
                "offset": may(anything),
                "border": may(anything),
            }
        )
        for kind in (
            "rich_text_section",
            "rich_text_list",
            "rich_text_preformatted",
            "rich_text_quote",
        )
    },
    what="rich text element",
)

_ANY_BLOCK = by_type(
    {
        "section": _section,
        "divider": _block(),
        "header": _block(text=need(plain(150))),
        "context": _block(elements=need(array(_in_context, most=10))),
        "actions": _block(elements=need(array(IN_ACTIONS, most=25))),
        "image": _block(
            image_url=need(string(longest=3000, shortest=1)),
            alt_text=need(string(longest=2000, shortest=1)),
            title=may(plain(2000)),
        ),
        "input": _block(
            label=need(plain(2000)),
            element=need(IN_INPUT),
            hint=may(plain(2000)),
            optional=may(boolean),
            dispatch_action=may(boolean),
        ),
        "rich_text": _block(elements=need(array(_RICH_TEXT_PART, most=1000, least=0))),
        "markdown": _block(text=need(string(longest=12_000, shortest=1))),
    },
    what="block",
)
_VIEW_COMMON = {
    "type": need(one_of({"modal", "home"})),
    "blocks": need(array(_ANY_BLOCK, most=MAX_VIEW_BLOCKS, least=0)),
    "private_metadata": may(string(longest=3000)),
    "callback_id": may(string(longest=255)),
    "external_id": may(string(longest=255)),
}
_MODAL = record(
    {
        **_VIEW_COMMON,
        "title": need(plain(24)),
        "submit": may(plain(24)),
        "close": may(plain(24)),
        "clear_on_close": may(boolean),
        "notify_on_close": may(boolean),
        "submit_disabled": may(boolean),
    }
)
_HOME = record(_VIEW_COMMON)


def check_blocks(blocks: object) -> list[str]:
    """Return what is wrong with a message's blocks, in Slack's words; empty if nothing is."""
    problems = Problems()
    array(_ANY_BLOCK, most=MAX_MESSAGE_BLOCKS, least=0)(blocks, "/blocks", problems)
    _check_ids(blocks, problems)
    return problems.messages


def check_view(view: JsonObject) -> list[str]:
    """Return what is wrong with a modal or a Home, in Slack's words; empty if nothing is."""
    problems = Problems()
    is_home = view.get("type") == "home"
    (_HOME if is_home else _MODAL)(view, "/view", problems)
    blocks = view.get("blocks")
    _check_ids(blocks, problems)
    inputs = [b for b in blocks or [] if isinstance(b, dict) and b.get("type") == "input"]
    if inputs and not is_home and "submit" not in view:
        problems.add("/view", "missing required field: submit, as the view has input blocks")
    return problems.messages


def is_too_large(view: JsonObject) -> bool:
    """Tell whether a view exceeds Slack's total size."""
    return len(encode(view).encode()) > MAX_VIEW_BYTES


def _check_ids(blocks: object, problems: Problems) -> None:
    seen: set[str] = set()
    for index, block in enumerate(blocks if isinstance(blocks, list) else []):
        if not isinstance(block, dict):
            continue
        block_id = block.get("block_id")
        if isinstance(block_id, str) and block_id in seen:
            problems.add(f"/blocks/{index}/block_id", f"block_id `{block_id}` already exists")
        seen.add(str(block_id))
        _check_action_ids(block, index, problems)


def _check_action_ids(block: JsonObject, index: int, problems: Problems) -> None:
    seen: set[str] = set()
    for position, element in enumerate(interactive_elements(block)):
        action_id = element.get("action_id")
        if isinstance(action_id, str) and action_id in seen:
            pointer = f"/blocks/{index}/elements/{position}/action_id"
            problems.add(pointer, f"action_id `{action_id}` already exists")
        seen.add(str(action_id))


def interactive_elements(block: JsonObject) -> list[JsonObject]:
    """Return the elements of a block that a person can use."""
    candidates = [block.get("element"), block.get("accessory")]
    if block.get("type") == "actions" and isinstance(block.get("elements"), list):
        candidates += block["elements"]
    return [c for c in candidates if isinstance(c, dict) and c.get("type") != "image"]


def with_ids(blocks: list[JsonObject]) -> list[JsonObject]:
    """Return the blocks with the ids that Slack makes up where the app gave none."""
    completed = []
    for block in blocks:
        block_id = block.get("block_id") or secrets.token_urlsafe(4)
        full = {**block, "block_id": block_id}
        if block["type"] == "actions":
            full["elements"] = [_with_action_id(element) for element in block["elements"]]
        for name in ("element", "accessory"):
            if name in block:
                full[name] = _with_action_id(block[name])
        completed.append(full)
    return completed


def _with_action_id(element: JsonObject) -> JsonObject:
    if element["type"] == "image" or element.get("action_id"):
        return element
    return {**element, "action_id": secrets.token_urlsafe(4)}
