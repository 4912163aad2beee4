import re
from collections.abc import Callable
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from connectors.hubspot.standin.errors import bad_request
from connectors.hubspot.standin.kinds import KINDS
from connectors.hubspot.standin.records import Record, RecordBook

MAX_PAGE = 200
MAX_GROUPS = 5
MAX_FILTERS_PER_GROUP = 6
MAX_FILTERS = 18
MAX_QUERY_CHARACTERS = 3000
"""Source: https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm"""

Operator = Literal[
    "EQ",
    "NEQ",
    "LT",
    "LTE",
    "GT",
    "GTE",
    "BETWEEN",
    "IN",
    "NOT_IN",
    "HAS_PROPERTY",
    "NOT_HAS_PROPERTY",
    "CONTAINS_TOKEN",
    "NOT_CONTAINS_TOKEN",
]


class Filter(BaseModel):
    model_config = ConfigDict(extra="ignore")

    propertyName: str  # noqa: N815 (the vendor's name)
    operator: Operator
    value: str | None = None
    values: list[str] = Field(default_factory=list)
    highValue: str | None = None  # noqa: N815 (the vendor's name)


class FilterGroup(BaseModel):
    filters: list[Filter] = Field(min_length=1, max_length=MAX_FILTERS_PER_GROUP)


class Sort(BaseModel):
    propertyName: str  # noqa: N815 (the vendor's name)
    direction: Literal["ASCENDING", "DESCENDING"] = "ASCENDING"


class SearchBody(BaseModel):
    """The body of a search: groups are joined by OR, filters of a group by AND."""

    model_config = ConfigDict(extra="ignore")

    query: str | None = Field(default=None, max_length=MAX_QUERY_CHARACTERS)
    filterGroups: list[FilterGroup] = Field(  # noqa: N815 (the vendor's name)
        default_factory=list, max_length=MAX_GROUPS
    )
    properties: list[str] = Field(default_factory=list)
    sorts: list[Sort | str] = Field(default_factory=list, max_length=1)
    limit: int = Field(default=10, ge=1, le=MAX_PAGE)
    after: str | None = Field(default=None, pattern=r"^\d{1,6}$")


def search(book: RecordBook, body: SearchBody) -> list[Record]:
    """Return every match in order, as the lagging index knows the records.

    Raises:
        RefusedError: A filter names a property that does not exist, lacks its value, or there
            are too many.
    """
    if sum(len(group.filters) for group in body.filterGroups) > MAX_FILTERS:
        raise bad_request(f"A search may have at most {MAX_FILTERS} filters.")
    for group in body.filterGroups:
        for one in group.filters:
            _check(book, one)
    found = [
        record
        for record in book.list_indexed()
        if _has_words(record, book, body.query or "") and _passes(record, body.filterGroups)
    ]
    return _sorted(found, book, body.sorts)


def _check(book: RecordBook, one: Filter) -> None:
    is_link = one.propertyName in {f"associations.{kind.singular}" for kind in KINDS}
    if not is_link and book.properties.find(one.propertyName) is None:
        raise bad_request(f'There was a problem with the request: "{one.propertyName}" is unknown')
    if one.operator in ("IN", "NOT_IN"):
        is_complete = bool(one.values)
    elif one.operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        is_complete = one.value is None
    else:
        is_complete = one.value is not None
    if one.operator == "BETWEEN" and one.highValue is None:
        is_complete = False
    if not is_complete:
        raise bad_request(f"operator {one.operator} has no or wrong values")


def _has_words(record: Record, book: RecordBook, query: str) -> bool:
    """Return whether each word of the query begins some word of the searchable properties."""
    text = " ".join(record.properties.get(name) or "" for name in book.kind.searched)
    known = _words(text) | {part.casefold() for part in text.split()}
    return all(any(w.startswith(word) for w in known) for word in query.casefold().split())


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def _passes(record: Record, groups: list[FilterGroup]) -> bool:
    return not groups or any(all(_holds(record, one) for one in g.filters) for g in groups)


def _holds(record: Record, one: Filter) -> bool:
    values = _values_of(record, one.propertyName)
    wanted = (one.value or "").casefold()
    listed = {value.casefold() for value in one.values}
    tests: dict[str, Callable[[], bool]] = {
        "EQ": lambda: wanted in values,
        "NEQ": lambda: wanted not in values,
        "IN": lambda: bool(listed & set(values)),
        "NOT_IN": lambda: not listed & set(values),
        "HAS_PROPERTY": lambda: bool(values),
        "NOT_HAS_PROPERTY": lambda: not values,
        "CONTAINS_TOKEN": lambda: _has_token(values, wanted),
        "NOT_CONTAINS_TOKEN": lambda: not _has_token(values, wanted),
        "LT": lambda: any(_order(v) < _order(wanted) for v in values),
        "LTE": lambda: any(_order(v) <= _order(wanted) for v in values),
        "GT": lambda: any(_order(v) > _order(wanted) for v in values),
        "GTE": lambda: any(_order(v) >= _order(wanted) for v in values),
        "BETWEEN": lambda: any(
            _order(wanted) <= _order(v) <= _order((one.highValue or "").casefold()) for v in values
        ),
    }
    return tests[one.operator]()


def _values_of(record: Record, name: str) -> list[str]:
    if name.startswith("associations."):
        singular = name.removeprefix("associations.")
        plural = next(kind.plural for kind in KINDS if kind.singular == singular)
        return record.linked.get(plural, [])
    value = record.properties.get(name)
    return [] if value is None else [value.casefold()]


def _has_token(values: list[str], pattern: str) -> bool:
    """Return whether a word matches; `*` stands for any characters, as at HubSpot."""
    expression = re.compile(".*".join(re.escape(part) for part in pattern.split("*")))
    return any(
        expression.fullmatch(word) is not None
        for value in values
        for word in (*_words(value), *value.split())
    )


def _order(value: str) -> tuple[int, float, str]:
    """Order numbers and instants (as milliseconds) as numbers, before everything else as text."""
    if re.fullmatch(r"\d{4}-\d\d-\d\dt[\d:.]+z", value, re.IGNORECASE):
        return (0, datetime.fromisoformat(value.upper()).timestamp() * 1000, "")
    if re.fullmatch(r"-?\d+(\.\d+)?", value):
        return (0, float(value), "")
    return (1, 0.0, value)


def _sorted(found: list[Record], book: RecordBook, sorts: list[Sort | str]) -> list[Record]:
    if not sorts:
        return found
    first = sorts[0]
    if isinstance(first, str):
        direction: Literal["ASCENDING", "DESCENDING"]
        direction = "DESCENDING" if first.startswith("-") else "ASCENDING"
        first = Sort(propertyName=first.removeprefix("-"), direction=direction)
    name = first.propertyName
    if book.properties.find(name) is None:
        raise bad_request(f'"{name}" cannot be sorted by')
    return sorted(
        found,
        key=lambda record: _order((record.properties.get(name) or "").casefold()),
        reverse=first.direction == "DESCENDING",
    )
