import re
import secrets
import time
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit, urlunsplit

from pydantic import BaseModel

from connectors.standin.config import Account, StandinConfig
from connectors.standin.grants import GrantBook
from connectors.standin.store import Shelf, Store
from connectors.standin.vendor import Vendor

CODE_TTL_S = 60.0
"""Life of an authorization code; RFC 6749 allows at most ten minutes."""

CONSENT_TTL_S = 600.0
"""How long a consent page may stay open before it must be asked for again."""

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
"""An S256 challenge: 32 bytes in base64url without padding. Source: RFC 7636, section 4.2."""


class BadAuthorizationError(Exception):
    """The authorization request is not acceptable; tell the person, redirect nowhere."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Consent(BaseModel):
    """An authorization request that waits for a person's decision."""

    id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    code_challenge: str
    login_hint: str
    is_offline: bool
    is_prompted: bool
    has_earlier_scopes: bool
    asked_at: float
    is_answered: bool = False


class Authorizer:
    """The authorization endpoint: checks a request, then turns a decision into a redirect."""

    def __init__(
        self, config: StandinConfig, vendor: Vendor, *, store: Store, grants: GrantBook
    ) -> None:
        self._config = config
        self._vendor = vendor
        self._grants = grants
        self._consents = Shelf(store, Consent, kind="oauth.consent")

    def begin(self, query: Mapping[str, str]) -> Consent:
        """Check the request and remember it until the person decides.

        Raises:
            BadAuthorizationError: Anything is missing, unknown or not exactly as registered.
        """
        if query.get("client_id") != self._config.client_id:
            raise BadAuthorizationError("This client is not registered here.")
        if query.get("redirect_uri") not in self._config.redirect_uris:
            raise BadAuthorizationError("The redirect URI is not one that is registered.")
        if query.get("response_type", "code") != "code":
            raise BadAuthorizationError("Only response_type=code is supported.")
        challenge = query.get("code_challenge", "")
        if query.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(challenge):
            raise BadAuthorizationError("PKCE with code_challenge_method=S256 is required.")
        consent = Consent(
            id=secrets.token_urlsafe(32),
            redirect_uri=query["redirect_uri"],
            scopes=self._scopes_in(query),
            state=query.get("state"),
            code_challenge=challenge,
            login_hint=query.get("login_hint", ""),
            is_offline=query.get("access_type") == "offline",
            is_prompted="consent" in query.get("prompt", "").split(),
            has_earlier_scopes=query.get("include_granted_scopes") == "true",
            asked_at=time.time(),
        )
        self._consents.put(consent.id, consent)
        return consent

    def _scopes_in(self, query: Mapping[str, str]) -> tuple[str, ...]:
        asked = query.get("scope", "").split()
        optional = self._vendor.oauth.optional_scope_parameter
        if optional is not None:
            asked += query.get(optional, "").split()
        unknown = [scope for scope in asked if scope not in self._vendor.oauth.scopes]
        if unknown or not asked:
            raise BadAuthorizationError(
                f"Unknown scopes: {', '.join(unknown)}." if unknown else "No scope is asked for."
            )
        return tuple(dict.fromkeys(asked))

    def decide(
        self, consent_id: str, *, account: str, scopes: tuple[str, ...], is_allowed: bool
    ) -> str:
        """Return the address to redirect to, with a code if the person allowed the request.

        A consent page can be answered once. Scopes that were not asked for are not granted.

        Raises:
            BadAuthorizationError: Unknown, answered or outdated page, or unknown account.
        """
        consent = self._consents.find(consent_id)
        if consent is None or consent.is_answered:
            raise BadAuthorizationError("This page was already answered. Start again.")
        if consent.asked_at + CONSENT_TTL_S < time.time():
            raise BadAuthorizationError("This page is too old. Start again.")
        who = self._config.find_account(account)
        if who is None:
            raise BadAuthorizationError("There is no such account here.")
        self._consents.put(consent.id, consent.model_copy(update={"is_answered": True}))
        granted = self._granted(consent, ticked=scopes)
        if not is_allowed or not granted:
            return self._redirect(consent, {"error": "access_denied"})
        code = self._issue_code(consent, who, granted)
        return self._redirect(consent, {"code": code})

    def _granted(self, consent: Consent, *, ticked: tuple[str, ...]) -> tuple[str, ...]:
        rules = self._vendor.oauth
        if not rules.can_untick:
            return consent.scopes
        known = rules.scopes
        return tuple(s for s in consent.scopes if s in ticked or known[s].is_required)

    def _issue_code(self, consent: Consent, who: Account, granted: tuple[str, ...]) -> str:
        rules = self._vendor.oauth
        earlier = self._grants.list_of(who.email)
        has_refresh = not rules.needs_offline_access or (
            consent.is_offline and (consent.is_prompted or not earlier)
        )
        if consent.has_earlier_scopes:
            granted += tuple(scope for grant in earlier for scope in grant.scopes)
        names = tuple(dict.fromkeys(self._returned(scope) for scope in granted))
        grant = self._grants.open_(who.email, scopes=names)
        return self._grants.issue(
            self._grants.codes,
            grant,
            ttl_s=CODE_TTL_S,
            redirect_uri=consent.redirect_uri,
            code_challenge=consent.code_challenge,
            has_refresh=has_refresh,
        )

    def _returned(self, scope: str) -> str:
        known = self._vendor.oauth.scopes.get(scope)
        return scope if known is None else known.returned_as or scope

    def _redirect(self, consent: Consent, answer: dict[str, str]) -> str:
        if consent.state is not None:
            answer["state"] = consent.state
        if self._vendor.oauth.has_issuer:
            answer["iss"] = self._config.base_url
        parts = urlsplit(consent.redirect_uri)
        query = "&".join(part for part in (parts.query, urlencode(answer)) if part)
        return urlunsplit(parts._replace(query=query))
