"""A click as Slack describes it → who, where, and the opaque id that the button carried."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.goals.clicks import Click
from bot.listeners.errors import BadPayloadError
from bot.views.metadata import Place

_ID = re.compile(r"[0-9]{1,18}", re.ASCII)
"""Our ids are 64-bit numbers."""


@dataclass(frozen=True, slots=True)
class Press:
    """A use of one element, and the ways to answer it."""

    click: Click
    value: str
    trigger_id: str
    response_url: str | None
    thread_ts: str | None
    has_url: bool

    @property
    def place(self) -> Place:
        return Place(self.click.channel_id, self.click.message_ts)


def read_press(body: Mapping[str, Any]) -> Press:
    """Return what was pressed.

    Raises:
        BadPayloadError: a part is missing that Slack always sends.
    """
    try:
        action = body["actions"][0]
        container = body.get("container") or {}
        return Press(
            click=Click(
                team_id=str(body["team"]["id"]),
                person_id=str(body["user"]["id"]),
                channel_id=(body.get("channel") or {}).get("id"),
                message_ts=container.get("message_ts"),
            ),
            value=str(action.get("value") or action.get("selected_time") or ""),
            trigger_id=str(body.get("trigger_id", "")),
            response_url=body.get("response_url"),
            thread_ts=container.get("thread_ts"),
            has_url="url" in action,
        )
    except (KeyError, IndexError, TypeError, AttributeError) as err:
        raise BadPayloadError from err


def read_submitter(body: Mapping[str, Any], place: Place) -> Click:
    """Return who submitted a modal, and the message that it was opened from."""
    return Click(
        team_id=str(body["team"]["id"]),
        person_id=str(body["user"]["id"]),
        channel_id=place.channel_id,
        message_ts=place.message_ts,
    )


def read_id(value: object) -> int:
    """Return an id of ours.

    Raises:
        BadPayloadError: it is none (S15).
    """
    if isinstance(value, bool) or not _ID.fullmatch(str(value)):
        raise BadPayloadError
    return int(str(value))


def read_versioned_id(value: str) -> tuple[int, int]:
    """Return the id and the version that a plan's button carries.

    Raises:
        BadPayloadError: it carries something else (S15).
    """
    first, _, second = value.partition(":")
    return read_id(first), read_id(second)
