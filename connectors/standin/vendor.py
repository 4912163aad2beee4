from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.standin.config import Account


class Refusal(StrEnum):
    """Why the shared base says no; each vendor puts it in its own words."""

    NO_TOKEN = auto()
    EXPIRED_TOKEN = auto()
    REVOKED_TOKEN = auto()
    MISSING_SCOPE = auto()
    RATE_LIMITED = auto()
    FORBIDDEN = auto()
    SERVER_ERROR = auto()
    NOT_FOUND = auto()
    METHOD_NOT_ALLOWED = auto()
    BAD_JSON = auto()
    # The token, revocation and introspection endpoints:
    BAD_CLIENT = auto()
    BAD_TOKEN_REQUEST = auto()
    BAD_CODE = auto()
    BAD_REDIRECT_URI = auto()
    BAD_VERIFIER = auto()
    BAD_REFRESH_TOKEN = auto()
    UNKNOWN_TOKEN = auto()


class RefusedError(Exception):
    """The stand-in refuses the request as the vendor would; the response is on its way."""

    def __init__(
        self, status: int, body: Mapping[str, Any], *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


def answer_refused(_request: Request, error: Exception) -> Response:
    """Turn a RefusedError into its response (a Starlette exception handler)."""
    if not isinstance(error, RefusedError):
        raise TypeError(error)
    return JSONResponse(dict(error.body), status_code=error.status, headers=error.headers)


@dataclass(frozen=True, slots=True)
class Scope:
    """A scope that can be asked for.

    Args:
        words: What a person reads on the consent page.
        returned_as: The name in the token response where it differs from the one asked for.
        is_required: Whether the person may not untick it.
    """

    words: str
    returned_as: str | None = None
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    """What the token endpoint gives out; `refresh_token` is None where none is issued anew."""

    access_token: str
    refresh_token: str | None
    expires_in_s: int
    scopes: tuple[str, ...]
    account: Account


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `requests` in any `interval_s`, as the vendor publishes it.

    Args:
        is_per_person: Each account has its own allowance; otherwise all share one.
    """

    requests: int
    interval_s: float
    is_per_person: bool


@dataclass(frozen=True, slots=True)
class OAuthPaths:
    authorize: str
    token: str
    revoke: str


@dataclass(frozen=True, slots=True)
class OAuthRules:
    """Where vendors' authorization servers differ.

    Args:
        paths: The vendor's paths.
        scopes: Every scope that the stand-in knows.
        is_rotating: Each refresh mints a new refresh token; use of an old one revokes all.
        has_issuer: The authorization response carries `iss` (RFC 9207).
        can_untick: The person may grant fewer scopes than were asked for.
        needs_offline_access: A refresh token is issued only for `access_type=offline`, and only
            at the first consent or with `prompt=consent`.
        access_survives_revoke: Revoking the refresh token leaves access tokens alive.
        is_revoke_public: Revocation needs no client secret, and refuses an unknown token.
        optional_scope_parameter: The query parameter that names scopes asked for besides.
    """

    paths: OAuthPaths
    scopes: Mapping[str, Scope]
    is_rotating: bool = False
    has_issuer: bool = False
    can_untick: bool = False
    needs_offline_access: bool = False
    access_survives_revoke: bool = False
    is_revoke_public: bool = False
    optional_scope_parameter: str | None = None


class Vendor(ABC):
    """What the shared base must know about one vendor: names, rules and the shape of answers."""

    slug: ClassVar[str]
    title: ClassVar[str]
    accent: ClassVar[str]
    """The colour of buttons on its pages; dark enough for white text (WCAG AA)."""
    oauth: ClassVar[OAuthRules]
    rate_limit: ClassVar[RateLimit]

    @abstractmethod
    def refusal(
        self,
        why: Refusal,
        *,
        scopes: tuple[str, ...] = (),
        retry_after_s: float | None = None,
        detail: str = "",
    ) -> RefusedError:
        """Return the refusal in the vendor's status, body and headers."""

    @abstractmethod
    def token_body(self, issued: IssuedTokens) -> dict[str, Any]:
        """Return the token endpoint's JSON."""

    @abstractmethod
    def rate_headers(self, *, remaining: int) -> dict[str, str]:
        """Return the headers with which the vendor tells how much is left, if it does."""
