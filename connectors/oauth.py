"""Connecting a provider: authorization code with PKCE, bound to one person and browser."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ValidationError

from connectors.authorization import Authorization, Query, check_callback
from connectors.broker import TokenBroker
from connectors.egress import Egress
from connectors.oauth_errors import (
    ExchangeFailedError,
    NotSetUpError,
    OtherBrowserError,
    OtherPersonError,
    StateExpiredError,
    StateUnknownError,
    StateUsedError,
)
from connectors.settings import ProviderSettings
from connectors.tokens import TokenEndpoints, Tokens
from storage.crypto import Vault
from storage.database import Database, Transaction
from storage.errors import DecryptionError
from storage.tables.connections import OAuthState

STATE_LIVES_S = 600.0


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

    tokens: Tokens
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
        self._broker = broker
        self._authorization = Authorization(egress)
        self._endpoints = TokenEndpoints(egress)
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
            NotSetUpError: this installation has no OAuth app at the provider.
        """
        settings = self._settings(provider)
        state, browser_secret = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        verifier = secrets.token_urlsafe(48)
        asked = set(scopes) | set(settings.manifest.oauth.base_scopes)
        async with self._database.transaction() as tx:
            person = await tx.people.find(team_id, person_id)
            earlier = await tx.connections.find(team_id, person_id, provider)
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
        url = await self._authorization.url(
            settings,
            redirect_uri=self.redirect_uri(provider),
            scopes=asked,
            state=state,
            verifier=verifier,
            login_hint=person.email if person is not None else None,
        )
        return Begun(url, browser_secret)

    async def fetch(self, provider: str, *, query: Query, browser_secret: str) -> Fetched:
        """Take a provider's callback: check it, fetch the tokens, and name both identities.

        Nothing is connected yet: the tokens wait, sealed, for `confirm`. Whatever is wrong, the
        state is spent.

        Raises:
            OAuthFlowError: its kinds say why; nothing was stored.
        """
        settings = self._settings(provider)
        async with self._database.transaction() as tx:
            state_hash = _digest(query.get("state", ""))
            begun = await tx.connections.consume_state(state_hash)
            begun = begun or await self._refuse(tx, state_hash)
        _check_begun(begun, provider, browser_secret)
        check_callback(settings, query)
        verifier = self._vault.open(begun.secret, bound_to=begun.state_hash).decode()
        grant = await self._authorization.exchange(
            settings,
            redirect_uri=self.redirect_uri(provider),
            code=query["code"],
            verifier=verifier,
        )
        account = await self._endpoints.account(settings, grant.tokens)
        if account is None:
            raise ExchangeFailedError(settings.manifest.title)
        pending = _Pending(
            tokens=grant.tokens,
            expires_at=grant.expires_at,
            account=account,
            # RFC 6749, section 5.1: no scopes in the answer means those that were asked for.
            granted=sorted(begun.scopes if grant.scopes is None else grant.scopes),
        )
        sealed = self._vault.seal(_to_bytes(pending), bound_to=begun.state_hash)
        async with self._database.transaction() as tx:
            await self._refuse_others_account(tx, begun, account)
            await tx.connections.keep_fetched(begun.state_hash, secret=sealed)
        return self._fetched(begun, pending)

    async def confirm(
        self, provider: str, *, state: str, browser_secret: str, is_right: bool
    ) -> Fetched | None:
        """Store the connection whose identities the person confirmed; None if they declined.

        Raises:
            OAuthFlowError: it is too old, was confirmed before, or came from another browser.
        """
        settings = self._settings(provider)
        async with self._database.transaction() as tx:
            begun = await tx.connections.confirm_state(_digest(state))
            begun = begun or await self._refuse(tx, _digest(state))
        _check_begun(begun, provider, browser_secret)
        pending = self._pending(begun)
        async with self._database.transaction() as tx:
            is_in_use = await tx.connections.count_of_account(
                begun.team_id, provider, pending.account
            )
            if is_right:
                await self._refuse_others_account(tx, begun, pending.account)
                await self._store(tx, begun, pending)
        if is_right:
            return self._fetched(begun, pending)
        if not is_in_use:
            # Some providers end every grant of an account at once: a live one must not go along.
            await self._endpoints.revoke(settings, pending.tokens)
        return None

    async def disconnect(self, *, team_id: str, person_id: str, provider: str) -> bool:
        """Revoke at the provider and delete the tokens; whether there was a connection (S26).

        The tokens are deleted here even where the provider cannot be reached.
        """
        async with self._database.transaction() as tx:
            connection = await tx.connections.find(team_id, person_id, provider)
        if connection is None or connection.secret is None:
            return False
        settings = self._providers.get(provider)
        is_revoked = False
        if settings is not None and settings.is_set_up:
            try:
                tokens = self._broker.open(connection)
            except DecryptionError:
                pass  # Nobody can read it any more; it only has to go.
            else:
                is_revoked = await self._endpoints.revoke(settings, tokens)
        async with self._database.transaction() as tx:
            await tx.connections.disconnect(connection)
            await tx.audit.record(
                team_id=team_id,
                tag="slack:connection:disconnect",
                actor=person_id,
                data={
                    "provider": provider,
                    "connection": connection.id,
                    "is_revoked": is_revoked,
                },
            )
        return True

    def _settings(self, provider: str) -> ProviderSettings:
        settings = self._providers.get(provider)
        if settings is None or not settings.is_set_up:
            raise NotSetUpError(settings.manifest.title if settings else provider)
        return settings

    async def _refuse(self, tx: Transaction, state_hash: str) -> OAuthState:
        """Say why a state cannot be spent.

        Raises:
            OAuthFlowError: always.
        """
        known = await tx.connections.find_state(state_hash)
        if known is None:
            raise StateUnknownError
        raise StateUsedError if known.used_at is not None else StateExpiredError

    async def _refuse_others_account(
        self, tx: Transaction, begun: OAuthState, account: str
    ) -> None:
        """Refuse an account that a colleague connected: each acts as themselves (S24, S37).

        Raises:
            OtherPersonError: it is theirs.
        """
        others = await tx.connections.count_of_account(
            begun.team_id, begun.provider, account, without=begun.person_id
        )
        if others:
            title = self._providers[begun.provider].manifest.title
            raise OtherPersonError(title=title, account=account)

    def _pending(self, begun: OAuthState) -> _Pending:
        opened = self._vault.open(begun.secret, bound_to=begun.state_hash)
        try:
            return _Pending.model_validate_json(opened)
        except ValidationError as error:  # The callback never got as far as the tokens.
            raise StateUsedError from error

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

    async def _store(self, tx: Transaction, begun: OAuthState, pending: _Pending) -> None:
        connection = await tx.connections.connect(
            team_id=begun.team_id,
            person_id=begun.person_id,
            provider=begun.provider,
            account=pending.account,
            scopes=pending.granted,
            secret=self._broker.seal(
                pending.tokens,
                team_id=begun.team_id,
                person_id=begun.person_id,
                provider=begun.provider,
            ),
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


def _check_begun(begun: OAuthState, provider: str, browser_secret: str) -> None:
    if begun.provider != provider:
        raise StateUnknownError
    if not hmac.compare_digest(begun.browser_hash, _digest(browser_secret)):
        raise OtherBrowserError


def _to_bytes(pending: _Pending) -> bytes:
    return pending.model_dump_json().encode()


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
