"""Rows of any read as a table of plain text: which columns to show, and how a value reads."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from pydantic import JsonValue

Row = dict[str, JsonValue]

MAX_COLUMNS = 6
MAX_CELL_CHARACTERS = 200

_HIDDEN = re.compile(r"(^|_)(id|ids|url|etag|version|hash|key)$")
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}


@dataclass(frozen=True, slots=True)
class Table:
    """Column titles and cells; every row has as many cells as there are columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tabulate(rows: Sequence[Row], *, columns: Sequence[str] | None = None) -> Table:
    """Return the rows as text. Ids, links and empty columns are left out unless asked for."""
    names = [name for name in columns or _visible(rows) if any(name in row for row in rows)]
    shown = names[:MAX_COLUMNS]
    return Table(
        columns=tuple(title(name) for name in shown),
        rows=tuple(tuple(_cell(row, name) for name in shown) for row in rows),
    )


def title(name: str) -> str:
    """Return a field's name as a heading: `close_date` → "Close date"."""
    return name.replace("_", " ").strip().capitalize()


def text_of(value: JsonValue) -> str:
    """Return a value as a person reads it; objects without a name of their own stay out."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case str():
            return _clip(_instant(value))
        case list():
            return _clip(", ".join(text for item in value if (text := text_of(item))))
        case dict():
            named = (value.get(key) for key in ("name", "title", "email"))
            return next((text_of(item) for item in named if item), "")
        case _:
            return str(value)


def _visible(rows: Sequence[Row]) -> list[str]:
    names = dict.fromkeys(name for row in rows for name in row)
    priced = "amount" in names
    return [
        name
        for name in names
        if not _HIDDEN.search(name)
        and not (priced and name == "currency")
        and any(text_of(row.get(name)) for row in rows)
    ]


def _cell(row: Row, name: str) -> str:
    if name == "amount":
        return _money(row.get(name), row.get("currency"))
    return text_of(row.get(name))


def _money(amount: JsonValue, currency: JsonValue) -> str:
    try:
        value = f"{Decimal(str(amount)):,.2f}"
    except InvalidOperation:
        return text_of(amount)
    code = currency if isinstance(currency, str) else ""
    symbol = _SYMBOLS.get(code)
    return f"{symbol}{value}" if symbol else f"{value} {code}".rstrip()


def _instant(text: str) -> str:
    """Return an ISO 8601 day or instant in words, on its own clock; any other text unchanged."""
    if not re.match(r"\d{4}-\d\d-\d\d", text):
        return text
    try:
        if len(text) == len("2026-11-24"):
            return f"{date.fromisoformat(text):%a %-d %b %Y}"
        return f"{datetime.fromisoformat(text):%a %-d %b %Y %H:%M}"
    except ValueError:
        return text


def _clip(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_CELL_CHARACTERS else f"{line[: MAX_CELL_CHARACTERS - 1]}…"
