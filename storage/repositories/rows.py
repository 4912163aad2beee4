"""Hot statements as text, and bringing objects up to date with the rows that they return.

SQLAlchemy takes longer to build and compile a statement than to send it. What runs many times for
each goal is therefore text, made once.
"""

import json
from collections.abc import Mapping
from enum import Enum as PlainEnum
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Enum, TextClause, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm.attributes import set_committed_value


def as_json(value: Any) -> str | None:
    """Return a value for a parameter that is cast to `jsonb`; None is SQL's null."""
    return None if value is None else json.dumps(value)


@cache
def move_statement(table: type[DeclarativeBase], names: frozenset[str], now: str) -> TextClause:
    """Return the compare-and-set of a status that also sets these columns, and `now` to now().

    Its parameters are `team`, `id`, `before`, and what `move_values` makes of the new values.
    """
    columns = table.__table__.c
    changes = [
        f"{name} = CAST(:{name} AS jsonb)" if _is_json(table, name) else f"{name} = :{name}"
        for name in sorted(names)
    ]
    changes += [f"{now} = now()"] if now else []
    returned = ", ".join(column.name for column in columns)
    return text(
        f"UPDATE {table.__tablename__} SET {', '.join(changes)} "  # noqa: S608 -- our own names
        f"WHERE team_id = :team AND id = :id AND status = :before RETURNING {returned}"
    )


def move_values(table: type[DeclarativeBase], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return new values as `move_statement` takes them."""
    return {
        name: as_json(value) if _is_json(table, name) else _plain(value)
        for name, value in values.items()
    }


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, StrEnum) else value


@cache
def _is_json(table: type[DeclarativeBase], name: str) -> bool:
    return isinstance(table.__table__.c[name].type, JSONB)


@cache
def _kind(table: type[DeclarativeBase], name: str) -> type[PlainEnum] | None:
    """Return the enumeration whose member a column's text is."""
    kind = table.__table__.c[name].type
    return kind.enum_class if isinstance(kind, Enum) else None


def typed(table: type[DeclarativeBase], row: Mapping[Any, Any] | None) -> dict[str, Any] | None:
    """Return a row of a text statement with the enumerations that the table declares."""
    if row is None:
        return None
    return {
        str(name): kind(value) if (kind := _kind(table, str(name))) and value is not None else value
        for name, value in row.items()
    }


def update_object(found: DeclarativeBase, row: Mapping[Any, Any] | None) -> bool:
    """Set every returned column on an object, attached or not; False when no row came back."""
    if row is None:
        return False
    for name, value in row.items():
        set_committed_value(found, str(name), value)
    return True
