"""Connecting a provider: authorization code with PKCE, bound to one person and browser."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import httpx2
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2 import OAuth2Error
from pydantic import BaseModel

from connectors.broker import TokenBroker, Tokens, bound_to, read_tokens
from connectors.egress import Egress, Sent, client_options, send_capped
from connectors.errors import ConnectorError
from connectors.settings import ProviderSettings
from storage.crypto import Vault
from storage.database import Database
from storage.tables.connections import OAuthState

STATE_LIVES_S = 600.0
_OK = 200


class OAuthFlowError(ConnectorError):
    """The connection was not made; the message says why and what to do."""

    code = "oauth"


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send the browser, and the secret that its cookie keeps."""

    url: str
    browser_secret: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """Both identities of a connection to be: the person confirms them before it is stored (S24)."""

    team_id: str
    person_id: str
    provider: str
    account: str
    scopes: tuple[str, ...]
    missing: frozenset[str]
    """Asked for, but not granted: the person unticked it."""
    goal_id: int | None


class _Pending(BaseModel):
    """What is sealed between the callback and the person's confirmation."""

    access: str
    refresh: str | None
    expires_at: datetime | None
    account: str
    granted: list[str]


class OAuthFlow:
    """Makes and ends connections."""

    def __init__(
        self,
        *,
        database: Database,
        vault: Vault,
        egress: Egress,
        broker: TokenBroker,
        providers: Mapping[str, ProviderSettings],
        public_url: str,
    ) -> None:
        self._database = database
        self._vault = vault
        self._egress = egress
        self._broker = broker
        self._providers = providers
        self._public_url = public_url

    def redirect_uri(self, provider: str) -> str:
        """Return the exact redirect URI to register at a provider."""
        return f"{self._public_url}/oauth/{provider}/callback"

    async def begin(
        self,
        *,
        team_id: str,
        person_id: str,
        provider: str,
        scopes: frozenset[str],
        goal_id: int | None,
    ) -> Begun:
        """Store an authorization request and return where it goes.

        The state has 256 bits, is stored hashed and lives ten minutes; the browser that begins
        is the only one that may finish (S24). What was granted before is asked for again, so
        that scopes only grow.

        Raises:
            OAuthFlowError: this installation has no OAuth app at the provider.
        """
        settings = self._settings(provider)
        state, browser_secret = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        verifier = secrets.token_urlsafe(48)
        async with self._database.transaction() as tx:
            earlier = await tx.connections.find(team_id, person_id, provider)
            asked = set(scopes) | set(settings.manifest.oauth.base_scopes)
            if earlier is not None:
                asked |= set(earlier.scopes)
            await tx.connections.add_state(
                state_hash=_digest(state),
                team_id=team_id,
                person_id=person_id,
                provider=provider,
                scopes=sorted(asked),
                secret=self._vault.seal(verifier.encode(), bound_to=_digest(state)),
                browser_hash=_digest(browser_secret),
                goal_id=goal_id,
                lives_s=STATE_LIVES_S,
            )
        async with self._client(settings, scopes=asked) as client:
            url, _ = client.create_authorization_url(
                settings.authorize_url,
                state=state,
                code_verifier=verifier,
                **settings.manifest.oauth.authorize_parameters,
            )
        return Begun(str(url), browser_secret)

    async def fetch(
        self, provider: str, *, query: Mapping[str, str], browser_secret: str
    ) -> Fetched:
        """Take a provider's callback: check it, fetch the tokens, and name both identities.

        Nothing is connected yet: the tokens wait, sealed, for `confirm`.

        Raises:
            OAuthFlowError: it was denied, is too old, was used before, came back in another
                browser or from another issuer, or the provider gave no token.
        """
        settings = self._settings(provider)
        begun = await self._consume(provider, query.get("state", ""), browser_secret)
        _check_callback(settings, query)
        verifier = self._vault.open(begun.secret, bound_to=begun.state_hash).decode()
        answer = await self._exchange(settings, query["code"], verifier, begun.scopes)
        tokens, expires_at = read_tokens(answer, before=None)
        if tokens is None:
            raise OAuthFlowError(
                f"{settings.manifest.title} did not give a token. Please connect again."
            )
        pending = _Pending(
            access=tokens.access,
            refresh=tokens.refresh,
            expires_at=expires_at,
            account=await self._account(settings, tokens),
            granted=sorted(_granted(answer, asked=begun.scopes)),
        )
        sealed = self._vault.seal(pending.model_dump_json().encode(), bound_to=begun.state_hash)
        async with self._database.transaction() as tx:
            await tx.connections.keep_fetched(begun.state_hash, secret=sealed)
        return self._fetched(begun, pending)

    async def confirm(
        self, provider: str, *, state: str, browser_secret: str, is_right: bool
    ) -> Fetched | None:
        """Store the connection whose identities the person confirmed; None if they declined.

        Raises:
            OAuthFlowError: it is too old, was confirmed before, or came from another browser.
        """
        async with self._database.transaction() as tx:
            begun = await tx.connections.confirm_state(_digest(state))
        self._check_begun(begun, provider, browser_secret)
        assert begun is not None
        opened = self._vault.open(begun.secret, bound_to=begun.state_hash)
        pending = _Pending.model_validate_json(opened)
        if not is_right:
            tokens = Tokens(pending.access, pending.refresh)
            await self._revoke(tokens, self._settings(provider))
            return None
        await self._store(begun, pending)
        return self._fetched(begun, pending)

    def _fetched(self, begun: OAuthState, pending: _Pending) -> Fetched:
        manifest = self._providers[begun.provider].manifest
        return Fetched(
            team_id=begun.team_id,
            person_id=begun.person_id,
            provider=begun.provider,
            account=pending.account,
            scopes=tuple(pending.granted),
            missing=manifest.missing(asked=begun.scopes, granted=pending.granted),
            goal_id=begun.goal_id,
        )

    async def disconnect(self, *, team_id: str, person_id: str, provider: str) -> bool:
        """Revoke at the provider and delete the tokens; whether there was a connection (S26).

        The tokens are deleted here even where the provider cannot be reached.
        """
        async with self._database.transaction() as tx:
            connection = await tx.connections.find(team_id, person_id, provider)
        if connection is None or connection.secret is None:
            return False
        opened = self._vault.open(connection.secret, bound_to=bound_to(connection))
        await self._revoke(Tokens.from_bytes(opened), self._settings(provider))
        async with self._database.transaction() as tx:
            await tx.connections.disconnect(connection)
            await tx.audit.record(
                team_id=team_id,
                tag="slack:connection:disconnect",
                actor=person_id,
                data={"provider": provider, "connection": connection.id},
            )
        return True

    def _settings(self, provider: str) -> ProviderSettings:
        settings = self._providers.get(provider)
        if settings is None or not settings.is_set_up:
            title = settings.manifest.title if settings else provider
            raise OAuthFlowError(
                f"{title} is not set up here yet; ask an admin to add its OAuth app."
            )
        return settings

    def _client(self, settings: ProviderSettings, *, scopes: set[str]) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            token_endpoint_auth_method="client_secret_post",  # noqa: S106 -- a method's name
            redirect_uri=self.redirect_uri(settings.manifest.name),
            scope=" ".join(sorted(scopes)),
            code_challenge_method="S256",
            transport=self._egress.transport(settings),
            **client_options(),
        )

    async def _consume(self, provider: str, state: str, browser_secret: str) -> OAuthState:
        async with self._database.transaction() as tx:
            begun = await tx.connections.consume_state(_digest(state))
        self._check_begun(begun, provider, browser_secret)
        assert begun is not None
        return begun

    def _check_begun(self, begun: OAuthState | None, provider: str, browser_secret: str) -> None:
        if begun is None or begun.provider != provider:
            raise OAuthFlowError(
                "This link was used before or is older than ten minutes. Go back to Slack and "
                "press Connect again."
            )
        if not hmac.compare_digest(begun.browser_hash, _digest(browser_secret)):
            raise OAuthFlowError(
                "This was begun in another browser. Open the link from Slack in this one."
            )

    async def _exchange(
        self, settings: ProviderSettings, code: str, verifier: str, scopes: list[str]
    ) -> httpx2.Response:
        """Return the token end point's raw answer: Authlib itself accepts a 4xx as a token."""
        kept: list[httpx2.Response] = []

        def keep(response: httpx2.Response) -> httpx2.Response:
            kept.append(response)
            return response

        async with self._client(settings, scopes=set(scopes)) as client:
            client.register_compliance_hook("access_token_response", keep)
            try:
                await client.fetch_token(
                    settings.token_url,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=verifier,
                )
            except (OAuth2Error, httpx2.TransportError, ConnectorError, ValueError) as error:
                raise OAuthFlowError(
                    f"{settings.manifest.title} did not finish the connection. "
                    "Please connect again."
                ) from error
        return kept[0]

    async def _account(self, settings: ProviderSettings, tokens: Tokens) -> str:
        """Return how the provider names the account.

        Raises:
            OAuthFlowError: it does not say, so the person could not check it.
        """
        async with self._egress.client(settings) as client:
            request = client.build_request(
                "GET",
                settings.account_url,
                headers={"authorization": f"Bearer {tokens.access}"},
            )
            try:
                answer = await send_capped(client, request, watch=Sent(send_before=None))
                body = answer.json()
            except (httpx2.TransportError, ConnectorError, ValueError) as error:
                raise _nameless(settings) from error
        name = body.get("email") or body.get("user") if isinstance(body, dict) else None
        if answer.status_code != _OK or not isinstance(name, str):
            raise _nameless(settings)
        return name

    async def _store(self, begun: OAuthState, pending: _Pending) -> None:
        tokens = Tokens(pending.access, pending.refresh)
        secret = self._vault.seal(
            tokens.to_bytes(), bound_to=f"{begun.team_id}|{begun.person_id}|{begun.provider}"
        )
        async with self._database.transaction() as tx:
            connection = await tx.connections.connect(
                team_id=begun.team_id,
                person_id=begun.person_id,
                provider=begun.provider,
                account=pending.account,
                scopes=pending.granted,
                secret=secret,
                expires_at=pending.expires_at,
            )
            await tx.audit.record(
                team_id=begun.team_id,
                tag="web:connection:connect",
                actor=begun.person_id,
                goal_id=begun.goal_id,
                data={
                    "provider": begun.provider,
                    "connection": connection.id,
                    "account": pending.account,
                    "scopes": pending.granted,
                },
            )

    async def _revoke(self, tokens: Tokens, settings: ProviderSettings) -> None:
        async with self._egress.client(settings) as client:
            request = client.build_request(
                "POST",
                settings.revoke_url,
                data={
                    "token": tokens.refresh or tokens.access,
                    "token_type_hint": "refresh_token" if tokens.refresh else "access_token",
                    "client_id": settings.client_id,
                    "client_secret": settings.client_secret,
                },
            )
            try:
                await send_capped(client, request, watch=Sent(send_before=None))
            except (httpx2.TransportError, ConnectorError):
                return


def _check_callback(settings: ProviderSettings, query: Mapping[str, str]) -> None:
    """Refuse a callback that is a denial, has no code, or names another issuer (RFC 9207)."""
    title = settings.manifest.title
    if "error" in query:
        raise OAuthFlowError(
            f"{title} was not connected: you or {title} declined. Nothing was stored."
        )
    issuer = settings.manifest.oauth.issuer
    if issuer is not None and query.get("iss", issuer) != issuer:
        raise OAuthFlowError("The answer came from somebody else; nothing was stored.")
    if not query.get("code"):
        raise OAuthFlowError(f"{title} sent no code. Please connect again.")


def _granted(answer: httpx2.Response, *, asked: list[str]) -> frozenset[str]:
    """Return what was really granted; a provider that says nothing granted what was asked."""
    body = json.loads(answer.content)
    scope = body.get("scope", body.get("scopes"))
    if isinstance(scope, str):
        return frozenset(scope.split())
    if isinstance(scope, list):
        return frozenset(map(str, scope))
    return frozenset(asked)


def _nameless(settings: ProviderSettings) -> OAuthFlowError:
    return OAuthFlowError(
        f"{settings.manifest.title} did not say whose account this is, so nothing was stored. "
        "Please connect again."
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
