from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import BaseModel, Field

from connectors.hubspot.standin.errors import (
    BadValue,
    bad_id_property,
    bad_request,
    bad_values,
    contact_exists,
    missing_values,
    not_found,
)
from connectors.hubspot.standin.kinds import CONTACTS, DEALS, Kind, default_properties
from connectors.hubspot.standin.properties import PIPELINE, PropertyBook
from connectors.standin.store import Shelf, Store

_FIRST_ID = 31_000_000_001


class Record(BaseModel):
    """A contact, company or deal. `linked` holds associated ids by the other's plural."""

    id: str
    properties: dict[str, str | None]
    created_at: str
    updated_at: str
    archived_at: str | None = None
    linked: dict[str, list[str]] = Field(default_factory=dict)

    @property
    def is_archived(self) -> bool:
        return self.archived_at is not None


class RecordBook:
    """The records of one object type, with the vendor's rules for writing them.

    Reading by id or by a unique property is immediate; only search lags.
    """

    def __init__(self, store: Store, kind: Kind, *, search_lag_s: float) -> None:
        self.kind = kind
        self.properties = PropertyBook(store, plural=kind.plural, group=kind.group)
        self._store = store
        self._shelf = Shelf(store, Record, kind=f"record.{kind.plural}", search_lag_s=search_lag_s)

    def seed_properties(self) -> None:
        self.properties.seed(default_properties(self.kind))

    def list_(self) -> list[Record]:
        return self._shelf.list_()

    def list_indexed(self) -> list[Record]:
        return [record for record in self._shelf.list_indexed() if not record.is_archived]

    def get(self, key: str, *, id_property: str | None = None, is_archived: bool = False) -> Record:
        """Return the record by id, or by a unique property's value.

        Raises:
            RefusedError: There is none, or the property is not unique.
        """
        record = self._find_by(id_property, key) if id_property else self._shelf.find(key)
        if record is None or record.is_archived != is_archived:
            raise not_found()
        return record

    def create(self, values: Mapping[str, str | None], *, is_old: bool = False) -> Record:
        """Store a new record.

        Raises:
            RefusedError: A value is bad or missing, or a unique value is taken.
        """
        merged = dict(values)
        if self.kind is DEALS and merged.get("dealstage"):
            merged.setdefault("pipeline", PIPELINE)
        self.properties.check(merged)
        self._check_needed(merged)
        self._check_unique(merged, own_id=None)
        now = _now()
        number = str(self._store.count("record", first=_FIRST_ID))
        merged = self._normal(merged) | {"hs_object_id": number, self.kind.modified: now}
        merged.setdefault("createdate", now)
        record = Record(id=number, properties=merged, created_at=now, updated_at=now)
        self._shelf.put(number, record, is_old=is_old)
        return record

    def update(self, record: Record, values: Mapping[str, str | None]) -> Record:
        """Write the values over the record's.

        Raises:
            RefusedError: A value is bad, or a unique value is another record's.
        """
        self.properties.check(values)
        self._check_unique(values, own_id=record.id)
        now = _now()
        properties = record.properties | self._normal(values) | {self.kind.modified: now}
        changed = record.model_copy(update={"properties": properties, "updated_at": now})
        self._shelf.put(record.id, changed)
        return changed

    def upsert(
        self, key: str, *, id_property: str, values: Mapping[str, str | None]
    ) -> tuple[Record, bool]:
        """Update the record whose unique property has the value, or create it with that value.

        Returns:
            The record, and whether it is new.

        Raises:
            RefusedError: The property is not unique, or as in create and update.
        """
        if not key:
            raise bad_request("id must not be empty")
        found = self._find_by(id_property, key)
        wanted = dict(values) | {id_property: key}
        if found is None:
            return self.create(wanted), True
        return self.update(found, wanted), False

    def archive(self, key: str) -> None:
        """Archive the record; of an unknown or archived id, say nothing."""
        record = self._shelf.find(key)
        if record is not None and not record.is_archived:
            self._shelf.put(key, record.model_copy(update={"archived_at": _now()}))

    def link(self, record: Record, *, plural: str, other_id: str, is_old: bool = False) -> Record:
        """Note on this record that it is associated with the other."""
        ids = record.linked.get(plural, [])
        if other_id in ids:
            return record
        linked = record.linked | {plural: [*ids, other_id]}
        changed = record.model_copy(update={"linked": linked})
        self._shelf.put(record.id, changed, is_old=is_old)
        return changed

    def _find_by(self, name: str, value: str) -> Record | None:
        known = self.properties.find(name)
        if known is None or not known.hasUniqueValue:
            raise bad_id_property(self.kind.type_id, name)
        return self._holder(name, value)

    def _holder(self, name: str, value: str) -> Record | None:
        records = self._shelf.list_where(f"$.properties.{name}", value)
        return next((record for record in records if not record.is_archived), None)

    def _check_needed(self, values: Mapping[str, str | None]) -> None:
        kind = self.kind
        missing = [name for name in kind.needs_all if not values.get(name)]
        if kind.needs_any and not any(values.get(name) for name in kind.needs_any):
            missing += kind.needs_any
        if missing:
            raise missing_values(kind.singular.upper(), missing)

    def _check_unique(self, values: Mapping[str, str | None], *, own_id: str | None) -> None:
        for name, value in values.items():
            known = self.properties.find(name)
            if not value or known is None or not known.hasUniqueValue:
                continue
            holder = self._holder(name, value)
            if holder is None or holder.id == own_id:
                continue
            if self.kind is CONTACTS and name == "email":
                raise contact_exists(holder.id)
            message = f"{name}={value}: {holder.id} already has that value."
            raise bad_values([BadValue(name, "CONFLICTING_UNIQUE_VALUE", message)])

    def _normal(self, values: Mapping[str, str | None]) -> dict[str, str | None]:
        """Return the values as HubSpot keeps them: email in lower case, empty as null."""
        kept = {name: value or None for name, value in values.items()}
        if kept.get("email"):
            kept["email"] = str(kept["email"]).lower()
        return kept


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
