import math
import zlib
from typing import Any

from connectors.hubspot.standin.errors import HUB_ID, bad_request, error, oauth_error
from connectors.standin.config import Account
from connectors.standin.vendor import (
    IssuedTokens,
    OAuthPaths,
    OAuthRules,
    RateLimit,
    Refusal,
    RefusedError,
    Scope,
    Vendor,
)

_OBJECTS = ("contacts", "companies", "deals")

_SCOPES = {
    "oauth": Scope("Know which HubSpot account this is"),
    "crm.objects.owners.read": Scope("See who works in this HubSpot account"),
    **{f"crm.objects.{name}.read": Scope(f"See {name}") for name in _OBJECTS},
    **{
        f"crm.objects.{name}.write": Scope(f"Create, change and archive {name}")
        for name in _OBJECTS
    },
    **{f"crm.schemas.{name}.read": Scope(f"See which fields {name} have") for name in _OBJECTS},
    **{f"crm.schemas.{name}.write": Scope(f"Add fields to {name}") for name in _OBJECTS},
}


def user_id_of(account: Account) -> int:
    """Return a stable made-up user id."""
    return zlib.crc32(account.email.encode())


class HubSpotVendor(Vendor):
    """HubSpot's rules.

    Access tokens survive the revocation of the refresh token (documented). Whether HubSpot
    rotates refresh tokens is unclear, so the stand-in does, with reuse detection: a client that
    bears it bears either.

    Source: https://developers.hubspot.com/docs/api-reference/latest/authentication/manage-oauth-tokens
    """

    slug = "hubspot"
    title = "HubSpot"
    accent = "#c2410c"
    oauth = OAuthRules(
        paths=OAuthPaths(
            authorize="/oauth/authorize",
            token="/oauth/2026-09/token",  # noqa: S106 (a path)
            revoke="/oauth/2026-09/token/revoke",
        ),
        scopes=_SCOPES,
        is_rotating=True,
        access_survives_revoke=True,
        optional_scope_parameter="optional_scope",
    )
    # Source: https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
    rate_limit = RateLimit(requests=110, interval_s=10, is_per_person=False)

    def refusal(
        self,
        why: Refusal,
        *,
        scopes: tuple[str, ...] = (),
        retry_after_s: float | None = None,
        detail: str = "",
    ) -> RefusedError:
        if why in _OAUTH_REFUSALS:
            return oauth_error(*_OAUTH_REFUSALS[why])
        match why:
            case Refusal.MISSING_SCOPE:
                return _missing_scope(scopes)
            case Refusal.RATE_LIMITED:
                return _rate_limited(retry_after_s)
            case Refusal.EXPIRED_TOKEN:
                message = f"The OAuth token used to make this call expired {detail} second(s) ago."
                return error(401, "EXPIRED_AUTHENTICATION", message)
            case Refusal.BAD_JSON:
                return bad_request(f"Invalid input JSON: {detail}")
            case _:
                status, category, message = _PLAIN_REFUSALS[why]
                return error(status, category, message)

    def token_body(self, issued: IssuedTokens) -> dict[str, Any]:
        """Return the tokens; the scopes are a list named `scopes`, there is no `scope`.

        Source: https://developers.hubspot.com/changelog/additional-details-returned-when-generating-oauth-access-tokens
        """
        return {
            "token_type": "bearer",
            "access_token": issued.access_token,
            "refresh_token": issued.refresh_token,
            "expires_in": issued.expires_in_s,
            "hub_id": HUB_ID,
            "user_id": user_id_of(issued.account),
            "scopes": list(issued.scopes),
        }

    def rate_headers(self, *, remaining: int) -> dict[str, str]:
        limit = self.rate_limit
        return {
            "X-HubSpot-RateLimit-Max": str(limit.requests),
            "X-HubSpot-RateLimit-Remaining": str(remaining),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(round(limit.interval_s * 1000)),
        }


_OAUTH_REFUSALS = {
    Refusal.BAD_CLIENT: (400, "BAD_CLIENT_ID", "missing or invalid client id or client secret"),
    Refusal.BAD_TOKEN_REQUEST: (400, "BAD_GRANT_TYPE", "missing or invalid grant type"),
    Refusal.BAD_CODE: (400, "BAD_AUTH_CODE", "missing or invalid auth code"),
    Refusal.BAD_REDIRECT_URI: (
        400,
        "MISMATCH_REDIRECT_URI_AUTH_CODE",
        "redirect uri does not match the one that the auth code was issued for",
    ),
    Refusal.BAD_VERIFIER: (400, "BAD_CODE_VERIFIER", "missing or invalid code verifier"),
    Refusal.BAD_REFRESH_TOKEN: (400, "BAD_REFRESH_TOKEN", "missing or invalid refresh token"),
    Refusal.UNKNOWN_TOKEN: (400, "BAD_TOKEN", "missing or invalid token"),
}

_PLAIN_REFUSALS = {
    Refusal.NO_TOKEN: (
        401,
        "INVALID_AUTHENTICATION",
        "Authentication credentials not found. This API supports OAuth 2.0 authentication.",
    ),
    Refusal.REVOKED_TOKEN: (
        401,
        "INVALID_AUTHENTICATION",
        "The OAuth token used to make this call is no longer valid.",
    ),
    Refusal.FORBIDDEN: (403, "BANNED", "You do not have permissions to do this."),
    Refusal.SERVER_ERROR: (500, "INTERNAL_ERROR", "internal error"),
    Refusal.NOT_FOUND: (404, "OBJECT_NOT_FOUND", "resource not found"),
    Refusal.METHOD_NOT_ALLOWED: (405, "VALIDATION_ERROR", "HTTP 405 Method Not Allowed"),
}


def _missing_scope(scopes: tuple[str, ...]) -> RefusedError:
    """Source: https://github.com/HubSpot/hubspot-api-nodejs/issues/268 (a recorded answer)."""
    return error(
        403,
        "MISSING_SCOPES",
        "This app hasn't been granted all required scopes to make this call.",
        errors=[
            {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": list(scopes)},
            }
        ],
    )


def _rate_limited(retry_after_s: float | None) -> RefusedError:
    return error(
        429,
        "RATE_LIMITS",
        "You have reached your ten_secondly_rolling limit.",
        headers={} if retry_after_s is None else {"Retry-After": str(math.ceil(retry_after_s))},
        errorType="RATE_LIMIT",
        policyName="TEN_SECONDLY_ROLLING",
    )
