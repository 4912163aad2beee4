"""manifest.yml asks for exactly what the code uses."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.intake.app import PATHS
from bot.listeners.commands import COMMAND

ROOT = Path(__file__).parents[2]
SLACK = ("intake", "listeners", "notifier", "people", "cli", "app.py")
"""Where Slack's client may be used; the local workspace is the other side."""

SCOPES = {
    "auth_test": set[str](),
    "chat_delete": {"chat:write"},
    "chat_getPermalink": set[str](),
    "chat_postEphemeral": {"chat:write"},
    "chat_postMessage": {"chat:write"},
    "chat_update": {"chat:write"},
    "conversations_history": {
        "channels:history",
        "groups:history",
        "im:history",
        "mpim:history",
    },
    "conversations_open": {"im:write"},
    "conversations_replies": {
        "channels:history",
        "groups:history",
        "im:history",
        "mpim:history",
    },
    "users_info": {"users:read"},
    "users_list": {"users:read"},
    "users_lookupByEmail": {"users:read.email"},
    "views_open": set[str](),
    "views_publish": set[str](),
}
"""Bot scopes of each method that we may call.

Source: https://docs.slack.dev/reference/methods (the page of each)
"""
EVENT_SCOPES = {
    "app_home_opened": set[str](),
    "app_mention": {"app_mentions:read"},
    "message.im": {"im:history"},
    "user_change": {"users:read"},
}
"""Bot scopes of each event. Source: https://docs.slack.dev/reference/events"""

_METHOD = re.compile(
    r"(auth|bots|chat|conversations|reactions|team|users|views|files|usergroups)_[a-zA-Z]+"
)


def sources() -> Iterator[ast.Module]:
    """Yield the modules that may use Slack's client."""
    for name in SLACK:
        place = ROOT / "bot" / name
        files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
        for file in files:
            if file.exists():
                yield ast.parse(file.read_text(encoding="utf-8"))


def used_methods() -> set[str]:
    """Return the Web API methods that the code calls."""
    return {
        node.func.attr
        for module in sources()
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and _METHOD.fullmatch(node.func.attr)
        and "client" in ast.unparse(node.func.value)
    }


def used_events() -> set[str]:
    """Return the events that listeners are registered for."""
    registered = {
        node.args[0].value
        for module in sources()
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "event"
        and isinstance(node.args[0], ast.Constant)
    }
    # The listener of `message` takes direct messages only.
    return {"message.im" if event == "message" else str(event) for event in registered}


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    """Return manifest.yml."""
    read: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
    return read


def test_every_called_method_is_in_the_table() -> None:
    """A new method must be added with its scopes."""
    assert used_methods() <= SCOPES.keys()
    assert used_methods() >= {"chat_postMessage", "views_open", "users_info"}


def test_scopes_are_exactly_those_in_use(manifest: dict[str, Any]) -> None:
    """We ask an admin for nothing that we do not use."""
    needed = set().union(*(SCOPES[method] for method in used_methods()))
    needed |= set().union(*(EVENT_SCOPES[event] for event in used_events()))
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == needed | {"commands"}


def test_events_are_exactly_those_with_a_listener(manifest: dict[str, Any]) -> None:
    """Every subscribed event is handled and every handled event subscribed."""
    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) == used_events()


def test_commands_and_urls_are_ours(manifest: dict[str, Any]) -> None:
    """Slack posts where the intake listens."""
    (command,) = manifest["features"]["slash_commands"]
    settings = manifest["settings"]
    urls = [
        settings["event_subscriptions"]["request_url"],
        settings["interactivity"]["request_url"],
        command["url"],
    ]
    assert command["command"] == COMMAND
    assert [url.removeprefix("https://countersign.example.com") for url in urls] == list(PATHS)


def test_texts_are_within_slacks_limits(manifest: dict[str, Any]) -> None:
    """Slack refuses a manifest with longer texts.

    Source: https://docs.slack.dev/reference/app-manifest
    """
    about = manifest["display_information"]
    assert len(about["name"]) <= 35
    assert len(about["description"]) <= 140
    assert len(manifest["features"]["bot_user"]["display_name"]) <= 80
