"""The schema: one module a family of nouns. Importing this package registers every table."""

from storage.tables import (
    approvals,
    calls,
    connections,
    durations,
    goals,
    halts,
    hooks,
    people,
    records,
    recovery,
    remarks,
    results,
    slack,
    waits,
)
from storage.tables.base import Base

__all__ = [
    "Base",
    "approvals",
    "calls",
    "connections",
    "durations",
    "goals",
    "halts",
    "hooks",
    "people",
    "records",
    "recovery",
    "remarks",
    "results",
    "slack",
    "waits",
]
