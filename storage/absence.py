"""Telling a database that is away from a statement that is wrong."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from storage.errors import DISK_FULL, DatabaseAwayError

_CLASSES = ("08", "53", "57", "58")
"""Connection exceptions, insufficient resources, operator intervention, system errors.
Source: https://www.postgresql.org/docs/18/errcodes-appendix.html"""

_FULL_FOR_S = 60.0
"""How long after a refused write the disk counts as full."""


class Absence:
    """Turns what the driver raises while the database is away into one error, and remembers it."""

    def __init__(self) -> None:
        self._full_at: float | None = None

    @property
    def is_full(self) -> bool:
        """Whether the database refused a write for want of room within the last minute."""
        return self._full_at is not None and time.monotonic() - self._full_at < _FULL_FOR_S

    @contextmanager
    def told(self) -> Iterator[None]:
        """Raise `DatabaseAwayError` in place of what means it; let everything else through.

        Raises:
            DatabaseAwayError: it does not answer, is being stopped, or has no room.
        """
        try:
            yield
        except (DBAPIError, psycopg.OperationalError) as error:
            if not _is_away(error):
                raise
            code = _sqlstate(error)
            if code == DISK_FULL:
                self._full_at = time.monotonic()
            raise DatabaseAwayError(code) from error
        except PoolTimeoutError as error:
            raise DatabaseAwayError(None) from error


def _is_away(error: DBAPIError | psycopg.OperationalError) -> bool:
    """Whether the connection was lost, which has no code, or a code says so."""
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        if not isinstance(error.orig, psycopg.OperationalError):
            return False
    code = _sqlstate(error)
    return code is None or code.startswith(_CLASSES)


def _sqlstate(error: DBAPIError | psycopg.OperationalError) -> str | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return cause.sqlstate if isinstance(cause, psycopg.Error) else None
