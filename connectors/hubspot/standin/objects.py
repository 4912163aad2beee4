from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from connectors.hubspot.standin.errors import HUB_ID, bad_request
from connectors.hubspot.standin.kinds import ASSOCIATION_TYPES, Kind, find_kind
from connectors.hubspot.standin.notify import Notifier
from connectors.hubspot.standin.records import Record, RecordBook
from connectors.hubspot.standin.search import SearchBody, search
from connectors.standin.app import Base
from connectors.standin.gate import note_key

_OBJECTS = "/crm/objects/2026-09/{kind}"


class _Vendors(BaseModel):
    """The vendor's clients send more than the stand-in reads."""

    model_config = ConfigDict(extra="ignore")


class AssociationType(_Vendors):
    associationCategory: Literal["HUBSPOT_DEFINED"]  # noqa: N815 (the vendor's name)
    associationTypeId: int  # noqa: N815 (the vendor's name)


class Target(_Vendors):
    id: str | int


class Association(_Vendors):
    to: Target
    types: list[AssociationType] = Field(min_length=1)


class ObjectInput(_Vendors):
    properties: dict[str, str | None]
    associations: list[Association] = Field(default_factory=list)


class UpsertInput(_Vendors):
    id: str
    idProperty: str  # noqa: N815 (the vendor's name)
    properties: dict[str, str | None]


class UpsertBody(_Vendors):
    inputs: list[UpsertInput] = Field(min_length=1, max_length=100)


