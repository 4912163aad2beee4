"""What Slack delivers, told apart and checked for the parts that we rely on."""

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from bot.intake.decoding import JsonObject, decode_form, decode_json
from bot.intake.errors import MalformedError

_MESSAGES = frozenset({"message", "app_mention"})

Key = Annotated[str, StringConstraints(min_length=1, max_length=255)]
"""An id of Slack's; the limit keeps it within an index."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """Slack asks whether this URL is ours: the challenge goes back."""

    challenge: str


@dataclass(frozen=True, slots=True)
class Event:
    """An event, to be stored before it is acknowledged."""

    team_ids: frozenset[str]
    """Where the app is installed that this event is for, and where it happened."""
    event_id: str
    thread_key: str
    body: JsonObject


@dataclass(frozen=True, slots=True)
class Interaction:
    """A click, a modal or a slash command, to be answered in the request."""

    team_id: str
    trigger_id: str | None
    body: JsonObject


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that only wants a 200: Slack's certificate check, our rate limit, app messages.

    Slack reports every card that we post or redraw back to us, some fifteen for a goal.
    """


Delivery: TypeAlias = Handshake | Event | Interaction | Notice


class _Vendor(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class _Authorization(_Vendor):
    team_id: str | None = None


class _InnerEvent(_Vendor):
    type: Key


class _Written(_Vendor):
    """A message, or the one that an edit is about; each part may be missing."""

    user: Key | None = None
    text: str | None = None
    ts: Key | None = None
    thread_ts: Key | None = None
    subtype: Key | None = None
    bot_id: Key | None = None
    files: list[dict[str, Any]] | None = None


class _MessageEvent(_Written):
    channel: Key
    ts: Key
    channel_type: Key | None = None
    message: _Written | None = None
    previous_message: _Written | None = None


class _Envelope(_Vendor):
    team_id: Key
    event_id: Key
    event: _InnerEvent
    authorizations: list[_Authorization] = []


class _Id(_Vendor):
    id: Key


class _Action(_Vendor):
    action_id: Key
    type: Key


class _View(_Vendor):
    id: Key
    callback_id: str = ""
    private_metadata: str = ""
    state: dict[str, Any] | None = None


class _Container(_Vendor):
    message_ts: Key | None = None
    thread_ts: Key | None = None


class _Interaction(_Vendor):
    type: Key
    team: _Id
    user: _Id
    trigger_id: Key | None = None
    actions: list[_Action] = []
    view: _View | None = None
    channel: _Id | None = None
    container: _Container | None = None
    message: dict[str, Any] | None = None
    response_url: str | None = None


class _Command(_Vendor):
    command: Key
    team_id: Key
    user_id: Key
    channel_id: Key
    trigger_id: Key
    text: str = ""


def read_delivery(raw: bytes, *, content_type: str) -> Delivery:
    """Return what a verified body is.

    Raises:
        MalformedError: it is none of the things that Slack sends, or lacks a required part.
    """
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind == "application/json":
            return _read_json(decode_json(raw))
        if kind == "application/x-www-form-urlencoded":
            return _read_form(decode_form(raw))
    except ValidationError as err:
        raise MalformedError("A required part is missing.") from err
    raise MalformedError("Slack sends JSON or forms.")


def _read_json(body: JsonObject) -> Delivery:
    match body.get("type"):
        case "url_verification":
            challenge = body.get("challenge")
            if not isinstance(challenge, str):
                raise MalformedError("A url_verification has a challenge.")
            return Handshake(challenge)
        case "event_callback":
            envelope = _Envelope.model_validate(body)
            if _is_of_an_app(body["event"]):
                return Notice()
            if envelope.event.type in _MESSAGES:
                _MessageEvent.model_validate(body["event"])
            installed = {item.team_id for item in envelope.authorizations if item.team_id}
            return Event(
                team_ids=frozenset(installed | {envelope.team_id}),
                event_id=envelope.event_id,
                thread_key=_thread_key(body["event"]),
                body=body,
            )
        case "app_rate_limited":
            return Notice()
        case _:
            raise MalformedError("This is no event.")


def _read_form(form: dict[str, str]) -> Delivery:
    if form.get("ssl_check") == "1":
        return Notice()
    if "payload" not in form:
        command = _Command.model_validate(form)
        return Interaction(command.team_id, command.trigger_id, dict(form))
    body = decode_json(form["payload"])
    interaction = _Interaction.model_validate(body)
    if interaction.type == "block_actions" and not interaction.actions:
        raise MalformedError("A block_actions has actions.")
    if interaction.type in {"view_submission", "view_closed"} and interaction.view is None:
        raise MalformedError("A submission has a view.")
    return Interaction(interaction.team.id, interaction.trigger_id, body)


def _is_of_an_app(event: dict[str, Any]) -> bool:
    """Whether an app wrote a message, or an app's message was changed: nobody asks for anything.

    Source: https://docs.slack.dev/reference/events/message/bot_message (bot_id).
    """
    if event["type"] != "message":
        return False
    inner = event.get("message")
    message = inner if isinstance(inner, dict) else event
    return bool(message.get("bot_id")) or event.get("subtype") == "bot_message"


def _thread_key(event: dict[str, Any]) -> str:
    """Name what an event must stay in order with: a thread, a whole DM, or a person's own things.

    In direct messages people answer below a thread as often as in it.
    """
    inner = event.get("message")
    message = inner if isinstance(inner, dict) else event
    channel = event.get("channel")
    if event.get("type") not in _MESSAGES or not isinstance(channel, str):
        user = event.get("user")
        person = user.get("id") if isinstance(user, dict) else user
        return f"{event['type']}:{person}"[:255]
    if channel.startswith("D"):
        return channel[:255]
    return f"{channel}:{message.get('thread_ts') or message.get('ts')}"[:255]
