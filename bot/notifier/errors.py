"""What Slack's answers mean for a card that is to be shown."""

from enum import StrEnum


class NotifierError(Exception):
    """A card could not be shown now."""


class ChannelParkedError(NotifierError):
    """Slack asks to leave the channel alone for `retry_after_s` seconds."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"Slack asks to wait {retry_after_s:g} s.")
        self.retry_after_s = retry_after_s


class TryLaterError(NotifierError):
    """Slack did not answer or cannot work now; whether a message was posted is not known."""


class Refusal(StrEnum):
    """Why Slack will not show a card, however often it is asked."""

    UNREACHABLE = "unreachable"
    """The channel is gone, archived, or not ours to post to."""
    MESSAGE_GONE = "message_gone"
    """The message to update was deleted or cannot change any more."""
    INVALID = "invalid"
    """What we send is wrong: a defect of ours."""


class RefusedError(NotifierError):
    """Slack refuses this card; `code` is its name for the reason."""

    def __init__(self, refusal: Refusal, code: str) -> None:
        super().__init__(f"Slack refuses: {code}.")
        self.refusal = refusal
        self.code = code
