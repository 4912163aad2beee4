"""Bringing objects up to date with the rows that a change of them returned."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm.attributes import set_committed_value


def update_object(found: DeclarativeBase, row: Mapping[Any, Any] | None) -> bool:
    """Set every returned column on an object, attached or not; False when no row came back."""
    if row is None:
        return False
    for name, value in row.items():
        set_committed_value(found, str(name), value)
    return True
