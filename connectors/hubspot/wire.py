"""HubSpot's answers as far as they are read, and what its refusals mean."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.errors import ConnectorError, ReconnectRequiredError, RejectedError

PROVIDER = "hubspot"


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Record(_Wire):
    """A contact, company or deal; every property is text or null."""

    id: str
    properties: dict[str, str | None]
    url: str | None = None

    def read(self, name: str) -> str | None:
        """Return a property; an empty one is null."""
        return self.properties.get(name) or None


class Found(_Wire):
    """A page of search results."""

    total: int
    results: list[Record]


class Account(_Wire):
    """What the account counts money in."""

    companyCurrency: str  # noqa: N815 -- the vendor's name
    additionalCurrencies: list[str] = Field(default_factory=list)  # noqa: N815 -- as above


class Property(_Wire):
    hasUniqueValue: bool = False  # noqa: N815 -- the vendor's name


class _Detail(_Wire):
    message: str = ""
    code: str | None = None
    context: dict[str, Any] = Field(default_factory=dict)

    def named(self, key: str) -> list[str]:
        values = self.context.get(key)
        return [str(value) for value in values] if isinstance(values, list) else []


class _Refusal(_Wire):
    category: str | None = None
    errors: list[_Detail] = Field(default_factory=list)

    def named(self, key: str) -> list[str]:
        return [value for one in self.errors for value in one.named(key)]

    @property
    def codes(self) -> set[str | None]:
        return {one.code for one in self.errors}


_FIELDS = {
    "dealname": ("name", "the deal's name"),
    "dealstage": ("stage", "the stage"),
    "amount": ("amount", "the amount"),
    "deal_currency_code": ("currency", "the currency"),
    "email": ("email", "the e-mail address"),
    "firstname": ("first_name", "the first name"),
    "lastname": ("last_name", "the last name"),
}
"""Properties that we write: our argument, and our words. A name of HubSpot's is never repeated."""

_OPTIONS = re.compile(r"allowed options: \[(?P<options>.*)\]", re.DOTALL)
_OPTION = re.compile(r"(?:value: ?)?[\"']?(?P<value>[A-Za-z0-9_-]{1,64})[\"']?")
"""An option's value, quoted or bare, or after its label; everything else of HubSpot's text, such
as a label, is no value and is left out."""

_KINDS = {404: "not_found", 409: "conflict", 410: "not_found", 412: "changed", 403: "forbidden"}

_SENTENCES = {
    "not_found": "HubSpot has no such record (any more). Search for it again.",
    "conflict": "HubSpot already has a record with this value. Use that one, or change the value.",
    "changed": "Somebody changed the record in HubSpot meanwhile. Look at it and ask again.",
    "forbidden": (
        "HubSpot does not let you do this. Ask who administers your HubSpot account for the right."
    ),
}


def refusal_of(status: int, body: object, *, declared: frozenset[str]) -> ConnectorError:
    """Return what a refused request means for the person; no text of HubSpot's is repeated.

    Args:
        status: from 400 to 499, without 401 and 429.
        body: the parsed answer, or None where it was not JSON.
        declared: our scopes; HubSpot may name others that would do as well.

    Source: https://developers.hubspot.com/docs/api-reference/error-handling
    """
    try:
        refusal = _Refusal.model_validate(body)
    except ValidationError:
        refusal = _Refusal()
    if refusal.category == "MISSING_SCOPES":
        return ReconnectRequiredError(
            "Your HubSpot connection does not allow this yet. Connect it again and agree to it.",
            provider=PROVIDER,
            missing_scopes=frozenset(refusal.named("requiredGranularScopes")) & declared,
        )
    kind = _KINDS.get(status, "invalid")
    if "CONFLICTING_UNIQUE_VALUE" in refusal.codes:
        kind = "conflict"
    names = refusal.named("propertyName") + refusal.named("properties")
    fields = list(dict.fromkeys(_FIELDS[name] for name in names if name in _FIELDS))
    return RejectedError(
        _SENTENCES.get(kind) or _invalid([what for _, what in fields]),
        kind=kind,
        fields=tuple(name for name, _ in fields),
        allowed=_allowed(refusal),
    )


def _invalid(fields: Sequence[str]) -> str:
    if not fields:
        return "HubSpot does not accept these values. Change them and ask again."
    return f"HubSpot does not accept {' and '.join(fields)}. Give another value."


def _allowed(refusal: _Refusal) -> dict[str, tuple[str, ...]]:
    """Return the values that HubSpot names as accepted, for arguments that take one of a set.

    They stand in the sentence of the error alone; where it is another one, none are offered.

    Source: https://github.com/gregorspan/csc-frodx/issues/21 (a recorded answer)
    """
    found: dict[str, tuple[str, ...]] = {}
    for one in refusal.errors:
        listed = _OPTIONS.search(one.message)
        names = [_FIELDS[name][0] for name in one.named("propertyName") if name in _FIELDS]
        if one.code != "INVALID_OPTION" or listed is None or not names:
            continue
        parts = (part.strip() for part in re.split(r"[,\n]", listed["options"]))
        options = (_OPTION.fullmatch(part) for part in parts)
        found[names[0]] = tuple(option["value"] for option in options if option)
    return found


def given(values: Mapping[str, str | None]) -> dict[str, str]:
    """Return the values that are given, for a body; null ones are not written."""
    return {name: value for name, value in values.items() if value is not None}
