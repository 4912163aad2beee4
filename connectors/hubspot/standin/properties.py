import re
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from connectors.hubspot.standin.errors import BadValue, bad_request, bad_values, error, not_found
from connectors.standin.store import Shelf, Store

PropertyType = Literal["string", "number", "date", "datetime", "enumeration", "bool"]

MAX_UNIQUE_PROPERTIES = 10
"""Per object. Source: https://developers.hubspot.com/docs/api-reference/latest/crm/properties/guide"""

PIPELINE = "default"
STAGES = {
    "appointmentscheduled": "Appointment scheduled",
    "qualifiedtobuy": "Qualified to buy",
    "presentationscheduled": "Presentation scheduled",
    "decisionmakerboughtin": "Decision maker bought-in",
    "contractsent": "Contract sent",
    "closedwon": "Closed won",
    "closedlost": "Closed lost",
}
"""The stages of HubSpot's default deal pipeline, in order."""


class Property(BaseModel):
    """A property (field) of an object type, in HubSpot's shape."""

    model_config = ConfigDict(extra="ignore")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,99}$")
    label: str = Field(min_length=1)
    type: PropertyType = "string"
    fieldType: str = "text"  # noqa: N815 (the vendor's name)
    groupName: str  # noqa: N815 (the vendor's name)
    description: str = ""
    hasUniqueValue: bool = False  # noqa: N815 (the vendor's name)
    options: list[dict[str, str | int | bool]] = Field(default_factory=list)
    hubspotDefined: bool = False  # noqa: N815 (the vendor's name)
    readOnly: bool = False  # noqa: N815 (the vendor's name)

    def allowed(self) -> list[str]:
        return [str(option["value"]) for option in self.options]


class PropertyBook:
    """The properties of one object type: HubSpot's own, and those that were added."""

    def __init__(self, store: Store, *, plural: str, group: str) -> None:
        self._shelf = Shelf(store, Property, kind=f"property.{plural}")
        self._group = group

    def list_(self) -> list[Property]:
        return self._shelf.list_()

    def find(self, name: str) -> Property | None:
        return self._shelf.find(name)

    def get(self, name: str) -> Property:
        found = self._shelf.find(name)
        if found is None:
            raise not_found(f'property "{name}"')
        return found

    def create(self, wanted: Property) -> Property:
        """Add a property.

        Raises:
            RefusedError: The name is taken, the group unknown, or too many are unique.
        """
        if wanted.groupName != self._group:
            raise bad_request(f'property group "{wanted.groupName}" does not exist')
        if self._shelf.find(wanted.name) is not None:
            message = f"A property named '{wanted.name}' already exists."
            raise error(409, "OBJECT_ALREADY_EXISTS", message)
        unique = [p for p in self.list_() if p.hasUniqueValue and not p.hubspotDefined]
        if wanted.hasUniqueValue and len(unique) >= MAX_UNIQUE_PROPERTIES:
            raise bad_request("The limit of unique properties is reached.")
        made = wanted.model_copy(update={"hubspotDefined": False, "readOnly": False})
        self._shelf.put(made.name, made)
        return made

    def seed(self, properties: list[Property]) -> None:
        for one in properties:
            self._shelf.put(one.name, one, is_old=True)

    def check(self, values: Mapping[str, str | None]) -> None:
        """Check that each value may be written.

        Raises:
            RefusedError: A property does not exist or is read-only, or a value has a wrong form.
        """
        bad = [why for name, value in values.items() if (why := self._bad(name, value))]
        if bad:
            raise bad_values(bad)

    def _bad(self, name: str, value: str | None) -> BadValue | None:
        known = self._shelf.find(name)
        if known is None:
            message = f'Property "{name}" does not exist'
            return BadValue(name, "PROPERTY_DOESNT_EXIST", message)
        if known.readOnly:
            message = f'"{name}" is a read only property; its value cannot be set.'
            return BadValue(name, "READ_ONLY_VALUE", message)
        if not value:
            return None  # Empty clears the property.
        if known.type == "enumeration" and value not in known.allowed():
            message = f"{value} was not one of the allowed options: {known.allowed()}"
            return BadValue(name, "INVALID_OPTION", message)
        return _bad_form(known, value)


def _bad_form(known: Property, value: str) -> BadValue | None:
    if known.type == "number" and not re.fullmatch(r"-?\d+(\.\d+)?", value):
        return BadValue(known.name, "INVALID_NUMBER", f"{value} was not a valid number.")
    if known.type in ("date", "datetime") and not _is_time(value):
        return BadValue(known.name, "INVALID_DATE", f"{value} was not a valid date.")
    if known.name == "email" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", value):
        return BadValue(known.name, "INVALID_EMAIL", f"Email address {value} is invalid")
    return None


def _is_time(value: str) -> bool:
    """Return whether HubSpot reads it: ISO 8601, or milliseconds since 1970."""
    if re.fullmatch(r"\d{10,14}", value):
        return True
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
