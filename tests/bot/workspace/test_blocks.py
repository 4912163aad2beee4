"""The Block Kit rules, one limit at a time."""

from typing import Any

import pytest

from bot.workspace.blocks import check_blocks, check_view, with_ids


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def button(**changes: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": "a", "text": plain("Go"), **changes}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def option(n: int = 1) -> dict[str, Any]:
    return {"text": plain(f"o{n}"), "value": str(n)}


def menu(**changes: Any) -> dict[str, Any]:
    return {"type": "static_select", "action_id": "m", "options": [option()], **changes}


def asking(element: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"type": "input", "label": plain("L"), "element": element, **changes}


TEXT_INPUT = {"type": "plain_text_input", "action_id": "t"}

GOOD: dict[str, dict[str, Any]] = {
    "section": {"type": "section", "text": mrkdwn("x" * 3000), "accessory": button()},
    "fields": {"type": "section", "fields": [mrkdwn("x" * 2000)] * 10},
    "header": {"type": "header", "text": plain("x" * 150)},
    "context": {"type": "context", "elements": [mrkdwn("x")] * 10},
    "actions": actions(*[button(action_id=str(n)) for n in range(25)]),
    "overflow": actions({"type": "overflow", "options": [option(n) for n in range(5)]}),
    "select": actions(menu(options=[option(n) for n in range(100)])),
    "groups": actions(
        {"type": "static_select", "option_groups": [{"label": plain("G"), "options": [option()]}]}
    ),
    "pickers": actions(
        {"type": "datepicker", "initial_date": "2026-11-24"},
        {"type": "timepicker", "initial_time": "10:00"},
        {"type": "datetimepicker", "initial_date_time": 1_795_600_000},
    ),
    "users": actions({"type": "users_select", "initial_user": "U0DANA"}),
    "input": asking(TEXT_INPUT, hint=plain("h"), optional=True, dispatch_action=True),
    "email": asking({"type": "email_text_input", "action_id": "e"}),
    "number": asking({"type": "number_input", "is_decimal_allowed": True, "min_value": "0"}),
    "radio": asking({"type": "radio_buttons", "options": [option()]}),
    "checkboxes": asking({"type": "checkboxes", "options": [option()]}),
    "image": {"type": "image", "image_url": "https://x.example/a.png", "alt_text": "a"},
    "markdown": {"type": "markdown", "text": "**x**"},
    "rich_text": {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}],
    },
}

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no type": ({"text": plain("x")}, "/blocks/0"),
    "unknown type": ({"type": "hologram"}, "/blocks/0/type"),
    "unknown field": ({"type": "divider", "colour": "red"}, "/blocks/0/colour"),
    "long block id": ({"type": "divider", "block_id": "x" * 256}, "/blocks/0/block_id"),
    "long section": ({"type": "section", "text": mrkdwn("x" * 3001)}, "/blocks/0/text/text"),
    "empty section": ({"type": "section"}, "/blocks/0"),
    "empty text": ({"type": "section", "text": mrkdwn("")}, "/blocks/0/text/text"),
    "eleven fields": ({"type": "section", "fields": [mrkdwn("x")] * 11}, "/blocks/0/fields"),
    "long field": ({"type": "section", "fields": [mrkdwn("x" * 2001)]}, "/blocks/0/fields/0/text"),
    "long header": ({"type": "header", "text": plain("x" * 151)}, "/blocks/0/text/text"),
    "mrkdwn header": ({"type": "header", "text": mrkdwn("x")}, "/blocks/0/text/type"),
    "eleven in context": ({"type": "context", "elements": [mrkdwn("x")] * 11}, "/elements"),
    "button in context": ({"type": "context", "elements": [button()]}, "/elements/0/type"),
    "twenty-six actions": (actions(*[button(action_id=str(n)) for n in range(26)]), "/elements"),
    "no actions": (actions(), "/blocks/0/elements"),
    "same action id": (actions(button(), button()), "/blocks/0/elements/1/action_id"),
    "long button": (actions(button(text=plain("x" * 76))), "/elements/0/text/text"),
    "mrkdwn button": (actions(button(text=mrkdwn("x"))), "/elements/0/text/type"),
    "long value": (actions(button(value="x" * 2001)), "/elements/0/value"),
    "numeric value": (actions(button(value=7)), "/elements/0/value"),
    "long url": (actions(button(url="x" * 3001)), "/elements/0/url"),
    "odd style": (actions(button(style="default")), "/elements/0/style"),
    "long confirm": (
        actions(
            button(
                confirm={
                    "title": plain("t"),
                    "text": plain("x" * 301),
                    "confirm": plain("y"),
                    "deny": plain("n"),
                }
            )
        ),
        "/confirm/text/text",
    ),
    "six overflow options": (
        actions({"type": "overflow", "options": [option(n) for n in range(6)]}),
        "/elements/0/options",
    ),
    "101 options": (actions(menu(options=[option(n) for n in range(101)])), "/options"),
    "no options": (actions({"type": "static_select"}), "/blocks/0/elements/0"),
    "long option": (
        actions(menu(options=[{"text": plain("x" * 76), "value": "1"}])),
        "/options/0/text/text",
    ),
    "long option value": (
        actions(menu(options=[{"text": plain("x"), "value": "x" * 151}])),
        "/options/0/value",
    ),
    "long placeholder": (actions(menu(placeholder=plain("x" * 151))), "/placeholder/text"),
    "odd date": (actions({"type": "datepicker", "initial_date": "24.11.2026"}), "/initial_date"),
    "text input in actions": (actions(TEXT_INPUT), "/elements/0/type"),
    "button in input": (asking(button()), "/blocks/0/element/type"),
    "input without label": ({"type": "input", "element": TEXT_INPUT}, "/blocks/0"),
    "long label": (asking(TEXT_INPUT, label=plain("x" * 2001)), "/blocks/0/label/text"),
}


@pytest.mark.parametrize("name", GOOD)
def test_block_within_limits_passes(name: str) -> None:
    """What Slack documents as allowed is accepted."""
    assert check_blocks([GOOD[name]]) == []


@pytest.mark.parametrize("name", BAD)
def test_block_over_a_limit_is_refused_with_its_place(name: str) -> None:
    """What Slack refuses is refused, and the message points at it."""
    block, pointer = BAD[name]
    problems = check_blocks([block])
    assert any(pointer in problem for problem in problems), problems


def test_message_takes_fifty_blocks_and_no_more() -> None:
    """A message has at most 50 blocks, a view 100."""
    assert check_blocks([{"type": "divider"}] * 50) == []
    assert "/blocks]" in check_blocks([{"type": "divider"}] * 51)[0]
    home = {"type": "home", "blocks": [{"type": "divider"}] * 100}
    assert check_view(home) == []


def test_block_ids_are_unique_in_a_message() -> None:
    """Two blocks with one block_id are refused."""
    block = {"type": "divider", "block_id": "x"}
    assert "/blocks/1/block_id" in check_blocks([block, block])[0]


@pytest.mark.parametrize("blocks", ["x", {"type": "divider"}, [1], [[]], [None]])
def test_blocks_of_the_wrong_shape_are_refused(blocks: object) -> None:
    """Whatever is sent as blocks, the checker answers and does not fail."""
    assert check_blocks(blocks)


def test_missing_ids_are_made_up() -> None:
    """Every block and element has an id after posting, as at Slack."""
    bare = {"type": "button", "text": plain("Go")}
    (block,) = with_ids([actions(bare)])
    assert block["block_id"]
    assert block["elements"][0]["action_id"]