class ObjectRoutes:
    """The CRM object endpoints: create, read, change, archive, upsert, search, associate."""

    def __init__(self, base: Base, books: dict[str, RecordBook]) -> None:
        self._base = base
        self._books = books
        self._notifier = Notifier(
            base.webhooks, base.store, client_secret=base.config.client_secret
        )

    def routes(self) -> list[BaseRoute]:
        one = _OBJECTS + "/{id}"
        link = one + "/associations/default/{other}/{other_id}"
        return [
            Route(_OBJECTS, self.handle_created, methods=["POST"]),
            Route(_OBJECTS + "/batch/upsert", self.handle_upserted, methods=["POST"]),
            Route(_OBJECTS + "/search", self.handle_searched, methods=["POST"]),
            Route(one, self.handle_read, methods=["GET"]),
            Route(one, self.handle_changed, methods=["PATCH"]),
            Route(one, self.handle_archived, methods=["DELETE"]),
            Route(link, self.handle_linked, methods=["PUT"]),
            Route(one + "/associations/{other}", self.handle_links_listed, methods=["GET"]),
        ]

    async def handle_created(self, request: Request) -> Response:
        book = self._admit(request, "write")
        body = await self._base.gate.read_json(request, ObjectInput)
        with self._base.store.transaction():
            record = book.create(body.properties)
            for wanted in body.associations:
                record = self._link(book, record, self._target(book.kind, wanted), wanted.to.id)
        self._notifier.created(book.kind, record.id)
        return JSONResponse(self._shown(book.kind, record), status_code=201)

    async def handle_read(self, request: Request) -> Response:
        book = self._admit(request, "read")
        query = request.query_params
        record = book.get(
            request.path_params["id"],
            id_property=query.get("idProperty"),
            is_archived=query.get("archived") == "true",
        )
        body = self._shown(book.kind, record, names=_names(query.getlist("properties")))
        wanted = [find_kind(name) for name in _names(query.getlist("associations"))]
        links = {kind.plural: _links(book.kind, kind, record) for kind in wanted if kind}
        if links:
            body["associations"] = links
        return JSONResponse(body)

    async def handle_changed(self, request: Request) -> Response:
        book = self._admit(request, "write")
        body = await self._base.gate.read_json(request, ObjectInput)
        key, id_property = request.path_params["id"], request.query_params.get("idProperty")
        record = book.update(book.get(key, id_property=id_property), body.properties)
        self._notifier.changed(book.kind, record.id, body.properties)
        return JSONResponse(self._shown(book.kind, record, names=tuple(body.properties)))

    async def handle_archived(self, request: Request) -> Response:
        book = self._admit(request, "write")
        book.archive(request.path_params["id"])
        self._notifier.archived(book.kind, request.path_params["id"])
        return Response(status_code=204)

    async def handle_upserted(self, request: Request) -> Response:
        """Upsert a batch, all or nothing; each result says whether its record is `new`."""
        book = self._admit(request, "write")
        body = await self._base.gate.read_json(request, UpsertBody)
        keys = [(one.idProperty, one.id.casefold()) for one in body.inputs]
        if len(set(keys)) != len(keys):
            raise bad_request("Duplicate IDs found in batch input")
        started = datetime.now(UTC)
        results = []
        with self._base.store.transaction():
            for one in body.inputs:
                note_key(request, f"{one.idProperty}={one.id}")
                record, is_new = book.upsert(
                    one.id, id_property=one.idProperty, values=one.properties
                )
                shown = self._shown(book.kind, record, names=tuple(one.properties))
                results.append({**shown, "new": is_new})
        return JSONResponse(_batch(results, started))

    async def handle_searched(self, request: Request) -> Response:
        book = self._admit(request, "read")
        body = await self._base.gate.read_json(request, SearchBody)
        found = search(book, body)
        first = int(body.after or 0)
        page = found[first : first + body.limit]
        answer: dict[str, Any] = {
            "total": len(found),
            "results": [self._shown(book.kind, r, names=tuple(body.properties)) for r in page],
        }
        if first + body.limit < len(found):
            answer["paging"] = {"next": {"after": str(first + body.limit)}}
        return JSONResponse(answer)

    async def handle_linked(self, request: Request) -> Response:
        book = self._admit(request, "write")
        other = self._book(request.path_params["other"])
        started = datetime.now(UTC)
        if (book.kind.plural, other.kind.plural) not in ASSOCIATION_TYPES:
            raise bad_request("No default association exists between these object types.")
        with self._base.store.transaction():
            record = book.get(request.path_params["id"])
            self._link(book, record, other, request.path_params["other_id"])
        ends = (record.id, request.path_params["other_id"])
        kinds = (book.kind.plural, other.kind.plural)
        return JSONResponse(_batch([_tie(kinds, ends), _tie(kinds[::-1], ends[::-1])], started))

    async def handle_links_listed(self, request: Request) -> Response:
        book = self._admit(request, "read")
        other = self._book(request.path_params["other"]).kind
        record = book.get(request.path_params["id"])
        types = ASSOCIATION_TYPES.get((book.kind.plural, other.plural), ())[:1]
        described = [{"category": "HUBSPOT_DEFINED", "typeId": t, "label": None} for t in types]
        ids = record.linked.get(other.plural, [])
        results = [{"toObjectId": int(key), "associationTypes": described} for key in ids]
        return JSONResponse({"results": results})

    def _admit(self, request: Request, right: str) -> RecordBook:
        book = self._book(request.path_params["kind"])
        self._base.gate.admit(request, f"crm.objects.{book.kind.plural}.{right}")
        return book

    def _book(self, name: str) -> RecordBook:
        kind = find_kind(name)
        if kind is None:
            raise bad_request(f"Unable to infer object type from: {name}")
        return self._books[kind.plural]

    def _target(self, kind: Kind, wanted: Association) -> RecordBook:
        """Return the book of the other end, which the type id alone tells."""
        for (plural, other), types in ASSOCIATION_TYPES.items():
            if plural == kind.plural and wanted.types[0].associationTypeId in types:
                return self._books[other]
        raise bad_request(f"Association type {wanted.types[0].associationTypeId} is invalid here.")

    def _link(
        self, book: RecordBook, record: Record, other: RecordBook, other_id: str | int
    ) -> Record:
        far = other.get(str(other_id))
        other.link(far, plural=book.kind.plural, other_id=record.id)
        return book.link(record, plural=other.kind.plural, other_id=far.id)

    def _shown(
        self, kind: Kind, record: Record, *, names: Sequence[str] | None = None
    ) -> dict[str, Any]:
        """Return the record as HubSpot does: always with its id and times, unset values null."""
        if names is None:
            wanted = [name for name, value in record.properties.items() if value is not None]
        else:
            wanted = [*(names or kind.shown), "createdate", "hs_object_id", kind.modified]
        values = {name: record.properties.get(name) for name in dict.fromkeys(wanted)}
        url = f"{self._base.config.base_url}/contacts/{HUB_ID}/record/{kind.type_id}/{record.id}"
        body: dict[str, Any] = {
            "id": record.id,
            "properties": dict(sorted(values.items())),
            "createdAt": record.created_at,
            "updatedAt": record.updated_at,
            "archived": record.is_archived,
            "url": url,
        }
        if record.archived_at is not None:
            body["archivedAt"] = record.archived_at
        return body


def _names(values: Sequence[str]) -> list[str]:
    return [name for value in values for name in value.split(",") if name]


def _links(kind: Kind, other: Kind, record: Record) -> dict[str, Any]:
    ids = record.linked.get(other.plural, [])
    name = f"{kind.singular}_to_{other.singular}"
    return {"results": [{"id": key, "type": name} for key in ids]}


def _tie(kinds: tuple[str, ...], ids: tuple[str, ...]) -> dict[str, Any]:
    type_id = ASSOCIATION_TYPES[kinds[0], kinds[1]][0]
    spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}
    return {"from": {"id": ids[0]}, "to": {"id": ids[1]}, "associationSpec": spec}


def _batch(results: list[dict[str, Any]], started: datetime) -> dict[str, Any]:
    return {
        "status": "COMPLETE",
        "results": results,
        "startedAt": started.isoformat(),
        "completedAt": datetime.now(UTC).isoformat(),
    }
