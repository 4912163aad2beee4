from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from connectors.hubspot.standin.account import AccountRoutes
from connectors.hubspot.standin.errors import HUB_ID
from connectors.hubspot.standin.kinds import KINDS, Kind, find_kind
from connectors.hubspot.standin.objects import ObjectRoutes
from connectors.hubspot.standin.records import Record, RecordBook
from connectors.hubspot.standin.seeds import seed
from connectors.hubspot.standin.vendor import HubSpotVendor
from connectors.standin.app import Base, build_app
from connectors.standin.config import StandinConfig
from connectors.standin.pages import Row


def build_standin(config: StandinConfig) -> Starlette:
    """Return HubSpot's stand-in, with yesterday's data or, the first time, the demo's."""
    return build_app(config, HubSpotVendor(), make_service=HubSpotService)


class HubSpotService:
    """The CRM of one made-up HubSpot account, its API and its pages."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._books = {
            kind.plural: RecordBook(base.store, kind, search_lag_s=base.config.search_lag_s)
            for kind in KINDS
        }

    def seed(self) -> None:
        seed(self._books, is_prepared=self._base.config.is_prepared)

    def snapshot(self) -> Mapping[str, object]:
        """Return all records, archived ones too, and the properties that were added."""
        added = {
            plural: [p.name for p in book.properties.list_() if not p.hubspotDefined]
            for plural, book in self._books.items()
        }
        records = {
            plural: [record.model_dump() for record in book.list_()]
            for plural, book in self._books.items()
        }
        return {**records, "added_properties": added}

    def routes(self) -> list[BaseRoute]:
        page = f"/contacts/{HUB_ID}/record/{{type_id}}/{{id}}"
        return [
            *ObjectRoutes(self._base, self._books).routes(),
            *AccountRoutes(self._base, self._books).routes(),
            Route("/", self.handle_home_opened, methods=["GET"]),
            Route(page, self.handle_record_opened, methods=["GET"]),
        ]

    async def handle_home_opened(self, _request: Request) -> Response:
        sections = {
            kind.plural.capitalize(): [
                Row(record.id, _title(kind, record), href=_path(kind, record.id))
                for record in self._books[kind.plural].list_()
                if not record.is_archived
            ]
            for kind in reversed(KINDS)
        }
        return self._base.pages.table("Northwind's records", sections)

    async def handle_record_opened(self, request: Request) -> Response:
        """Show one record, as the link in a result promises."""
        kind = find_kind(request.path_params["type_id"])
        records = self._books[kind.plural].list_() if kind else []
        record = next((r for r in records if r.id == request.path_params["id"]), None)
        if kind is None or record is None:
            return self._base.pages.message("No such record", "It never existed.", status=404)
        values = [Row(name, value) for name, value in record.properties.items() if value]
        sections = {"Properties": values}
        for plural, ids in record.linked.items():
            sections[plural.capitalize()] = self._links(plural, ids)
        note = "Archived." if record.is_archived else ""
        return self._base.pages.table(_title(kind, record), sections, note=note)

    def _links(self, plural: str, ids: list[str]) -> list[Row]:
        book = self._books[plural]
        found = {record.id: record for record in book.list_()}
        return [Row(key, _title(book.kind, found[key]), href=_path(book.kind, key)) for key in ids]


def _title(kind: Kind, record: Record) -> str:
    parts = [record.properties.get(name) for name in kind.title]
    return " ".join(part for part in parts if part) or record.properties.get("email") or record.id


def _path(kind: Kind, key: str) -> str:
    return f"/contacts/{HUB_ID}/record/{kind.type_id}/{key}"
