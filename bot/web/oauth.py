"""The pages that connect a provider: from Slack's link, over the provider, to a confirmation."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.web.forms import read_form
from bot.web.pages import HEADERS, render_message, render_page
from connectors.errors import ConnectorError
from connectors.manifest import Manifest
from connectors.oauth import Fetched, OAuthFlow
from connectors.settings import ProviderSettings
from storage.database import Database
from storage.tables.connections import Link
from storage.tables.people import Person

COOKIE = "countersign_connect"
COOKIE_LIVES_S = 900
LINK_KIND = "connect"
_GONE = 410
_BAD_REQUEST = 400

OnConnected: TypeAlias = Callable[[Fetched], Awaitable[None]]


class ConnectPages:
    """Connects providers for people who came from Slack."""

    def __init__(
        self,
        *,
        flow: OAuthFlow,
        database: Database,
        providers: Mapping[str, ProviderSettings],
        on_connected: OnConnected,
        is_https: bool,
    ) -> None:
        self._flow = flow
        self._database = database
        self._providers = providers
        self._on_connected = on_connected
        self._is_https = is_https

    def routes(self) -> list[Route]:
        """Return the routes to mount."""
        return [
            Route("/connect/{token}", self.show, methods=["GET"]),
            Route("/connect/{token}", self.begin, methods=["POST"]),
            Route("/oauth/{provider}/callback", self.callback, methods=["GET"]),
            Route("/oauth/{provider}/confirm", self.confirm, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Say who comes from Slack, and what the provider will be asked for."""
        link = await self._link(request)
        if link is None:
            return _gone()
        person, team = await self._identity(link.team_id, link.person_id)
        settings = self._providers[link.data["provider"]]
        page = render_page(
            "connect.html",
            title=settings.manifest.title,
            person=person.name,
            team=team,
            scopes=scope_words(settings.manifest, link.data["scopes"]),
        )
        # The form's answer leads on to the provider, and from there perhaps to its regional host
        # or a company's own sign-in: browsers hold the whole chain against the policy.
        target = urlsplit(settings.authorize_url)
        page.headers["content-security-policy"] = HEADERS["Content-Security-Policy"].replace(
            "form-action 'self'", f"form-action 'self' {target.scheme}://{target.netloc} https:"
        )
        return page

    async def begin(self, request: Request) -> Response:
        """Begin the flow in this browser and lead it on to the provider."""
        link = await self._link(request)
        if link is None:
            return _gone()
        try:
            begun = await self._flow.begin(
                team_id=link.team_id,
                person_id=link.person_id,
                provider=link.data["provider"],
                scopes=frozenset(link.data["scopes"]),
                goal_id=link.data["goal_id"],
            )
        except ConnectorError as error:
            return render_message("Not possible yet", error.message, status=_BAD_REQUEST)
        response = RedirectResponse(begun.url, status_code=303)
        response.set_cookie(
            COOKIE,
            begun.browser_secret,
            max_age=COOKIE_LIVES_S,
            # One for each provider: two may be connected side by side in one browser.
            path=f"/oauth/{link.data['provider']}",
            secure=self._is_https,
            httponly=True,
            samesite="lax",
        )
        return response

    async def callback(self, request: Request) -> Response:
        """Take the provider's answer and ask whether both identities are the person's."""
        provider = request.path_params["provider"]
        try:
            fetched = await self._flow.fetch(
                provider,
                query=dict(request.query_params),
                browser_secret=request.cookies.get(COOKIE, ""),
            )
        except ConnectorError as error:
            return render_message("Not connected", error.message, status=_BAD_REQUEST)
        person, team = await self._identity(fetched.team_id, fetched.person_id)
        manifest = self._providers[provider].manifest
        return render_page(
            "confirm.html",
            provider=provider,
            title=manifest.title,
            person=person.name,
            team=team,
            account=fetched.account,
            scopes=scope_words(manifest, fetched.scopes),
            missing=scope_words(manifest, fetched.missing),
            state=request.query_params["state"],
        )

    async def confirm(self, request: Request) -> Response:
        """Store the connection that the person confirmed, and let their goals go on."""
        form = await read_form(request)
        provider = request.path_params["provider"]
        try:
            fetched = await self._flow.confirm(
                provider,
                state=form.get("state", ""),
                browser_secret=request.cookies.get(COOKIE, ""),
                is_right=form.get("answer") == "yes",
            )
        except ConnectorError as error:
            return render_message("Not connected", error.message, status=_BAD_REQUEST)
        title = self._providers[provider].manifest.title
        if fetched is None:
            return render_message(
                "Not connected", "Nothing was stored, and the access was given back."
            )
        await self._on_connected(fetched)
        return render_message(
            f"{title} is connected",
            f"Countersign now works as {fetched.account}, and goes on with what waited for it.",
            remedy="You can close this page and go back to Slack.",
        )

    async def _link(self, request: Request) -> Link | None:
        digest = hashlib.sha256(request.path_params["token"].encode()).hexdigest()
        async with self._database.transaction() as tx:
            link = await tx.links.find(digest, kind=LINK_KIND)
        return link if link is not None and link.data["provider"] in self._providers else None

    async def _identity(self, team_id: str, person_id: str) -> tuple[Person, str]:
        async with self._database.transaction() as tx:
            person = await tx.people.get(team_id, person_id)
            team = await tx.people.find_team(team_id)
        return person, team.name if team else ""


def scope_words(manifest: Manifest, scopes: object) -> list[str]:
    """Return what scopes allow, in plain words, without those that only name the account."""
    asked = scopes if isinstance(scopes, list | tuple | set | frozenset) else ()
    named = set(asked) & set(manifest.scopes) - set(manifest.oauth.base_scopes)
    return [manifest.scopes[scope] for scope in sorted(named)]


def _gone() -> Response:
    return render_message(
        "This link has ended",
        "It was meant for one person and a short time.",
        remedy="Go back to Slack and press Connect again, or open Countersign's Home there.",
        status=_GONE,
    )
