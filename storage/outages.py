"""Telling an outage of the database from a defect of ours: an outage passes by itself."""

import psycopg
from procrastinate.exceptions import ConnectorException
from sqlalchemy import exc

from storage.errors import DatabaseAwayError

_AWAY = (
    DatabaseAwayError,
    exc.OperationalError,
    exc.InterfaceError,
    exc.TimeoutError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    ConnectorException,
)
"""No connection, none free in time, a deadlock, a full disk, a shutdown."""


def is_outage(error: BaseException) -> bool:
    """Whether the database was away or too busy: trying later helps, and nobody need be told."""
    if isinstance(error, BaseExceptionGroup):
        return any(is_outage(item) for item in error.exceptions)
    return isinstance(error, _AWAY)
