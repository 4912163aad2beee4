"""Push messages: headers alone, proven by the channel's token."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.events import Delivery, HookRefusedError
from connectors.google_calendar.webhook import channel_token, read_webhook

SECRET = "a-made-up-secret"
CHANNEL = "c" * 24
GENUINE = {
    "x-goog-channel-id": CHANNEL,
    "x-goog-channel-token": channel_token(SECRET, CHANNEL),
    "x-goog-message-number": "7",
    "x-goog-resource-state": "exists",
}


def message(**changes: str) -> Delivery:
    headers = GENUINE | {f"x-goog-{name.replace('_', '-')}": to for name, to in changes.items()}
    return Delivery(method="POST", url="https://x.example/in", headers=headers, body=b"", now_s=0.0)


def test_message_names_its_channel_and_number() -> None:
    """Which events changed is not said; the channel's stream is polled, once per number."""
    (hint,) = read_webhook(message(), SECRET)
    assert (hint.stream, hint.subjects, hint.channel) == ("events", frozenset(), CHANNEL)
    assert hint.delivery == f"{CHANNEL}:7"


def test_handshake_hints_at_nothing() -> None:
    """The first message of a channel only says that it works."""
    (hint,) = read_webhook(message(resource_state="sync"), SECRET)
    assert hint.stream is None


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"channel_token": ""}, 401),
        ({"channel_token": channel_token("another", CHANNEL)}, 401),
        ({"channel_id": "d" * 24}, 401),
        ({"message_number": "x"}, 400),
        ({"message_number": "٣"}, 400),
        ({"resource_state": ""}, 400),
        ({"channel_id": "short", "channel_token": channel_token(SECRET, "short")}, 400),
    ],
    ids=str,
)
def test_message_that_is_not_genuine_is_refused(changes: dict[str, str], status: int) -> None:
    """Each channel has a token of its own, and all headers are needed."""  # S32, S33
    with pytest.raises(HookRefusedError) as refusal:
        read_webhook(message(**changes), SECRET)
    assert refusal.value.status == status


def test_without_a_secret_everything_is_refused() -> None:
    """A provider that is not set up has no channels."""  # S32
    token = channel_token("", CHANNEL)
    with pytest.raises(HookRefusedError):
        read_webhook(message(channel_token=token), "")


@given(headers=st.dictionaries(st.sampled_from(sorted(GENUINE)), st.text(max_size=80)))
def test_forged_headers_are_never_taken(headers: dict[str, str]) -> None:
    """Without the secret no headers are a message, and none are an error of ours."""  # S32, S33
    forged = Delivery(method="POST", url="", headers=headers, body=b"", now_s=0.0)
    with pytest.raises(HookRefusedError):
        read_webhook(forged, SECRET)
