from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from connectors.hubspot.standin.errors import HUB_ID, not_found
from connectors.hubspot.standin.kinds import CURRENCIES, find_kind
from connectors.hubspot.standin.properties import Property, PropertyBook
from connectors.hubspot.standin.records import RecordBook
from connectors.hubspot.standin.vendor import user_id_of
from connectors.standin.app import Base
from connectors.standin.config import Account
from connectors.standin.gate import read_form

HUB_DOMAIN = "northwind.example"


class AccountRoutes:
    """Who the token belongs to, which account it is, who owns records, which properties exist."""

    def __init__(self, base: Base, books: dict[str, RecordBook]) -> None:
        self._base = base
        self._books = books

    def routes(self) -> list[BaseRoute]:
        properties = "/crm/properties/2026-09/{kind}"
        introspect = f"{self._base.vendor.oauth.paths.token}/introspect"
        return [
            Route(introspect, self.handle_introspected, methods=["POST"]),
            Route("/account-info/2026-09/details", self.handle_account_asked, methods=["GET"]),
            Route("/crm/owners/2026-09", self.handle_owners_listed, methods=["GET"]),
            Route(properties, self.handle_properties_listed, methods=["GET"]),
            Route(properties, self.handle_property_created, methods=["POST"]),
            Route(properties + "/{name}", self.handle_property_read, methods=["GET"]),
        ]

    async def handle_introspected(self, request: Request) -> Response:
        """Say whose the token is; of a dead one, only that.

        Source: https://developers.hubspot.com/docs/api-reference/2026-03/authentication/oauth-tokens/token-introspect
        """
        form = dict(await read_form(request))
        self._base.desk.check_client(form)
        caller = self._base.desk.introspect(form.get("token", ""))
        if caller is None:
            return JSONResponse({"active": False})
        answer = {
            "active": True,
            "token_use": "access_token",
            "token_type": "bearer",
            "client_id": form["client_id"],
            "hub_id": HUB_ID,
            "hub_domain": HUB_DOMAIN,
            "user_id": user_id_of(caller.account),
            "user": caller.account.email,
            "scopes": list(caller.scopes),
            "expires_in": int(caller.seconds_left),
        }
        return JSONResponse(answer)

    async def handle_account_asked(self, request: Request) -> Response:
        self._base.gate.admit(request)
        home, *others = CURRENCIES
        answer = {
            "portalId": HUB_ID,
            "accountType": "STANDARD",
            "timeZone": "Europe/Berlin",
            "companyCurrency": home,
            "additionalCurrencies": others,
            "utcOffset": "+01:00",
            "uiDomain": self._base.config.base_url.partition("://")[2],
        }
        return JSONResponse(answer)

    async def handle_owners_listed(self, request: Request) -> Response:
        self._base.gate.admit(request, "crm.objects.owners.read")
        email = request.query_params.get("email")
        accounts = [a for a in self._base.config.accounts if email in (None, a.email)]
        return JSONResponse({"results": [_owner(account) for account in accounts]})

    async def handle_properties_listed(self, request: Request) -> Response:
        book = self._read_properties(request)
        return JSONResponse({"results": [_shown(one) for one in book.list_()]})

    async def handle_property_read(self, request: Request) -> Response:
        book = self._read_properties(request)
        return JSONResponse(_shown(book.get(request.path_params["name"])))

    async def handle_property_created(self, request: Request) -> Response:
        plural = self._plural(request)
        self._base.gate.admit(request, f"crm.schemas.{plural}.write")
        wanted = await self._base.gate.read_json(request, Property)
        made = self._books[plural].properties.create(wanted)
        return JSONResponse(_shown(made), status_code=201)

    def _read_properties(self, request: Request) -> PropertyBook:
        plural = self._plural(request)
        scopes = (f"crm.schemas.{plural}.read", f"crm.objects.{plural}.read")
        self._base.gate.admit(request, *scopes)
        return self._books[plural].properties

    @staticmethod
    def _plural(request: Request) -> str:
        kind = find_kind(request.path_params["kind"])
        if kind is None:
            raise not_found("object type")
        return kind.plural


def _owner(account: Account) -> dict[str, Any]:
    first, _, last = account.name.partition(" ")
    user_id = user_id_of(account)
    return {
        "id": str(user_id),
        "userId": user_id,
        "email": account.email,
        "firstName": first,
        "lastName": last,
        "archived": False,
    }


def _shown(one: Property) -> dict[str, Any]:
    body = one.model_dump(exclude={"readOnly"})
    body["modificationMetadata"] = {"readOnlyValue": one.readOnly}
    return body
