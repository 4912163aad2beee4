"""Tokens, and the end points that give, name and end them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.egress import Egress, Sent, send
from connectors.errors import ConnectorError, RetryLaterError
from connectors.settings import ProviderSettings

_OK = 200
_JSON = {"accept": "application/json"}


class Tokens(BaseModel):
    """What a provider gave. Its `repr` shows nothing: it must not reach a log (S35)."""

    model_config = ConfigDict(frozen=True)

    access: str = Field(repr=False)
    refresh: str | None = Field(repr=False)

    def __str__(self) -> str:
        return repr(self)

    def to_bytes(self) -> bytes:
        return self.model_dump_json().encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Tokens":
        return cls.model_validate_json(data)


class _Reply(BaseModel):
    """A successful answer of a token end point (RFC 6749, section 5.1)."""

    access_token: str = Field(min_length=1)
    refresh_token: str | None = None
    expires_in: float | None = Field(default=None, gt=0, lt=10**9)
    scope: str | None = None
    scopes: list[str] | None = None
    """HubSpot's name for it, a list."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Tokens, when the access token ends, and what was granted where the provider says so."""

    tokens: Tokens
    expires_at: datetime | None
    scopes: frozenset[str] | None


def read_grant(answer: httpx2.Response, *, refresh: str | None = None) -> Grant | None:
    """Return what a token end point gave; None when it gave no token.

    Only HTTP 200 with an `access_token` counts: whatever else an error body looks like, it can
    never take the place of a good token.

    Args:
        answer: of the token end point.
        refresh: the refresh token that was used; it stays where no new one is given (RFC 6749,
            section 6).
    """
    if answer.status_code != _OK:
        return None
    try:
        reply = _Reply.model_validate_json(answer.content)
    except ValidationError:
        return None
    expires_at = None
    if reply.expires_in is not None:
        expires_at = datetime.now(UTC) + timedelta(seconds=reply.expires_in)
    named = reply.scopes if reply.scope is None else reply.scope.split()
    return Grant(
        Tokens(access=reply.access_token, refresh=reply.refresh_token or refresh),
        expires_at,
        None if named is None else frozenset(named),
    )


class TokenEndpoints:
    """Speaks to a provider's end points for tokens, with its client's credentials in the form."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress

    async def refresh(self, settings: ProviderSettings, refresh: str) -> httpx2.Response:
        """Return the answer to a refresh, of any status.

        Raises:
            RetryLaterError: no whole answer came.
        """
        return await self._post(
            settings,
            settings.token_url,
            {"grant_type": "refresh_token", "refresh_token": refresh},
        )

    async def revoke(self, settings: ProviderSettings, tokens: Tokens) -> bool:
        """End what was granted; whether the provider said that it did."""
        form = {
            "token": tokens.refresh or tokens.access,
            "token_type_hint": "refresh_token" if tokens.refresh else "access_token",
        }
        try:
            answer = await self._post(settings, settings.revoke_url, form)
        except ConnectorError:
            return False
        return answer.is_success

    async def account(self, settings: ProviderSettings, tokens: Tokens) -> str | None:
        """Return how the provider names the account; None when it does not say."""
        try:
            answer = await self._ask_account(settings, tokens)
            body: Any = answer.json()
        except (ConnectorError, ValueError):
            return None
        if answer.status_code != _OK or not isinstance(body, dict):
            return None
        name = body.get("email") or body.get("user")
        return name if isinstance(name, str) else None

    async def _ask_account(self, settings: ProviderSettings, tokens: Tokens) -> httpx2.Response:
        url = settings.account_url
        if url.endswith("/introspect"):
            hint = {"token_type_hint": "access_token"}
            return await self._post(settings, url, {"token": tokens.access, **hint})
        headers = {**_JSON, "authorization": f"Bearer {tokens.access}"}
        return await self._send(settings, "GET", url, headers=headers)

    async def _post(
        self, settings: ProviderSettings, url: str, form: dict[str, str]
    ) -> httpx2.Response:
        client = {"client_id": settings.client_id, "client_secret": settings.client_secret}
        return await self._send(settings, "POST", url, data=form | client, headers=_JSON)

    async def _send(
        self, settings: ProviderSettings, method: str, url: str, **content: Any
    ) -> httpx2.Response:
        async with self._egress.client(settings) as client:
            request = client.build_request(method, url, **content)
            try:
                return await send(client, request, watch=Sent())
            except httpx2.TransportError as error:
                raise RetryLaterError(
                    f"{settings.manifest.title} cannot be reached right now."
                ) from error
