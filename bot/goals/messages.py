"""What a person wrote to us, without any Slack in it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """A direct message, or a mention in a channel, from a member who may start goals.

    A message is known by channel and `ts`: whoever turns it into a goal does so once, however
    often it arrives.

    Attributes:
        text: plain text: Slack's escapes are undone, links are bare, the mention of us is gone,
            mentions of colleagues are their e-mail addresses or names.
        is_dm: True in the direct messages with us; what is private may be shown there (S22).
        has_files: True when something was attached; we do not read it.
        is_edited: True when the text of an earlier message was changed. `ts` is that message's.
            It never starts a goal: one that still works on the old words gets a hint.
    """

    team_id: str
    person_id: str
    channel_id: str
    ts: str
    thread_ts: str | None
    text: str
    is_dm: bool
    has_files: bool = False
    is_edited: bool = False
