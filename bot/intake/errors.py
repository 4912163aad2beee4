"""What the intake refuses, and how a stored event fails."""


class IntakeError(Exception):
    """Something that Slack sent cannot be handled as it is."""


class RefusedError(IntakeError):
    """A request is refused before anything is stored; `status` is the HTTP answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class MalformedError(IntakeError):
    """The body is not what Slack sends: not UTF-8, not JSON, or a required part is missing."""


class EventFailedError(IntakeError):
    """A stored event could not be handled yet; it stays in the inbox and is tried again."""

    def __init__(self, inbox_id: int, reference: str) -> None:
        super().__init__(f"Inbox event {inbox_id} failed; its reference is {reference}.")
        self.inbox_id = inbox_id
        self.reference = reference
