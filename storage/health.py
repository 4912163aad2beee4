"""Health: whether the database answers, is up to date, and has a worker."""

import asyncio
from dataclasses import dataclass

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from storage.database import Database
from storage.errors import DatabaseAwayError
from storage.revision import HEAD

_REVISION = text("SELECT version_num FROM alembic_version")
_WORKER = text(
    "SELECT extract(epoch FROM now() - max(last_heartbeat))::float8 FROM procrastinate_workers"
)


@dataclass(frozen=True, slots=True)
class Health:
    """What was found. Later fields are False or None when an earlier one could not be read.

    Attributes:
        answers: the database answered in time.
        is_current: this version's migrations were applied, and no other's.
        is_full: it refused this process's write for want of room within the last minute.
        worker_seen_s: seconds since a worker last said that it lives; None when none ever did.
    """

    answers: bool
    is_current: bool = False
    worker_seen_s: float | None = None
    is_full: bool = False


async def read_health(database: Database, *, timeout_s: float) -> Health:
    """Return the database's health, within `timeout_s`; it raises nothing for a sick one."""
    try:
        async with asyncio.timeout(timeout_s), database.transaction() as tx:
            revision = await tx.session.scalar(_REVISION)
            if revision != HEAD:
                return Health(answers=True)
            seen: float | None = await tx.session.scalar(_WORKER)
            is_full = database.absence.is_full
            return Health(answers=True, is_current=True, worker_seen_s=seen, is_full=is_full)
    except DatabaseAwayError:
        return Health(answers=False)
    except SQLAlchemyError as error:
        return Health(answers=_is_missing_table(error))
    except (OSError, TimeoutError):
        return Health(answers=False)


def _is_missing_table(error: SQLAlchemyError) -> bool:
    """Whether a database answered that it was never migrated."""
    return isinstance(getattr(error, "orig", None), psycopg.errors.UndefinedTable)
