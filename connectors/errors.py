"""Errors of a connector; each one says what the caller is to do about it."""

from collections.abc import Mapping
from datetime import datetime


class ConnectorError(Exception):
    """Something went wrong between us and a provider."""

    code = "connector"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        """A sentence for the person, with the remedy; never a provider's raw text."""


class RetryLaterError(ConnectorError):
    """The provider cannot answer now; nothing happened. Try again after `retry_after_s`."""

    code = "retry_later"

    uses_a_try = True
    """False where nothing was asked of the provider: waiting for it is bounded by time alone."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RestingError(RetryLaterError):
    """The provider asked us to pause and the pause is not over; nothing was sent."""

    uses_a_try = False


class ProviderDownError(RetryLaterError):
    """The provider has not answered for a while, so nothing was sent."""

    code = "provider_down"
    uses_a_try = False

    def __init__(
        self, message: str, *, provider: str, since: datetime, retry_after_s: float
    ) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.provider = provider
        self.since = since


class ReconnectRequiredError(ConnectorError):
    """The connection is missing, revoked, or lacks `missing_scopes`; the person must connect."""

    code = "reconnect"

    def __init__(
        self, message: str, *, provider: str, missing_scopes: frozenset[str] = frozenset()
    ) -> None:
        super().__init__(message)
        self.provider = provider
        self.missing_scopes = missing_scopes


class RejectedError(ConnectorError):
    """The provider refused the call for what it says; repeating it cannot help."""

    code = "rejected"

    def __init__(
        self,
        message: str,
        *,
        kind: str = "rejected",
        fields: tuple[str, ...] = (),
        allowed: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        """not_found, conflict, changed, forbidden, invalid: what a caller may branch on."""
        self.fields = fields
        """The arguments whose values were refused, by our names; empty where nobody said which."""
        self.allowed = allowed or {}
        """Argument → the values that would be accepted, where the provider says so."""


class OutcomeUnknownError(ConnectorError):
    """The request may have taken effect and its reply is lost; look it up, never just repeat."""

    code = "unknown"


class HaltedError(ConnectorError):
    """A person halted every write, so nothing was sent; the call goes on when they resume."""

    code = "halted"


class PermitRefusedError(ConnectorError):
    """A call was put forward without a valid permit; nothing was sent. This is a defect."""

    code = "permit"


class UnknownActionError(ConnectorError):
    """No connector declares this action (any more)."""

    code = "unknown_action"
