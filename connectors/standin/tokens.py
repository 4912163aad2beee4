import base64
import hashlib
import hmac
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

from connectors.standin.config import Account, StandinConfig
from connectors.standin.grants import Grant, GrantBook, GrantStatus, Token, digest_of
from connectors.standin.store import Shelf
from connectors.standin.vendor import IssuedTokens, Refusal, RefusedError, Vendor


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose token a request carries, and what it may do."""

    account: Account
    scopes: tuple[str, ...]
    seconds_left: float


class TokenDesk:
    """The token and revocation endpoints' rules, and the check of bearer tokens."""

    def __init__(self, config: StandinConfig, vendor: Vendor, *, grants: GrantBook) -> None:
        self._config = config
        self._vendor = vendor
        self._grants = grants

    def check_client(self, form: Mapping[str, str]) -> None:
        """Check the client's id and secret in constant time.

        Raises:
            RefusedError: They are not those of the registered client.
        """
        is_right = hmac.compare_digest(
            form.get("client_id", "").encode(), self._config.client_id.encode()
        ) and hmac.compare_digest(
            form.get("client_secret", "").encode(), self._config.client_secret.encode()
        )
        if not is_right:
            raise self._vendor.refusal(Refusal.BAD_CLIENT)

    def exchange(self, form: Mapping[str, str]) -> IssuedTokens:
        """Answer the token endpoint: a code or a refresh token against new tokens.

        A code is good once, for its redirect URI and its verifier; a second use ends everything
        that came of the first.

        Raises:
            RefusedError: The client, the grant type, the code or the refresh token is bad.
        """
        self.check_client(form)
        match form.get("grant_type"):
            case "authorization_code":
                return self._exchange_code(form)
            case "refresh_token":
                return self._exchange_refresh(form)
            case _:
                raise self._vendor.refusal(Refusal.BAD_TOKEN_REQUEST, detail="grant_type")

    def _exchange_code(self, form: Mapping[str, str]) -> IssuedTokens:
        token = self._grants.codes.find(digest_of(form.get("code", "")))
        if token is None or token.is_expired:
            raise self._vendor.refusal(Refusal.BAD_CODE)
        grant = self._grants.get(token.grant_id)
        if token.is_used:
            self._grants.end(grant, status=GrantStatus.REVOKED)
            raise self._vendor.refusal(Refusal.BAD_CODE)
        self._grants.use_up(self._grants.codes, token)
        if form.get("redirect_uri") != token.redirect_uri:
            raise self._vendor.refusal(Refusal.BAD_REDIRECT_URI)
        if not _is_verified(form.get("code_verifier", ""), challenge=token.code_challenge):
            raise self._vendor.refusal(Refusal.BAD_VERIFIER)
        return self._issue(grant, has_refresh=token.has_refresh)

    def _exchange_refresh(self, form: Mapping[str, str]) -> IssuedTokens:
        token = self._grants.refresh.find(digest_of(form.get("refresh_token", "")))
        if token is None:
            raise self._vendor.refusal(Refusal.BAD_REFRESH_TOKEN)
        grant = self._grants.get(token.grant_id)
        if token.is_used:
            # Reuse of a rotated token: thief or race, nobody can tell. Source: RFC 9700, 4.14.2.
            self._grants.end(grant, status=GrantStatus.REVOKED)
        if token.is_used or grant.status is not GrantStatus.ACTIVE:
            raise self._vendor.refusal(Refusal.BAD_REFRESH_TOKEN)
        if self._vendor.oauth.is_rotating:
            self._grants.use_up(self._grants.refresh, token)
        return self._issue(grant, has_refresh=self._vendor.oauth.is_rotating)

    def _issue(self, grant: Grant, *, has_refresh: bool) -> IssuedTokens:
        return IssuedTokens(
            access_token=self._grants.issue_access(grant),
            refresh_token=self._grants.issue_refresh(grant) if has_refresh else None,
            expires_in_s=math.floor(self._config.access_token_ttl_s),
            scopes=grant.scopes,
            account=self._account_of(grant),
        )

    def revoke(self, secret: str) -> bool:
        """End what hangs on the token; return whether the token was known.

        Where access tokens do not survive, everything that the person granted ends with it.
        """
        token = self._find(self._grants.refresh, secret) or self._find(self._grants.access, secret)
        if token is None:
            return False
        grant = self._grants.get(token.grant_id)
        if self._vendor.oauth.access_survives_revoke:
            if grant.status is GrantStatus.ACTIVE:
                self._grants.end(grant, status=GrantStatus.REFRESH_REVOKED)
        else:
            self.revoke_account(grant.account)
        return True

    def revoke_account(self, email: str) -> int:
        """End every grant of the account, as if the person had removed the app."""
        grants = self._grants.list_of(email)
        for grant in grants:
            self._grants.end(grant, status=GrantStatus.REVOKED)
        return len(grants)

    def read_bearer(self, authorization: str) -> Caller:
        """Return who calls.

        Raises:
            RefusedError: No bearer token, or one that is unknown, expired or revoked.
        """
        scheme, _, secret = authorization.partition(" ")
        token = self._find(self._grants.access, secret.strip())
        if scheme.casefold() != "bearer" or token is None:
            raise self._vendor.refusal(Refusal.NO_TOKEN)
        return self._caller(token)

    def introspect(self, secret: str) -> Caller | None:
        """Return whom an access token belongs to, or None if it is not alive."""
        token = self._find(self._grants.access, secret)
        if token is None:
            return None
        try:
            return self._caller(token)
        except RefusedError:
            return None

    def _caller(self, token: Token) -> Caller:
        grant = self._grants.get(token.grant_id)
        if grant.status is GrantStatus.REVOKED:
            raise self._vendor.refusal(Refusal.REVOKED_TOKEN)
        assert token.expires_at is not None, "access tokens expire"
        if token.is_expired:
            late_s = time.time() - token.expires_at
            raise self._vendor.refusal(Refusal.EXPIRED_TOKEN, detail=str(math.ceil(late_s)))
        return Caller(self._account_of(grant), grant.scopes, token.expires_at - time.time())

    def _account_of(self, grant: Grant) -> Account:
        account = self._config.find_account(grant.account)
        if account is None:  # The configuration lost an account that an earlier start had.
            raise self._vendor.refusal(Refusal.REVOKED_TOKEN)
        return account

    @staticmethod
    def _find(shelf: Shelf[Token], secret: str) -> Token | None:
        return shelf.find(digest_of(secret))


def _is_verified(verifier: str, *, challenge: str) -> bool:
    """Return whether the S256 challenge was made from the verifier. Source: RFC 7636, 4.6."""
    digest = hashlib.sha256(verifier.encode()).digest()
    made = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return hmac.compare_digest(made, challenge)
