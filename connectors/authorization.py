"""The authorization-code grant with PKCE: where a browser is sent, and what its answer is worth."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import httpx2
from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuthError

from connectors.egress import Egress, client_options
from connectors.errors import ConnectorError
from connectors.oauth_errors import ConsentDeniedError, ExchangeFailedError, IssuerMismatchError
from connectors.settings import ProviderSettings
from connectors.tokens import Grant, read_grant

Query: TypeAlias = Mapping[str, str]
"""The query parameters of a provider's callback."""


class Authorization:
    """Speaks the grant through Authlib, and through our egress alone. PKCE is always S256 (S23)."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress

    async def url(
        self,
        settings: ProviderSettings,
        *,
        redirect_uri: str,
        scopes: Iterable[str],
        state: str,
        verifier: str,
        login_hint: str | None,
    ) -> str:
        """Return where to send the browser; nothing is sent from here."""
        hint = {"login_hint": login_hint} if login_hint else {}
        async with self._client(settings, redirect_uri) as client:
            url, _ = client.create_authorization_url(
                settings.authorize_url,
                scope=" ".join(sorted(scopes)),
                state=state,
                code_verifier=verifier,
                **hint,
                **settings.manifest.oauth.authorize_parameters,
            )
        return str(url)

    async def exchange(
        self, settings: ProviderSettings, *, redirect_uri: str, code: str, verifier: str
    ) -> Grant:
        """Return what a code is worth; our own reading of the answer decides, not Authlib's.

        Authlib accepts a 4xx without an `error` key as a token, and HubSpot sends those.

        Raises:
            ExchangeFailedError: the provider gave no token.
        """
        answers: list[httpx2.Response] = []

        def keep(answer: httpx2.Response) -> httpx2.Response:
            answers.append(answer)
            return answer

        async with self._client(settings, redirect_uri) as client:
            client.register_compliance_hook("access_token_response", keep)
            try:
                await client.fetch_token(
                    settings.token_url,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=verifier,
                )
            except (OAuthError, httpx2.HTTPError, ConnectorError, ValueError) as error:
                raise ExchangeFailedError(settings.manifest.title) from error
        grant = read_grant(answers[0])
        if grant is None:
            raise ExchangeFailedError(settings.manifest.title)
        return grant

    def _client(self, settings: ProviderSettings, redirect_uri: str) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            token_endpoint_auth_method="client_secret_post",  # noqa: S106 -- a method's name
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            transport=self._egress.transport(settings),
            **client_options(),
        )


def check_callback(settings: ProviderSettings, query: Query) -> None:
    """Refuse an answer that names another issuer (RFC 9207), a denial, or one without a code.

    Raises:
        OAuthFlowError: its kinds say which.
    """
    title = settings.manifest.title
    if query.get("iss", settings.issuer) != settings.issuer:
        raise IssuerMismatchError(title)
    if query.get("error") == "access_denied":
        raise ConsentDeniedError(title)
    if "error" in query or not query.get("code"):
        raise ExchangeFailedError(title)
