import hashlib
import secrets
import time
from enum import StrEnum

from pydantic import BaseModel

from connectors.standin.store import Shelf, Store


class GrantStatus(StrEnum):
    ACTIVE = "active"
    REFRESH_REVOKED = "refresh_revoked"
    REVOKED = "revoked"


class Grant(BaseModel):
    """What one person allowed the client; all tokens of one consent hang on it (a family)."""

    id: str
    account: str
    scopes: tuple[str, ...]
    status: GrantStatus = GrantStatus.ACTIVE


class Token(BaseModel):
    """An access token, a refresh token or a code, known by its digest only."""

    digest: str
    grant_id: str
    expires_at: float | None
    is_used: bool = False
    redirect_uri: str = ""
    code_challenge: str = ""
    has_refresh: bool = False

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= time.time()


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class GrantBook:
    """The grants of a stand-in and the tokens that hang on them; it keeps digests, no secret."""

    def __init__(self, store: Store, *, slug: str, access_ttl_s: float) -> None:
        self._slug = slug
        self._access_ttl_s = access_ttl_s
        self._grants = Shelf(store, Grant, kind="oauth.grant")
        self.codes = Shelf(store, Token, kind="oauth.code")
        self.access = Shelf(store, Token, kind="oauth.access")
        self.refresh = Shelf(store, Token, kind="oauth.refresh")

    def open_(self, account: str, *, scopes: tuple[str, ...]) -> Grant:
        grant = Grant(id=secrets.token_hex(8), account=account, scopes=scopes)
        self._grants.put(grant.id, grant)
        return grant

    def get(self, grant_id: str) -> Grant:
        grant = self._grants.find(grant_id)
        assert grant is not None, "a token's grant is written before the token"
        return grant

    def list_of(self, account: str) -> list[Grant]:
        """Return the grants of the account that are not revoked."""
        grants = self._grants.list_where("$.account", account)
        return [grant for grant in grants if grant.status is not GrantStatus.REVOKED]

    def end(self, grant: Grant, *, status: GrantStatus) -> None:
        self._grants.put(grant.id, grant.model_copy(update={"status": status}))

    def issue(
        self,
        shelf: Shelf[Token],
        grant: Grant,
        *,
        ttl_s: float | None,
        redirect_uri: str = "",
        code_challenge: str = "",
        has_refresh: bool = False,
    ) -> str:
        """Mint a secret on the shelf and return it; it cannot be read back."""
        secret = f"standin-{self._slug}-{secrets.token_urlsafe(32)}"
        token = Token(
            digest=digest_of(secret),
            grant_id=grant.id,
            expires_at=None if ttl_s is None else time.time() + ttl_s,
            redirect_uri=redirect_uri,
            code_challenge=code_challenge,
            has_refresh=has_refresh,
        )
        shelf.put(token.digest, token)
        return secret

    def issue_access(self, grant: Grant) -> str:
        return self.issue(self.access, grant, ttl_s=self._access_ttl_s)

    def issue_refresh(self, grant: Grant) -> str:
        return self.issue(self.refresh, grant, ttl_s=None)

    def use_up(self, shelf: Shelf[Token], token: Token) -> None:
        shelf.put(token.digest, token.model_copy(update={"is_used": True}))

    def expire_all(self) -> int:
        """Let everything that expires (access tokens, codes) expire now; return how many did."""
        count = 0
        for shelf in (self.access, self.codes):
            for token in shelf.list_():
                if not token.is_expired:
                    shelf.put(token.digest, token.model_copy(update={"expires_at": time.time()}))
                    count += 1
        return count

    def tally(self) -> dict[str, int]:
        """Return how many tokens of each kind could be used now."""
        grants = {grant.id: grant.status for grant in self._grants.list_()}
        access = [t for t in self.access.list_() if not t.is_expired]
        refresh = [t for t in self.refresh.list_() if not t.is_used]
        return {
            "grants": sum(status is GrantStatus.ACTIVE for status in grants.values()),
            "access_tokens": sum(grants[t.grant_id] is not GrantStatus.REVOKED for t in access),
            "refresh_tokens": sum(grants[t.grant_id] is GrantStatus.ACTIVE for t in refresh),
        }
