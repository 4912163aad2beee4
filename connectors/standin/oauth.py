from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from connectors.standin.authorize import Authorizer, BadAuthorizationError
from connectors.standin.gate import read_form
from connectors.standin.pages import Pages
from connectors.standin.tokens import TokenDesk
from connectors.standin.vendor import Refusal, Vendor

_NO_STORE = {"Cache-Control": "no-store"}
"""Source: RFC 6749, section 5.1."""


class OAuthRoutes:
    """The authorization server over HTTP: consent page, token and revocation endpoints."""

    def __init__(
        self, vendor: Vendor, *, authorizer: Authorizer, desk: TokenDesk, pages: Pages
    ) -> None:
        self._vendor = vendor
        self._authorizer = authorizer
        self._desk = desk
        self._pages = pages

    def routes(self) -> list[Route]:
        paths = self._vendor.oauth.paths
        return [
            Route(paths.authorize, self.handle_asked, methods=["GET"]),
            Route(paths.authorize, self.handle_decided, methods=["POST"]),
            Route(paths.token, self.handle_token_requested, methods=["POST"]),
            Route(paths.revoke, self.handle_revoked, methods=["POST"]),
        ]

    async def handle_asked(self, request: Request) -> Response:
        try:
            consent = self._authorizer.begin(request.query_params)
        except BadAuthorizationError as err:
            return self._pages.message("This cannot be allowed", err.reason, status=400)
        return self._pages.consent(consent, action=self._vendor.oauth.paths.authorize)

    async def handle_decided(self, request: Request) -> Response:
        """Take the consent form: `request`, `account`, `scope` (repeated) and `decision`."""
        fields = await read_form(request)
        form = dict(fields)
        try:
            target = self._authorizer.decide(
                form.get("request", ""),
                account=form.get("account", ""),
                scopes=tuple(value for name, value in fields if name == "scope"),
                is_allowed=form.get("decision") == "allow",
            )
        except BadAuthorizationError as err:
            return self._pages.message("This cannot be allowed", err.reason, status=400)
        return RedirectResponse(target, status_code=303, headers=_NO_STORE)

    async def handle_token_requested(self, request: Request) -> Response:
        issued = self._desk.exchange(await self._form(request))
        request.state.account = issued.account.email
        return JSONResponse(self._vendor.token_body(issued), headers=_NO_STORE)

    async def handle_revoked(self, request: Request) -> Response:
        """Revoke a token, as RFC 7009 says; where it is public, an unknown token is refused."""
        is_public = self._vendor.oauth.is_revoke_public
        form = dict(request.query_params) if is_public else {}
        form |= dict(await read_form(request))
        if not is_public:
            self._desk.check_client(form)
        if not self._desk.revoke(form.get("token", "")) and is_public:
            raise self._vendor.refusal(Refusal.UNKNOWN_TOKEN)
        return JSONResponse({})

    async def _form(self, request: Request) -> Mapping[str, str]:
        fields = await read_form(request)
        names = [name for name, _ in fields]
        if not fields or len(names) != len(set(names)):
            raise self._vendor.refusal(Refusal.BAD_TOKEN_REQUEST, detail="form body")
        return dict(fields)
