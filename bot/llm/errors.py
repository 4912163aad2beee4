"""Errors of the model client; each message is a sentence with the remedy, free of secrets."""


class ModelError(Exception):
    """Root of the errors of `bot.llm`."""


class ModelUnavailableError(ModelError):
    """The language model does not answer right now; nothing happened, try again in a minute."""

    def __init__(self) -> None:
        super().__init__(ModelUnavailableError.__doc__)


class ModelRefusedError(ModelError):
    """The language model's endpoint refuses requests; an admin checks its URL, key and models."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{ModelRefusedError.__doc__} (HTTP {status})")
        self.status = status
