"""How views come to be and change: checks, ids, hashes, the stack."""

import secrets
import time

from bot.workspace.blocks import check_view, is_too_large, with_ids
from bot.workspace.core import Workspace
from bot.workspace.errors import RefusedError
from bot.workspace.inputs import state_values
from bot.workspace.shapes import JsonObject

MAX_STACK = 3
"""Modals on top of each other.

Source: https://docs.slack.dev/reference/methods/views.push (`push_limit_reached`)."""


def new_view(
    workspace: Workspace, view: JsonObject, *, expected: str, below: list[JsonObject] | None = None
) -> JsonObject:
    """Return a checked view with the fields that Slack adds.

    Args:
        workspace: Whose app and team the view belongs to.
        view: What the bot sent.
        expected: `modal` or `home`.
        below: The open modals under it, the root first.

    Raises:
        RefusedError: `invalid_arguments` with every problem, `view_too_large`, or
            `duplicate_external_id`.
    """
    _check(view, expected=expected)
    external_id = view.get("external_id", "")
    if external_id and workspace.views.find(external_id=external_id):
        raise RefusedError("duplicate_external_id")
    view_id = f"V{secrets.token_hex(5).upper()}"
    root = below[0]["id"] if below else view_id
    previous = below[-1]["id"] if below else None
    return _complete(workspace, view, view_id=view_id, root=root, previous=previous)


def updated_view(workspace: Workspace, view: JsonObject, *, current: JsonObject) -> JsonObject:
    """Return the new contents under the id and in the place of the current view.

    Raises:
        RefusedError: As `new_view`.
    """
    _check(view, expected=str(current["type"]))
    return _complete(
        workspace,
        view,
        view_id=str(current["id"]),
        root=str(current["root_view_id"]),
        previous=current["previous_view_id"],
    )


def _check(view: JsonObject, *, expected: str) -> None:
    problems = check_view(view)
    if view.get("type") != expected:
        problems.append(f"[ERROR] must be a {expected} view [json-pointer:/view/type]")
    if problems:
        raise RefusedError("invalid_arguments", messages=problems)
    if is_too_large(view):
        raise RefusedError("view_too_large")


def _complete(
    workspace: Workspace, view: JsonObject, *, view_id: str, root: str, previous: object
) -> JsonObject:
    config = workspace.config
    blocks = with_ids(view["blocks"])
    return {
        "id": view_id,
        "team_id": config.team.id,
        "type": view["type"],
        "blocks": blocks,
        "private_metadata": view.get("private_metadata", ""),
        "callback_id": view.get("callback_id", ""),
        "state": {"values": state_values(blocks, {})},
        "hash": f"{int(time.time())}.{secrets.token_hex(4)}",
        "title": view.get("title"),
        "clear_on_close": view.get("clear_on_close", False),
        "notify_on_close": view.get("notify_on_close", False),
        "close": view.get("close"),
        "submit": view.get("submit"),
        "previous_view_id": previous,
        "root_view_id": root,
        "app_id": config.app_id,
        "external_id": view.get("external_id", ""),
        "app_installed_team_id": config.team.id,
        "bot_id": config.bot_id,
    }
