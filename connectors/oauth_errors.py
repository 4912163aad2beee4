"""Why a connection was not made; each says what the person can do."""

from connectors.errors import ConnectorError


class OAuthFlowError(ConnectorError):
    """The connection was not made; the message says why and what to do."""

    code = "oauth"


class NotSetUpError(OAuthFlowError):
    """This installation has no OAuth app at the provider; an admin can add one."""

    def __init__(self, title: str) -> None:
        super().__init__(f"{title} is not set up here yet; ask an admin to add its OAuth app.")


class StateUnknownError(OAuthFlowError):
    """Nobody here began this; it may be forged, or its address was cut off."""

    def __init__(self) -> None:
        super().__init__("This page was not begun here. Go back to Slack and press Connect.")


class StateExpiredError(OAuthFlowError):
    """More than ten minutes passed since it was begun."""

    def __init__(self) -> None:
        super().__init__(
            "This took longer than ten minutes, so it ended. Go back to Slack and press Connect "
            "again."
        )


class StateUsedError(OAuthFlowError):
    """It was answered before; every answer counts once."""

    def __init__(self) -> None:
        super().__init__(
            "This page was already used. If you are not connected yet, go back to Slack and press "
            "Connect again."
        )


class OtherBrowserError(OAuthFlowError):
    """It came back in another browser than the one in which the person began it."""

    def __init__(self) -> None:
        super().__init__(
            "This was begun in another browser. Open the link from Slack in this one, and do not "
            "pass it on."
        )


class OtherPersonError(OAuthFlowError):
    """The provider's account is already connected by somebody else in this workspace."""

    def __init__(self, *, title: str, account: str) -> None:
        super().__init__(
            f"Somebody else in your workspace already connected {account} at {title}. Connect "
            f"with your own {title} account, or ask them to disconnect first."
        )


class ConsentDeniedError(OAuthFlowError):
    """The person pressed Deny at the provider."""

    def __init__(self, title: str) -> None:
        super().__init__(
            f"{title} was not connected, because it was declined there. Nothing was stored. If "
            "that was a slip, press Connect in Slack again."
        )


class IssuerMismatchError(OAuthFlowError):
    """The answer names another issuer than the provider that was asked (RFC 9207)."""

    def __init__(self, title: str) -> None:
        super().__init__(f"This answer did not come from {title}, so nothing was stored.")


class ExchangeFailedError(OAuthFlowError):
    """The provider gave no token, or did not say whose it is."""

    def __init__(self, title: str) -> None:
        super().__init__(
            f"{title} did not finish the connection. Go back to Slack and press Connect again."
        )
