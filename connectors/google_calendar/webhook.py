"""Google Calendar's push messages: headers alone, which say on which channel something changed.

Google signs nothing and stamps no time: what proves a message is the token that only we and Google
know, derived from the app's client secret and the channel's random id. A repetition is found by its
number, and an old message can do no more than cause one poll.
Source: https://developers.google.com/workspace/calendar/api/guides/push
"""

import hashlib
import hmac
import re

from connectors.events import Delivery, Hint, HookRefusedError

_CHANNEL = re.compile(r"[A-Za-z0-9_-]{16,64}")
_NUMBER = re.compile(r"[0-9]{1,19}")
_HANDSHAKE = "sync"
"""The first message of each channel: nothing changed."""


def channel_token(secret: str, channel_id: str) -> str:
    """Return what proves that a message came on a channel that we opened."""
    said = f"google_calendar channel {channel_id}".encode()
    return hmac.new(secret.encode(), said, hashlib.sha256).hexdigest()


def read_webhook(delivery: Delivery, secret: str) -> tuple[Hint, ...]:
    """Return what a message hints at.

    Raises:
        HookRefusedError: 401 where the token is not the channel's, 400 where it is not what
            Google sends.
    """
    channel = delivery.headers.get("x-goog-channel-id", "")
    given = delivery.headers.get("x-goog-channel-token", "")
    expected = channel_token(secret, channel)
    if not secret or not hmac.compare_digest(expected.encode(), given.encode()):
        raise HookRefusedError(401, "The channel's token is missing or wrong.")
    number = delivery.headers.get("x-goog-message-number", "")
    state = delivery.headers.get("x-goog-resource-state", "")
    if not (_CHANNEL.fullmatch(channel) and _NUMBER.fullmatch(number) and state):
        raise HookRefusedError(400, "The headers of a push message are missing.")
    name = f"{channel}:{int(number)}"
    if state == _HANDSHAKE:
        return (Hint(name, stream=None),)
    return (Hint(name, stream="events", channel=channel),)
