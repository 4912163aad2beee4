import math
from typing import Any

from connectors.google_calendar.standin.errors import error, oauth_error
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

AUTH = "https://www.googleapis.com/auth/"
"""What Google's scope names begin with."""

_EMAIL = f"{AUTH}userinfo.email"
_PROFILE = f"{AUTH}userinfo.profile"

# Source of the words: the Calendar API's discovery document, auth.oauth2.scopes.
_SCOPES = {
    "openid": Scope("Know who you are", is_required=True),
    "email": Scope("See your email address", returned_as=_EMAIL, is_required=True),
    "profile": Scope("See your name", returned_as=_PROFILE, is_required=True),
    _EMAIL: Scope("See your email address", is_required=True),
    _PROFILE: Scope("See your name", is_required=True),
    f"{AUTH}calendar": Scope("See, edit, share and permanently delete all your calendars"),
    f"{AUTH}calendar.readonly": Scope("See and download any calendar that you can see"),
    f"{AUTH}calendar.events": Scope("See and edit events on all your calendars"),
    f"{AUTH}calendar.events.readonly": Scope("See events on all your calendars"),
    f"{AUTH}calendar.events.owned": Scope(
        "See, create, change and delete events on calendars that you own"
    ),
    f"{AUTH}calendar.events.owned.readonly": Scope("See events on calendars that you own"),
    f"{AUTH}calendar.events.freebusy": Scope("See when calendars you can see are busy"),
    f"{AUTH}calendar.freebusy": Scope("See when you are busy"),
    f"{AUTH}calendar.calendars.readonly": Scope("See your calendars' names and time zones"),
}


class GoogleVendor(Vendor):
    """Google's rules: `iss`, scopes that can be unticked, no refresh-token rotation.

    Google does not insist on PKCE; the stand-in does, because Countersign always uses it.

    Source: https://developers.google.com/identity/protocols/oauth2/web-server and
    https://developers.google.com/identity/protocols/oauth2/resources/granular-permissions
    """

    slug = "google-calendar"
    title = "Google Calendar"
    accent = "#1a5fd0"
    oauth = OAuthRules(
        paths=OAuthPaths(authorize="/o/oauth2/v2/auth", token="/token", revoke="/revoke"),  # noqa: S106 (a path)
        scopes=_SCOPES,
        has_issuer=True,
        can_untick=True,
        needs_offline_access=True,
        is_revoke_public=True,
    )
    # Source: https://developers.google.com/workspace/calendar/api/guides/quota
    rate_limit = RateLimit(requests=600, interval_s=60, is_per_person=True)

    def refusal(
        self,
        why: Refusal,
        *,
        scopes: tuple[str, ...] = (),  # noqa: ARG002 (Google does not name them in the body)
        retry_after_s: float | None = None,
        detail: str = "",
    ) -> RefusedError:
        if why in _OAUTH_REFUSALS:
            return oauth_error(*_OAUTH_REFUSALS[why])
        if why in (Refusal.NO_TOKEN, Refusal.EXPIRED_TOKEN, Refusal.REVOKED_TOKEN):
            return error(
                401,
                "authError",
                "Invalid Credentials",
                location=("header", "Authorization"),
                headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
            )
        if why is Refusal.RATE_LIMITED:
            wait = {} if retry_after_s is None else {"Retry-After": str(math.ceil(retry_after_s))}
            message = "Rate Limit Exceeded"
            return error(429, "rateLimitExceeded", message, domain="usageLimits", headers=wait)
        status, reason, message = _PLAIN_REFUSALS[why]
        return error(status, reason, f"{message}: {detail}" if detail else message)

    def token_body(self, issued: IssuedTokens) -> dict[str, Any]:
        """Return the tokens; `scope` is what was granted, which may be less than was asked."""
        body: dict[str, Any] = {
            "token_type": "Bearer",
            "access_token": issued.access_token,
            "expires_in": issued.expires_in_s,
            "scope": " ".join(issued.scopes),
        }
        if issued.refresh_token is not None:
            body["refresh_token"] = issued.refresh_token
        return body

    def rate_headers(self, *, remaining: int) -> dict[str, str]:  # noqa: ARG002 (Google tells none)
        return {}


_OAUTH_REFUSALS = {
    Refusal.BAD_CLIENT: (401, "invalid_client", "Unauthorized"),
    Refusal.BAD_TOKEN_REQUEST: (400, "invalid_request", "Bad Request"),
    Refusal.BAD_CODE: (400, "invalid_grant", "Malformed or expired auth code."),
    Refusal.BAD_REDIRECT_URI: (400, "redirect_uri_mismatch", "Bad Request"),
    Refusal.BAD_VERIFIER: (400, "invalid_grant", "Invalid code verifier."),
    Refusal.BAD_REFRESH_TOKEN: (400, "invalid_grant", "Token has been expired or revoked."),
    Refusal.UNKNOWN_TOKEN: (400, "invalid_token", "Token expired or revoked"),
}

_PLAIN_REFUSALS = {
    Refusal.MISSING_SCOPE: (
        403,
        "insufficientPermissions",
        "Request had insufficient authentication scopes.",
    ),
    Refusal.FORBIDDEN: (403, "forbidden", "Forbidden"),
    Refusal.SERVER_ERROR: (500, "backendError", "Backend Error"),
    Refusal.NOT_FOUND: (404, "notFound", "Not Found"),
    Refusal.METHOD_NOT_ALLOWED: (405, "httpMethodNotAllowed", "Method Not Allowed"),
    Refusal.BAD_JSON: (400, "parseError", "Parse Error"),
}
