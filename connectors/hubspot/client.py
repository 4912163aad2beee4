"""HubSpot's API, one method a call; ids are digits, checked by the argument models."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from connectors.actions import Http, HttpResponse
from connectors.errors import OutcomeUnknownError, RejectedError, RetryLaterError
from connectors.hubspot.wire import Account, Found, Property, Record, refusal_of
from connectors.manifest import Manifest

MANIFEST = Manifest.load(Path(__file__).with_name("manifest.toml"))

Kind: TypeAlias = Literal["contacts", "companies", "deals"]
Answer = TypeVar("Answer", bound=BaseModel)

KEY_PROPERTY = "countersign_key"
"""The unique property that makes a create repeatable; it holds the key of the frozen call."""

PAGE_SIZE = 50
MODIFIED_PAGE_SIZE = 200
"""The most that a search gives at once."""

MODIFIED = "hs_lastmodifieddate"
_OBJECTS = "/crm/objects/2026-09"
_PROPERTIES = "/crm/properties/2026-09"
_BAD_REQUESTS = range(400, 500)

_COMPANY_OF: Mapping[str, int] = {"contacts": 279, "deals": 341}
"""Association type ids from a record to its company, without a label.

Source: https://developers.hubspot.com/docs/api-reference/latest/crm/associations/overview
"""


class HubSpotClient:
    """One person's HubSpot. Refusals become errors that say what the person can do.

    Every method may raise what `Http.request` raises, RejectedError for what HubSpot refuses, and
    ReconnectRequiredError where a scope is missing.
    """

    def __init__(self, http: Http) -> None:
        self._http = http

    async def search(
        self,
        kind: Kind,
        *,
        properties: Sequence[str],
        query: str | None = None,
        company_ids: Sequence[str] = (),
        limit: int = PAGE_SIZE,
    ) -> Found:
        """Return the first page of matches. HubSpot's index lags behind changes by seconds.

        Of `company_ids` (at most five) only records associated with one of them count.

        Source: https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm
        """
        body: dict[str, Any] = {"properties": list(properties), "limit": limit}
        if query is not None:
            body["query"] = query
        if company_ids:
            body["filterGroups"] = [{"filters": [_is_of(company)]} for company in company_ids]
        answer = await self._request("POST", f"{_OBJECTS}/{kind}/search", json=body, reads=True)
        return _parse(answer, Found, reads=True)

    async def list_modified(self, kind: Kind, *, since_ms: int | None) -> Found:
        """Return the records that were modified since, the newest change first; one page.

        Without an instant only the newest one of all.
        Source: https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm
        """
        body: dict[str, Any] = {
            "properties": [MODIFIED],
            "limit": 1 if since_ms is None else MODIFIED_PAGE_SIZE,
            "sorts": [{"propertyName": MODIFIED, "direction": "DESCENDING"}],
        }
        if since_ms is not None:
            since = {"propertyName": MODIFIED, "operator": "GTE", "value": str(since_ms)}
            body["filterGroups"] = [{"filters": [since]}]
        answer = await self._request("POST", f"{_OBJECTS}/{kind}/search", json=body, reads=True)
        return _parse(answer, Found, reads=True)

    async def get(
        self,
        kind: Kind,
        key: str,
        *,
        properties: Sequence[str],
        id_property: str | None = None,
        archived: bool = False,
    ) -> Record:
        """Return a record by id or unique property; this reads what was written a moment ago."""
        params = {"properties": ",".join(properties)}
        if id_property is not None:
            params["idProperty"] = id_property
        if archived:
            params["archived"] = "true"
        path = f"{_OBJECTS}/{kind}/{quote(key, safe='')}"
        answer = await self._request("GET", path, params=params)
        return _parse(answer, Record, reads=True)

    async def find(
        self,
        kind: Kind,
        key: str,
        *,
        properties: Sequence[str],
        id_property: str | None = None,
        archived: bool = False,
    ) -> Record | None:
        """Return a record as `get`, or None where there is none."""
        try:
            return await self.get(
                kind,
                key,
                properties=properties,
                id_property=id_property,
                archived=archived,
            )
        except RejectedError as error:
            if error.kind == "not_found":
                return None
            raise

    async def create(
        self, kind: Kind, properties: Mapping[str, str], *, company_id: str | None
    ) -> Record:
        """Create a record, associated with a company in the same request.

        A repetition makes a second one, unless a unique property among `properties` prevents it.
        """
        body: dict[str, Any] = {"properties": dict(properties)}
        if company_id is not None:
            spec = {
                "associationCategory": "HUBSPOT_DEFINED",
                "associationTypeId": _COMPANY_OF[kind],
            }
            body["associations"] = [{"to": {"id": company_id}, "types": [spec]}]
        answer = await self._request("POST", f"{_OBJECTS}/{kind}", json=body)
        return _parse(answer, Record, reads=False)

    async def update(self, kind: Kind, key: str, properties: Mapping[str, str]) -> Record:
        """Write properties; an empty text clears one."""
        path = f"{_OBJECTS}/{kind}/{key}"
        answer = await self._request("PATCH", path, json={"properties": dict(properties)})
        return _parse(answer, Record, reads=False)

    async def archive(self, kind: Kind, key: str) -> None:
        """Archive a record; people can restore it for 90 days, in HubSpot only."""
        await self._request("DELETE", f"{_OBJECTS}/{kind}/{key}")

    async def account(self) -> Account:
        """Return what the account counts money in."""
        answer = await self._request("GET", "/account-info/2026-09/details")
        return _parse(answer, Account, reads=True)

    async def find_property(self, kind: Kind, name: str) -> Property | None:
        """Return a property's definition, or None where the account has none of that name."""
        try:
            answer = await self._request("GET", f"{_PROPERTIES}/{kind}/{name}")
        except RejectedError as error:
            if error.kind == "not_found":
                return None
            raise
        return _parse(answer, Property, reads=True)

    async def create_property(self, kind: Kind, definition: Mapping[str, Any]) -> None:
        """Add a property to every record of a kind."""
        await self._request("POST", f"{_PROPERTIES}/{kind}", json=dict(definition))

    async def _request(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        json: Any = None,
        reads: bool = False,
    ) -> HttpResponse:
        answer = await self._http.request(method, path, params=params, json=json, reads=reads)
        status = answer.status_code
        if status in _BAD_REQUESTS:
            raise refusal_of(status, _json(answer), declared=frozenset(MANIFEST.scopes))
        return answer


def _is_of(company_id: str) -> dict[str, str]:
    return {"propertyName": "associations.company", "operator": "EQ", "value": company_id}


def _json(answer: HttpResponse) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _parse(answer: HttpResponse, model: type[Answer], *, reads: bool) -> Answer:
    """Return the answer as the model.

    Raises:
        RetryLaterError: a read was answered with something else.
        OutcomeUnknownError: a write was, so it may have taken effect.
    """
    try:
        return model.model_validate(_json(answer))
    except ValidationError as error:
        message = "HubSpot answered with something that is not its usual form."
        if reads:
            raise RetryLaterError(message) from error
        raise OutcomeUnknownError(message) from error
